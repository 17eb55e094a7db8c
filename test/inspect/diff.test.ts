/** Comparing states and runs, and finding the step at which a condition turns. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scenario } from '../../src/index.ts'
import unchecked from '../../scenarios/races/commits-unchecked.ts'
import tlb from '../../scenarios/races/device-tlb-not-flushed.ts'
import dma from '../../scenarios/races/dma-in-flight.ts'
import stale from '../../scenarios/seeds/004-stale-valid.ts'
import {
  Bisection,
  byCondition,
  byOracles,
  compareRuns,
  conditionOf,
  Retracing,
  stateDifferences,
  type RunsDifference,
  type Story,
} from '../../src/inspect.ts'
import { isStep } from '../../src/log/reader.ts'
import { linuxSystem } from '../../src/scenario/standard.ts'
import { told } from './story.ts'

const violated = told(stale, 'v5.2').story
const runOf = ({ steps }: Story): { readonly steps: readonly Story['steps'][number]['record'][] } => ({ steps: steps.map(s => s.record) })
const compared = (a: Story, b: Story): RunsDifference => compareRuns(a.system, runOf(a), runOf(b), { judge: () => byOracles(a.system) })

test('a run is the same as itself', () => {
  const { same, moved, common, pair } = compared(violated, violated)
  assert.equal([same, moved, common, pair], [true, 0, 33, null])
})

/** Two threads, each with memory of its own: what they do is independent once it is mapped. */
const apart = scenario('apart', ({ linux }) => {
  const m = linux()
  const [a, b] = [m.thread(), m.thread()]
  const [x, y] = [a.mmap({ pages: 2 }), b.mmap({ pages: 2 })]
  a.write(x, 1)
  b.write(y, 7)
  m.race(a.read(x), b.write(y, 9))
})

test('orders of independent steps are no difference', () => {
  const stories = Array.from({ length: 12 }, (_, seed) => told(apart, 'v6.12', seed).story)
  const [first] = stories as [Story]
  const orders = new Set(stories.map(s => s.steps.map(step => step.by).join(' ')))
  assert.ok(orders.size > 1, 'all runs have one order')
  for (const story of stories) assert.is(compared(first, story).same, true)
  assert.ok(stories.some(story => compared(first, story).moved > 0))
})

test('orders of steps that conflict are, and are named', () => {
  const conflict = scenario('conflict', ({ linux }) => {
    const m = linux()
    const [a, b] = [m.thread(), m.thread()]
    const x = a.mmap({ pages: 1 })
    a.write(x, 1)
    m.race(a.write(x, 2), b.write(x, 3))
  })
  const stories = Array.from({ length: 12 }, (_, seed) => told(conflict, 'v6.12', seed).story)
  const last = (s: Story): unknown => s.steps.findLast(step => step.do === 'store')?.by
  const one = stories.find(s => last(s) === 'cpu0')
  const other = stories.find(s => last(s) === 'cpu1')
  if (one === undefined || other === undefined) throw new Error('one order is missing')
  const { same, pair, divergences, reversed } = compared(one, other)
  assert.equal([same, divergences.length, reversed], [false, 0, 1])
  assert.equal([pair?.first.by, pair?.second.by, pair?.on], ['cpu1', 'cpu0', 'frames'])
  assert.ok((pair?.first.a ?? 0) < (pair?.second.a ?? 0) && (pair?.first.b ?? 0) > (pair?.second.b ?? 0))
})

for (const [name, race, profile, violates] of [
  ['seed 004', stale, 'v5.2', 'noStaleDeviceMapping'],
  ['a driver that does not check', unchecked, 'v6.12,+commitsUnchecked', 'noStaleDeviceMapping'],
  ['a TLB that is not flushed', tlb, 'v6.12,+noDeviceTlbFlush', 'noStaleDeviceAccess'],
  ['a callback that does not wait', dma, 'v6.12,+doesNotWaitForDma', 'noStaleDeviceAccess'],
] as const) {
  test(`the answer names the pair whose order flips the verdict: ${name}`, () => {
    const { story: as } = told(race, profile)
    let flipped = 0
    for (let seed = 1; seed <= 10; seed++) {
      const { story } = told(race, profile, seed)
      for (const [a, b] of [
        [as, story],
        [story, as],
      ] as const) {
        const { same, verdicts, pair } = compared(a, b)
        if (same || verdicts?.[0].holds === verdicts?.[1].holds) continue
        assert.ok(verdicts?.some(({ text }) => text.startsWith(`${violates} is violated`)))
        assert.is(pair?.flips, true, `seed ${seed}`)
        // It is an order between the device and the CPU, and it is the other one in the other run.
        assert.equal(new Set([pair?.first.by, pair?.second.by]), new Set(['cpu0', 'gpu0.range']))
        assert.ok((pair?.first.a ?? 0) < (pair?.second.a ?? 0))
        flipped++
      }
    }
    assert.ok(flipped >= 8, `${flipped}`)
  })
}

