/** The scripting API: what a scenario may say, what it is told, and what is said of one that makes no sense. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  noStaleDeviceMapping,
  prepare,
  runScenario,
  scenario,
  slice,
  until,
  type Report,
  type ScenarioContext,
  type Verdict,
} from '../../src/index.ts'

const run = (build: (context: ScenarioContext) => void, options: Parameters<typeof runScenario>[1] = {}): Report =>
  runScenario(scenario('a test', build).build(), options)
const verdict = (report: Report): Omit<Verdict, 'expectation'> => {
  const { expectation: _, ...rest } = report.verdicts[0] as Verdict
  return rest
}

test('a program answers, reads what was written, and dies of what it may not', () => {
  const report = run(({ linux, expect }) => {
    const cpu = linux().thread()
    const buf = cpu.mmap({ pages: 4 })
    expect.returns(cpu.write(buf, 40), [])
    expect.returns(cpu.read(buf), [40, 41, 42, 43])
    expect.returns(cpu.gup(buf, { write: true }), 4)
    const moved = cpu.mremap(buf)
    expect.returns(cpu.read(slice(moved, 3)), [43])
    expect.returns(cpu.read(buf), 'SEGV')
    expect.returns(cpu.mprotect(moved, 'r'), 0)
    expect.returns(cpu.write(moved, 1), 'SEGV')
    expect.returns(cpu.mprotect({ start: moved.start, end: buf.start }, 'r'), 0)
    expect.returns(cpu.madvise(buf, 'dontneed'), 'ENOMEM')
    expect.returns(cpu.munmap(moved), 0)
  })
  assert.equal(
    report.verdicts.filter(v => v.holds !== true),
    [],
  )
  assert.equal([report.verdict, report.ended.why], ['holds', 'at rest'])
})

test('finally sees the world by the names of the scenario', () => {
  const report = run(({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread('writer'), m.device('npu')]
    const buf = cpu.mmap({ pages: 2, prot: 'rw' })
    cpu.write(buf, 9)
    gpu.fault(slice(buf, 0), { write: true })
    expect.finally('maps', v => v.maps('npu', slice(buf, 0)) && !v.maps('npu', slice(buf, 1)) && !v.maps('gpu0', buf))
    expect.finally('entry', v => v.entry(buf.start) === 'PWDA' && v.entry(buf.end) === 'none')
    expect.finally('content', v => v.content(buf.start) === 9 && v.content(slice(buf, 1).start) === 10 && v.content(buf.end) === undefined)
    expect.finally('is wrong', v => v.entry(buf.start) === 'none')
  })
  assert.equal(
    report.verdicts.map(v => v.holds),
    [true, true, true, false],
  )
  assert.is(report.verdict, 'violated')
})

test('statements run in the order in which they stand, but for races', () => {
  const order = (seed?: number): string => {
    const built = scenario('order', ({ linux }) => {
      const m = linux()
      const [a, b] = [m.thread('a'), m.thread('b')]
      const buf = a.mmap({ pages: 1 })
      a.write(buf, 1)
      b.read(buf)
      m.race(a.read(buf), b.read(buf), [a.munlock(buf), b.munlock(buf)])
      b.munmap(buf)
    }).build()
    const going = prepare(built, seed === undefined ? {} : { seed })
    const does: string[] = []
    going.entries$.subscribe(e => {
      if (['load', 'store', 'mmap', 'munmap', 'munlock'].includes(e.do) && e.event.type !== 'page_fault')
        does.push(`${e.choice.by}:${e.do}`)
    })
    while (going.advance() === undefined) continue
    return does.join(' ')
  }
  const racing = new Set(Array.from({ length: 30 }, (_, seed) => order(seed)))
  for (const does of [order(), ...racing]) assert.match(does, /^a:mmap a:store b:load (a:load|b:load).* b:munmap$/)
  assert.ok(racing.size > 5, `${racing.size} orders`)
})

test('a race may be given an order, and a statement be left half done', () => {
  const going = prepare(
    scenario('halfway', ({ linux }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device()]
      const buf = cpu.mmap({ pages: 1 })
      const fault = gpu.fault(buf)
      const other = cpu.write(buf, 3)
      m.race(fault, other).order(until(fault, 'driver_lock'), other, fault)
    }).build('v6.12'),
  )
  const does: string[] = []
  going.entries$.subscribe(e => void does.push(`${e.choice.by}:${e.do}`))
  while (going.advance() === undefined) continue
  const left = does.indexOf('gpu0.range:mmap_read_unlock') + 1
  const back = does.indexOf('gpu0.range:driver_lock')
  assert.equal([...new Set(does.slice(left, back).map(d => d.split(':')[0]))], ['cpu0'])
  assert.equal([does[left], does[back - 1]], ['cpu0:page_fault', 'cpu0:store'])
})

test('verdicts: found at a step and why, or too early to say', () => {
  const found = run(({ linux, expect }) => {
    const cpu = linux().thread()
    cpu.mmap({ pages: 1 })
    expect.always('nothing is mapped', ({ world }) => (world.memory.mms['mm0']?.vmas.length === 0 ? undefined : 'something is'))
  })
  assert.equal(verdict(found), { holds: false, step: 3, why: 'something is' })
  const writes = ({ linux, expect }: ScenarioContext): void => {
    const cpu = linux().thread()
    const buf = cpu.mmap({ pages: 1 })
    expect.always('no stale mapping', noStaleDeviceMapping)
    expect.returns(cpu.write(buf, 1), [])
  }
  const cut = run(writes, { steps: 3 })
  assert.equal(
    cut.verdicts.map(v => v.holds),
    [null, null],
  )
  assert.equal([cut.verdict, cut.ended.why, cut.steps], ['unknown', 'limit', 3])
  assert.equal([run(writes).verdict, run(writes, { steps: 1000 }).verdict], ['holds', 'holds'])
})

test('a bug that was promised has to show in the order given; at random it may stay away', () => {
  const promising = ({ linux, expect }: ScenarioContext): void => {
    linux().thread().mmap({ pages: 1 })
    expect.violated('a stale mapping', noStaleDeviceMapping)
  }
  assert.equal(verdict(run(promising)), { holds: false, why: 'nothing was found in this order of events' })
  assert.equal([run(promising).verdict, run(promising, { seed: 1 }).verdict], ['violated', 'unknown'])
})

test('what is so for a while has to be seen at some step; oracles see the same view', () => {
  const report = run(({ linux, expect }) => {
    const cpu = linux().thread()
    const file = cpu.open('data', { fs: 'dax', pages: 1, fill: 5 })
    const buf = cpu.mmap({ pages: 1, shared: true, of: file })
    cpu.gup(buf)
    expect.sometimes('mapped', v => v.content(buf.start) === 5)
    expect.sometimes('taken', v => v.refs(buf.start) === 2 && v.pagemap('pmem0') === 1)
    expect.sometimes('wrong', v => v.pagemap('dax1.0') > 0)
    expect.violated('an oracle', v => (v.pagemap('pmem0') > 0 ? 'pmem0 is held' : undefined))
    expect.finally('given back', v => v.refs(buf.start) === 1 && v.pagemap('pmem0') === 0 && v.refs(buf.end) === undefined)
  })
  assert.equal(
    report.verdicts.map(v => v.holds),
    [true, true, false, true, true],
  )
  const [mapped, taken, , found] = report.verdicts
  assert.ok(Number(mapped?.step) < Number(taken?.step))
  assert.equal([found?.step, found?.why], [taken?.step, 'pmem0 is held'])
  const early = run(
    ({ linux, expect }) => {
      const cpu = linux().thread()
      cpu.read(cpu.mmap({ pages: 1 }))
      expect.sometimes('never', () => false)
    },
    { steps: 3 },
  )
  assert.is(verdict(early).holds, null)
})

test('a driver that may begin only so often gives up with EBUSY', () => {
  const report = run(({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 1)
    const fault = gpu.fault(buf, { attempts: 1 })
    const discard = cpu.madvise(buf, 'dontneed')
    m.race(fault, discard).order(until(fault, 'driver_lock'), discard, fault)
    expect.returns(fault, 'EBUSY')
    expect.finally('nothing is mapped', v => !v.maps('gpu0', buf))
  })
  assert.is(report.verdict, 'holds')
})

const mistakes: readonly (readonly [string, (context: ScenarioContext) => void, RegExp])[] = [
  ['no machine', () => {}, /scenario 'a test' has no machine: call linux\(\) in it/],
  ['two machines', ({ linux }) => void [linux(), linux()], /calls linux\(\) twice; it has one machine/],
  ['an unknown profile', ({ linux }) => void linux('v9.9'), /no kernel profile 'v9\.9'; there are v4\.4, v4\.5, .*v6\.12, v7\.1/],
  [
    'one name twice',
    ({ linux }) => {
      const m = linux()
      m.thread('x')
      m.device('x')
    },
    /two actors of scenario 'a test' are called 'x'/,
  ],
  ['half a page', ({ linux }) => void linux().thread().mmap({ pages: 1.5 }), /expected a whole number of pages to map, got 1\.5/],
  [
    'a place outside',
    ({ linux }) =>
      void linux()
        .thread()
        .mmap({ pages: 1, at: 2 ** 30 }),
    /page 1073741824 is no place to map 1 pages; pages reach from 0 to 1073741824/,
  ],
  [
    'a race of what was not just made',
    ({ linux }) => {
      const m = linux()
      const cpu = m.thread()
      const buf = cpu.mmap({ pages: 1 })
      cpu.read(buf)
      m.race(buf)
    },
    /race\(\) takes the statements just made/,
  ],
  ['a race of nothing', ({ linux }) => void linux().race(), /race\(\) takes the statements just made/],
]
for (const [what, build, message] of mistakes) {
  test(`refuses ${what}`, () => assert.throws(() => run(build), message))
}

test('a kernel that dies, which nobody expected, is a verdict; and then nobody does anything any more', () => {
  const report = run(({ linux, expect }) => {
    const m = linux('v6.12')
    const cpu = m.thread()
    const [one, two] = [cpu.openDevice(), cpu.openDevice()]
    const buf = cpu.mmap({ pages: 1 })
    one.migrateToDevice(buf)
    two.write(buf, 1)
    expect.returns(cpu.munmap(buf), 0)
  })
  assert.is(report.verdict, 'violated')
  assert.equal([report.died?.by, report.died?.where], ['cpu0', 'dmirror_fops_unlocked_ioctl'])
  assert.equal(
    report.verdicts.map(v => [v.expectation, v.holds]),
    [
      ['the kernel survives', false],
      ['cpu0, 6: munmap answers 0', null],
    ],
  )
  assert.match(report.verdicts[0]?.why ?? '', /^it died in dmirror_fops_unlocked_ioctl\(\): the test driver writes a private page/)
})

test('a device that could not be opened, or is closed, answers EBADF to every command', () => {
  for (const [profile, device, closed] of [
    ['v7.1', 2, 'EBADF'],
    ['v6.12', 2, 0],
  ] as const) {
    const report = run(({ linux, expect }) => {
      const cpu = linux(profile).thread()
      const buf = cpu.mmap({ pages: 1 })
      const dev = cpu.openDevice(device)
      expect.returns(dev.close(), closed)
      expect.answers(dev.read(buf), { err: 'EBADF' })
      expect.answers(dev.write(buf, 1), { err: 'EBADF' })
      expect.answers(dev.migrateToDevice(buf), { err: 'EBADF' })
      expect.answers(dev.migrateToSystem(buf), { err: 'EBADF' })
      expect.answers(dev.snapshot(buf), { err: 'EBADF' })
      expect.answers(dev.exclusive(buf), { err: 'EBADF' })
      expect.returns(dev.checkExclusive(buf), 'EBADF')
      expect.returns(dev.close(), 'EBADF')
    })
    assert.equal([report.verdict, report.verdicts.filter(v => v.holds !== true)], ['holds', []])
  }
})

test('so does a file that everybody has closed', () => {
  const report = run(({ linux, expect }) => {
    const m = linux('v6.12')
    const [a, b] = [m.thread(), m.thread()]
    const file = a.open('data', { fs: 'memfd', pages: 4, fill: 1 })
    expect.returns(a.close(file), 0)
    expect.answers(b.pread(file, { start: 0, end: 1 }), { err: 'EBADF' })
    expect.returns(b.pwrite(file, { start: 0, end: 1 }, 4), 'EBADF')
    expect.returns(b.truncate(file, 2), 'EBADF')
    expect.returns(b.punch(file, { start: 0, end: 1 }), 'EBADF')
    b.mmap({ pages: 2, shared: true, of: file })
    expect.returns(b.close(file), 'EBADF')
  })
  assert.equal([report.verdict, report.verdicts.filter(v => v.holds !== true)], ['holds', []])
})

test('children, files and devices: what a command answers, and how it differs from what was wanted', () => {
  const report = run(({ linux, expect }) => {
    const cpu = linux().thread()
    const file = cpu.open('data', { fs: 'memfd', pages: 4, fill: 10 })
    const dev = cpu.openDevice(2)
    const buf = cpu.mmap({ pages: 4, shared: true, of: file })
    const child = cpu.fork()
    expect.returns(child.write(slice(buf, 1), 99), [])
    expect.answers(dev.usedBy(child).read(buf), { cpages: 4, faults: 1, values: [10, 99, 12, 13] })
    expect.returns(child.exit(), 0)
    expect.answers(cpu.pread(file, { start: 1, end: 3 }), { values: [99, 12] })
    expect.returns(cpu.punch(file, { start: 0, end: 1 }), 0)
    expect.returns(cpu.truncate(file, 2), 0)
    expect.returns(cpu.read(slice(buf, 0, 2)), [0, 99])
    expect.returns(cpu.read(slice(buf, 2)), 'BUS')
    expect.answers(dev.snapshot(buf), ({ values }) => values.length === 4 && values[0] === 2)
    expect.answers(dev.write(buf, 1), { err: 'EPERM' })
    expect.answers(cpu.pread(file, { start: 0, end: 2 }), { values: [5, 99] })
    cpu.close(file)
  })
  const wrong = report.verdicts.filter(v => v.holds !== true).map(v => v.why)
  assert.equal(wrong, ['it answers EFAULT', 'its values: [0, 99]'])
})

test.run()
