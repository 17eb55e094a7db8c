/**
 * Seed 000 and its neighbours, v5.15 to v6.1: rows of research/hmm-semantics.md (0.5, 1.1, 1.4, 2.13) by their names, as whole systems
 * live them.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import mixed from '../../scenarios/seeds/000-mixedmap.ts'
import { profileNamed, type Profile } from '../../src/kernel/profiles.ts'
import { changedBetween, type Setting, type SwitchName } from '../../src/kernel/switches.ts'
import { VM_MIXEDMAP, vmaAt } from '../../src/memory/vma.ts'
import { framesBalance, prepare, runScenario, scenario, type ScenarioContext, type View } from '../../src/index.ts'

const kernel = (name: string): Profile => profileNamed(name) as Profile

/** Tells the story on each kernel; fails with what does not come true. */
function holds(kernels: readonly string[], tell: (context: ScenarioContext) => void): void {
  for (const name of kernels) {
    const { verdict, verdicts } = runScenario(scenario('a test', tell).build(name))
    assert.is(verdict, 'holds', `${name}: ${JSON.stringify(verdicts.filter(v => v.holds !== true))}`)
  }
}

test('1.1, v5.16: VM_MIXEDMAP (seed 000); and nothing else of the device side differs from v5.15', () => {
  assert.equal(changedBetween(kernel('v5.15'), kernel('v5.16')), ['walksMixedMaps', 'mremapMovesHugetlb'])
})

test('1.4: the knobs of 5.15, 5.16 and 6.1', () => {
  const knobs: readonly (readonly [string, SwitchName, ...Setting[]])[] = [
    ['interval notifier seq', 'rangeValidity', 'sequence', 'sequence', 'sequence'],
    ['releases mmap_sem itself on invalid range', 'invalidRange', 'EBUSY', 'EBUSY', 'EBUSY'],
    ['MIXEDMAP accepted', 'walksMixedMaps', false, true, true],
    ['returns page count', 'walksAreaByArea', false, false, false],
    ['foreign device-private faulted back on request', 'faultsForeignPrivate', false, false, true],
    ['coherent pages', 'coherentMemory', false, false, true],
  ]
  for (const [knob, name, ...settings] of knobs)
    assert.equal(
      ['v5.15', 'v5.16', 'v6.1'].map(k => kernel(k)[name]),
      settings,
      knob,
    )
  assert.is(kernel('v6.0').coherentMemory && kernel('v6.0').faultsForeignPrivate, true, '1.1, v6.0')
})

test('0.5, 000: before and after differ where the patch says, and nowhere else', () => {
  const told = (name: string): readonly string[] => {
    const run = prepare(mixed.build(name))
    const answers: string[] = []
    run.entries$.subscribe(({ choice, event }) => {
      if (event.type === 'returned' || event.type === 'ended' || event.type === 'signal' || event.type === 'accessed')
        answers.push(`${choice.by} ${JSON.stringify({ ...event, array: undefined })}`)
    })
    while (run.advance() === undefined) continue
    return answers
  }
  const differing = (a: string, b: string): number => {
    const [before, after] = [told(a), told(b)]
    assert.is(before.length, after.length)
    return before.filter((answer, i) => answer !== after[i]).length
  }
  const bare = ',-pteSpecial,-zoneDevice,-devicePrivate'
  // Two faults of the device, and a read of the driver; where memory has pages all the same, one more fault.
  assert.is(differing('v5.15', 'v5.16'), 3)
  assert.is(differing(`v5.15${bare}`, `v5.16${bare}`), 4)
  assert.is(differing('v6.1', 'v6.12'), 0)
})

test("000: the test driver's mmap fills the area with pages that the mapping alone has, and makes it a mixed map", () => {
  holds(['v5.15', 'v5.16', 'v6.1'], ({ linux, expect }) => {
    const cpu = linux().thread('cpu0')
    const dev = cpu.openDevice(0)
    const buf = cpu.mmap({ pages: 3, of: dev })
    const isMixed = ({ world }: View): boolean => ((vmaAt(world.memory.mms['mm0']?.vmas ?? [], buf.start)?.flags ?? 0) & VM_MIXEDMAP) !== 0
    expect.finally('the area is a mixed map', isMixed)
    expect.finally('one reference each, and zeroes', view =>
      [0, 1, 2].every(i => view.refs((buf.start + i) as typeof buf.start) === 1 && view.content((buf.start + i) as typeof buf.start) === 0),
    )
  })
})