test('runs are judged by any condition', () => {
  const other = told(stale, 'v5.2', 1).story
  const text = 'gpu0.table.16 > 0'
  const condition = conditionOf(violated.system, text)
  const { verdicts, pair } = compareRuns(violated.system, runOf(violated), runOf(other), { judge: () => byCondition(condition) })
  assert.equal(
    verdicts?.map(v => v.text),
    [`${text} holds at some step`, `${text} never holds`],
  )
  assert.is(pair?.flips, true)
})

test('runs that are cut off differ from where the other goes on', () => {
  const cut = { ...violated, steps: violated.steps.slice(0, 20) }
  const { same, common, divergences } = compared(cut, violated)
  assert.equal([same, common, divergences.length > 0, divergences.every(d => d.a === undefined)], [false, 20, true, true])
})

test('two runs of 100,000 steps are compared in time', () => {
  const long = scenario('long', ({ linux }) => {
    const m = linux()
    const threads = [m.thread(), m.thread()].map(thread => ({ thread, buffer: thread.mmap({ pages: 8 }) }))
    const statements = Array.from({ length: 1500 }, (_, i) =>
      threads.flatMap(({ thread, buffer }) => [thread.write(buffer, i), thread.madvise(buffer, 'dontneed')]),
    )
    m.race(...statements)
  })
  const records = (seed: number): ReturnType<typeof runOf> => ({
    steps: told(long, 'v6.12', seed, undefined, false).log.records.filter(isStep),
  })
  const [a, b] = [records(1), records(2)]
  const long100 = { system: linuxSystem(long.build('v6.12').system) }
  assert.ok(a.steps.length + b.steps.length >= 200_000, `${a.steps.length} and ${b.steps.length} steps`)
  const began = process.cpuUsage()
  for (const [x, y] of [
    [a, b],
    [a, a],
  ] as const)
    compareRuns(long100.system, x, y)
  const { user, system } = process.cpuUsage(began)
  assert.ok(user + system < 4_000_000, `${(user + system) / 1000} ms`)
})

test('states: nothing, and everything that differs, by its path', () => {
  const at = (n: number): { readonly system: Story['system']; readonly world: Story['first'] } => ({
    system: violated.system,
    world: violated.steps[n - 1]?.world ?? violated.first,
  })
  assert.equal([...stateDifferences(at(20), at(20))], [])
  const found = new Map([...stateDifferences(at(23), at(24))].map(d => [d.path, [d.a, d.b]]))
  assert.equal(found.get('mm0.pte.16'), ['#2 WDA', 'none'])
  assert.equal(found.get('frames.refs.2'), [1, 0])
  assert.equal(
    [...found.keys()].filter(path => path.startsWith('gpu0')),
    [],
  )
  // Back and forth are the same paths.
  const back = [...stateDifferences(at(24), at(23))].map(d => d.path)
  assert.equal(back.toSorted(), [...found.keys()].toSorted())
})

function turns(text: string): readonly (readonly [number, boolean])[] {
  const retracing = new Retracing(violated.system)
  const bisection = new Bisection(conditionOf(violated.system, text), retracing.world)
  for (const { record } of violated.steps) bisection.see(retracing.see(record))
  return bisection.turns.map(t => [t.step.n, t.holds])
}

test('bisect: an oracle, and conditions on any part of the world', () => {
  assert.equal(turns('noStaleDeviceMapping'), [[30, true]])
  // What steps do can be looked for as well.
  assert.equal(turns('do commit'), [
    [30, true],
    [31, false],
  ])
  assert.equal(turns('16 = none'), [
    [9, false],
    [24, true],
  ])
  assert.equal(turns('mm0:16 != none'), [
    [9, true],
    [24, false],
  ])
  assert.equal(turns('gpu0.table.16 > 0'), [[30, true]])
  assert.equal(turns('frame.2.refs >= 1 and not (16 = none)'), [
    [9, true],
    [24, false],
  ])
  assert.equal(turns('gpu0.range.state = driver_lock')[0]?.[1], true)
  assert.equal(
    turns('mm0.registry.active_invalidate_ranges > 0').map(t => t[1]),
    [true, false],
  )
  assert.equal(turns('frames.refs.2 > 1000000 or mm9:3 = none'), [])
})

test.run()
