/** Scenarios explored on the real machines: seed 004 both ways, one verdict however it is searched, and answers judged. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { choicesOf, explore, tokenOf, type Exploration, type ExploreOptions } from 'mirrorwalk/explore'
import seed from '../../scenarios/seeds/004-stale-valid.ts'
import munmap from '../../scenarios/races/fault-against-munmap.ts'
import {
  modelOf,
  noStaleDeviceMapping,
  retrace,
  runScenario,
  scenario,
  slice,
  type Built,
  type Scenario,
  type ScenarioContext,
} from '../../src/index.ts'
import { Footprints } from '../../src/explore/worlds/footprint.ts'
import { Space } from '../../src/explore/worlds/space.ts'
import { viewOf } from '../../src/scenario/view.ts'

const explored = (built: Built, reduction: NonNullable<ExploreOptions['reduction']> = 'none'): Exploration =>
  explore(modelOf(built), { reduction })
/** Is it about what goes on for ever? */
const goesOn = ({ kind }: Exploration['found'][number]): boolean => kind === 'livelock' || kind === 'eventually'
const build = (write: (context: ScenarioContext) => void, profile = 'v6.12'): Built => scenario('a test', write).build(profile)

test('seed 004: found without help on 5.2, by a way that ends where the oracle says; none on 6.12', () => {
  const built = seed.build('v5.2')
  const found = explored(built)
  const shown = found.found.find(f => f.property === 'the device keeps a stale page')
  assert.equal([found.verdict, found.complete], ['holds', true])
  const { system } = modelOf(built)
  const entries = retrace(system, shown?.trail ?? [])
  const world = entries.at(-1)?.world
  assert.ok(world !== undefined)
  assert.is(noStaleDeviceMapping(viewOf({ names: system.actors.map(a => a.name), world })), shown?.why)
  // The order that a person wrote down for it is no shorter.
  const written = runScenario(built).verdicts.find(v => v.expectation === shown?.property)?.step
  assert.ok((shown?.trail?.length ?? Infinity) <= (written ?? 0))
  const sound = explored(seed.build('v6.12'))
  assert.equal([sound.verdict, sound.complete], ['holds', true])
})

for (const [name, story, profile] of [
  ['seed 004', seed, 'v5.2'],
  ['seed 004', seed, 'v6.12'],
  ['a fault against munmap', munmap, 'v6.12'],
] as readonly (readonly [string, Scenario, string])[]) {
  test(`${name} on ${profile}: every reduction says the same`, () => {
    const all = explored(story.build(profile))
    for (const reduction of ['cache', 'sleep', 'dpor'] as const) {
      // What goes run by run is not for what has very many.
      if (reduction !== 'cache' && story === munmap) continue
      const { verdict, found, searched } = explored(story.build(profile), reduction)
      assert.equal(
        found.filter(f => !goesOn(f)).map(f => [f.property, f.verdict]),
        all.found.filter(f => !goesOn(f)).map(f => [f.property, f.verdict]),
        reduction,
      )
      // Nobody has asked for circles: that they are not looked for is said, and takes nothing from what was asked.
      assert.is(verdict, all.verdict)
      assert.is(found.filter(goesOn).length, 2)
      for (const { why = '' } of found.filter(goesOn)) assert.match(why, `not looked for: under --reduction ${reduction}`)
      if (reduction === 'dpor') assert.is(searched.blocked, 0)
    }
  })
}

test('answers are judged in every order, also of reads that take several steps', () => {
  const built = build(({ linux, expect }) => {
    const m = linux()
    const [a, b] = [m.thread('a'), m.thread('b')]
    const buf = a.mmap({ pages: 2 })
    a.write(buf, 5)
    const read = a.read(buf)
    const gone = b.munmap(buf)
    m.race(read, gone)
    expect.returns(gone, 0)
    expect.returns(read, [5, 6])
    expect.answers(gone, { ret: 1 })
    expect.sometimes('all is gone', view => view.entry(buf.start) === 'none' && view.entry(buf.end) === 'none')
    expect.finally('nothing is there', view => view.content(buf.start) === undefined)
  })
  const { found } = explored(built)
  assert.equal(
    found.slice(3).map(f => f.verdict),
    ['holds', 'violated', 'violated', 'holds', 'holds'],
  )
  assert.is(found[4]?.why, 'it answers "SEGV"')
  const ended = retrace(modelOf(built).system, found[4]?.trail ?? []).at(-1)
  assert.equal([ended?.choice.by, ended?.event.type], ['a', 'signal'])
})