test('000: a page that cannot be had (-ENOMEM), or is not taken, fails the mapping, and everything before it is given back', () => {
  for (const [where, errno] of [
    ['alloc_page', 'ENOMEM'],
    ['vm_insert_page', 'EBUSY'],
  ] as const) {
    for (const failing of [0, 1, 3]) {
      const built = scenario('a mapping that fails', ({ linux, expect }) => {
        const cpu = linux().thread('cpu0')
        const dev = cpu.openDevice(0)
        const buf = cpu.mmap({ pages: 4, of: dev, fails: { in: where, page: failing } })
        expect.returns(buf, errno)
        expect.returns(cpu.read(buf), 'SEGV')
        expect.finally('the first frame is free again', ({ world }) => world.memory.frames.free === 2)
        expect.always('references balance', framesBalance)
        // The driver is none the worse for it.
        expect.returns(cpu.mmap({ pages: 4, of: dev, at: buf.start }), 0)
        expect.returns(cpu.munmap(buf), 0)
        expect.returns(dev.close(), 0)
      }).build('v5.16')
      const { verdict, verdicts } = runScenario(built)
      assert.is(verdict, 'holds', `${where} ${failing}: ${JSON.stringify(verdicts.filter(v => v.holds !== true))}`)
    }
  }
})

test('2.13, v5.16 to v5.19/6.0: foreign private -> CPU fault (migrate_to_ram) instead of -EFAULT', () => {
  holds(['v5.15', 'v5.16', 'v6.0', 'v6.1'], ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const [dev, other] = [cpu.openDevice(0), cpu.openDevice(1)]
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 9)
    expect.answers(dev.migrateToDevice(buf), { ret: 0, cpages: 1 })
    expect.answers(other.snapshot(buf), { ret: 0, values: [0] })
    expect.answers(other.read(buf), m.profile.faultsForeignPrivate ? { ret: 0, values: [9] } : { err: 'EFAULT' })
    // What the CPU itself wants comes back on all of them.
    expect.returns(cpu.read(buf), [9])
    expect.answers(other.read(buf), { ret: 0, values: [9] })
  })
})

test('1.1, v6.0: DEVICE_COHERENT: before, a device of that kind has no memory', () => {
  holds(['v5.16', 'v6.0'], ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const dev = cpu.openDevice(2)
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 9)
    expect.answers(dev.migrateToDevice(buf), m.profile.coherentMemory ? { ret: 0, cpages: 1 } : { err: 'ENOENT' })
    expect.returns(cpu.read(buf), [9])
  })
})

test('1.1, v5.14: device-exclusive entries are there, and a fault gives them back', () => {
  holds(['v5.15', 'v5.16', 'v6.0'], ({ linux, expect }) => {
    const cpu = linux().thread('cpu0')
    const dev = cpu.openDevice(0)
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 9)
    expect.returns(dev.exclusive(buf), 0)
    expect.sometimes('the entry is for the device alone', view => view.entry(buf.start) === '!excl-w')
    expect.answers(dev.snapshot(buf), { ret: 0, values: [0] })
    expect.returns(cpu.read(buf), [9])
  })
})

test('2.13, v5.14 to v5.15: a devmap pte bypasses the special test', () => {
  holds(['v5.15', 'v5.16'], ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread('cpu0'), m.device('gpu0')]
    const file = cpu.open('f', { fs: 'dax', pages: 4, fill: 7 })
    const buf = cpu.mmap({ pages: 4, of: file, shared: true })
    expect.returns(gpu.fault(buf), 0)
    expect.sometimes('the entry is special, and of device memory', view => view.entry(buf.start) === 'PASV')
    expect.finally('the device has it', view => view.maps('gpu0', buf))
  })
})

test.run()