test('a read that takes several steps is judged as a whole, as a run judges it', () => {
  const asked: string[] = []
  const built = (wanted: (values: readonly number[]) => boolean): Built =>
    build(({ linux, expect }) => {
      const m = linux()
      const [a, b] = [m.thread('a'), m.thread('b')]
      const buf = a.mmap({ pages: 3 })
      a.write(buf, 5)
      const read = a.read(buf)
      m.race(read, b.write(slice(buf, 1), 9))
      expect.answers(read, ({ values, ret, err }) => {
        asked.push(`${values.join()} ${ret} ${err}`)
        return wanted(values)
      })
      expect.answers(read, { ret: 0, err: null })
      const past = a.read({ ...buf, end: (buf.end + 1) as typeof buf.end })
      expect.returns(past, 'SEGV')
      expect.returns(a.read(buf), [5, 9, 7])
    })
  const all = explored(built(values => values.length === 3))
  assert.equal([all.verdict, all.complete], ['holds', true])
  assert.equal([...new Set(asked)].toSorted(), ['5,6,7 0 null', '5,9,7 0 null'])
  const some = built(values => values[1] === 6)
  const { found } = explored(some)
  const [, , , wrong] = found
  assert.equal([wrong?.verdict, wrong?.why], ['violated', 'it answers {ret: 0, err: null, cpages: 0, faults: 0, values: [5, 9, 7]}'])
  // A device that reads tells its pages one by one, too.
  const device = build(({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const buf = cpu.mmap({ pages: 2 })
    cpu.write(buf, 5)
    const read = gpu.read(buf)
    m.race(read, cpu.write(slice(buf, 1), 9))
    expect.answers(read, ({ values }) => values.length === 2 && values[0] === 5)
  })
  assert.is(explored(device).verdict, 'holds')
})

test('a token of what was found is run by the API: the same verdict, at the same step', () => {
  const built = seed.build('v5.2')
  const model = modelOf(built)
  const names = model.system.actors.map(a => a.name)
  const shown = explored(built).found.find(f => f.kind === 'sometimes')
  const trail = shown?.trail ?? []
  const token = tokenOf(names, trail)
  assert.equal(choicesOf(names, token), trail)
  const once = explore(model, { trail: choicesOf(names, token) })
  assert.equal([once.cut, once.found.find(f => f.kind === 'sometimes')?.why], ['one order', shown?.why])
  const report = runScenario(built, { token })
  const [verdict] = report.verdicts
  assert.equal([report.verdict, verdict?.step, verdict?.why], ['holds', trail.length, shown?.why])
  assert.is(report.ended.why, 'at rest', 'it goes on to the end')
  // A scenario may have an order of its own; without it, this one holds in the order that is written down.
  const plain = munmap.build('v6.12')
  assert.throws(() => runScenario(plain, { token }), /made for a system with other actors/)
  assert.throws(() => runScenario(built, { token: token.replace(/-[^-]+$/, '-6b99') }), /cannot do what the trail says/)
})

test('stages come one after the other: without a race there is one order', () => {
  const found = explored(
    build(({ linux }) => {
      const m = linux()
      const [a, gpu] = [m.thread('a'), m.device()]
      const buf = a.mmap({ pages: 3 })
      a.write(buf, 1)
      gpu.fault(buf)
      a.munmap(buf)
    }),
  )
  assert.is(found.searched.transitions, found.searched.states - 1)
})

/** Each device faults a page once; each thread drops it, so often. */
const dropping = (devices: number, threads: number, times: number): Built =>
  build(({ linux, expect }) => {
    const m = linux()
    const cpus = Array.from({ length: threads }, (_, i) => m.thread(`cpu${i}`))
    const gpus = Array.from({ length: devices }, (_, i) => m.device(`gpu${i}`))
    const buf = cpus[0]?.mmap({ pages: 1 })
    if (buf === undefined) return
    cpus[0]?.write(buf, 42)
    m.race(...gpus.map(gpu => gpu.fault(buf)), ...cpus.flatMap(cpu => Array.from({ length: times }, () => cpu.madvise(buf, 'dontneed'))))
    expect.always('no stale device mapping', noStaleDeviceMapping)
  })

test('a device fault that is never answered is told as a lasso; where it is expected, it is none', () => {
  const story = (expected: boolean): Built =>
    build(({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device()]
      const huge = cpu.mmap({ pages: 512, at: 512 })
      cpu.madvise(huge, 'huge')
      cpu.write(huge, 7)
      cpu.mprotect(huge, '-')
      const fault = gpu.fault(huge)
      if (expected) expect.returns(fault, 'livelock')
    }, 'v4.14')
  const of = ({ found }: Exploration): Exploration['found'][number] | undefined =>
    found.find(f => f.property === 'every device fault is answered')
  const endless = of(explored(story(false)))
  assert.is(endless?.verdict, 'violated')
  assert.ok((endless?.circle ?? 0) > 1 && endless?.trail?.at(-1)?.by === 'gpu0.range')
  assert.is(of(explored(story(true))), undefined)
  assert.is(of(explored(seed.build('v5.2')))?.verdict, 'holds')
})

test('what must become so in every order of events', () => {
  const built = build(({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const buf = cpu.mmap({ pages: 1 })
    m.race(gpu.fault(buf), cpu.write(buf, 1), cpu.madvise(buf, 'dontneed'))
    expect.eventually('the device has it', view => view.maps('gpu0', buf))
    expect.eventually('it has 1 in it', view => view.content(buf.start) === 1)
    expect.eventually('it has 2 in it', view => view.content(buf.start) === 2)
  })
  const { found, verdict } = explored(built)
  assert.equal(
    found.filter(f => f.kind === 'eventually').map(f => [f.property, f.verdict, f.why]),
    [
      ['every device fault is answered', 'holds', undefined],
      ['the device has it', 'holds', undefined],
      ['it has 1 in it', 'holds', undefined],
      ['it has 2 in it', 'violated', 'all comes to an end without it'],
    ],
  )
  assert.is(verdict, 'violated')
  assert.throws(() => explored(built, 'dpor'), /cannot be told here/)
  const run = runScenario(built)
  assert.equal(
    run.verdicts.map(v => v.holds),
    [true, true, false],
  )
})

test('two devices, two threads, two operations each: explored to the end, and circles looked for', () => {
  const found = explored(dropping(2, 2, 2))
  assert.equal([found.verdict, found.complete], ['holds', true])
  assert.ok(found.searched.states > 2_000_000)
  assert.ok((found.searched.bytes ?? Infinity) / found.searched.states < 64)
  assert.ok(found.decided.rules < 2000, 'nearly all is a look-up')
})

test('steps of the kernel that touch nothing of each other lead to one world, whichever comes first', () => {
  let pairs = 0
  for (const built of [seed.build('v5.2'), munmap.build('v6.12'), writing()]) {
    const space = new Space(modelOf(built))
    const footprints = new Footprints(space)
    const seen = new Set([space.start.join()])
    const queue = [space.start]
    for (const row of queue) {
      const n = space.expand(row)
      const steps = space.steps.slice(0, n)
      for (let k = 0; k < n && queue.length < 2000; k++) {
        const next = space.nexts.slice(k * space.width, (k + 1) * space.width)
        if (seen.has(next.join())) continue
        seen.add(next.join())
        queue.push(next)
      }
      for (const [i, a] of steps.entries()) {
        for (const b of steps.slice(i + 1)) {
          if (!footprints.independent(a, b)) continue
          pairs++
          const [one, other] = [row.slice(), row.slice()]
          for (const step of [a, b]) assert.ok(isStep(space.take(one, 0, step.source.by, step.source.at)))
          for (const step of [b, a]) assert.ok(isStep(space.take(other, 0, step.source.by, step.source.at)))
          assert.equal(one, other, `${a.source.offer.do} and ${b.source.offer.do}`)
        }
      }
    }
  }
  assert.ok(pairs > 500, String(pairs))
})

const isStep = (outcome: object | undefined): boolean => outcome !== undefined && 'own' in outcome

/** Threads that write to pages and drop them, each its own or all the same. */
const writing = (): Built =>
  build(({ linux }) => {
    const m = linux()
    const [a, b] = [m.thread('a'), m.thread('b')]
    const buf = a.mmap({ pages: 4 })
    a.write(slice(buf, 0), 1)
    m.race(
      a.write(buf, 10),
      b.write(slice(buf, 2, 2), 20),
      a.madvise(slice(buf, 0, 2), 'dontneed'),
      b.mprotect(slice(buf, 3), 'r'),
      b.read(slice(buf, 1, 2)),
    )
  })

test('threads that have the same to do are alike: fewer worlds, and the same verdicts', () => {
  const built = build(({ linux, expect }) => {
    const m = linux()
    const [first, ...others] = [m.thread(), m.thread(), m.thread(), m.thread()]
    if (first === undefined) return
    const buf = first.mmap({ pages: 1 })
    first.write(buf, 1)
    m.race(m.device().fault(buf), ...others.map(cpu => cpu.madvise(buf, 'dontneed')))
    expect.always('no stale device mapping', noStaleDeviceMapping)
    expect.sometimes('the device has it', view => view.maps('gpu0', buf))
    expect.finally('the device has something', view => view.maps('gpu0', buf))
  })
  const [all, alike] = [explored(built), explored(built, 'symmetry')]
  const verdicts = ({ found }: Exploration): readonly unknown[] => found.filter(f => !goesOn(f)).map(f => [f.property, f.verdict])
  assert.equal(verdicts(alike), verdicts(all))
  assert.ok(alike.searched.states * 4 < all.searched.states, `${alike.searched.states} of ${all.searched.states}`)
  for (const { trail } of alike.found) retrace(modelOf(built).system, trail ?? [])
})

test('what has many orders is counted, not gone through', () => {
  const { counted } = explore(modelOf(dropping(1, 2, 1)), { count: true })
  assert.ok((counted?.interleavings ?? 0n) > 10n ** 9n)
  assert.ok((counted?.classes ?? 0n) < (counted?.interleavings ?? 0n))
})

test.run()
