/** The abstract mirror, explored in every way: exact counts, and one verdict. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explore, REDUCTIONS, SCHEDULERS, step, type Choice, type Exploration } from 'mirrorwalk/explore'
import { initialWorld } from '../../src/system/world.ts'
import { abstractMirror } from '../bench/abstract-mirror.ts'

/** Everything that an exploration tells, but for the worlds themselves. */
const told = ({ searched, ...rest }: Exploration): string => {
  const { rows: _, ...numbers } = searched
  return JSON.stringify({ ...rest, numbers }, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

const COUNTS = [
  [1, 1, 1, 43, 28n, 4n],
  [1, 2, 1, 304, 8610n, 136n],
  [2, 1, 1, 517, 7_973_704n, 50n],
  [2, 2, 1, 6704, 469_106_462_896n, 12_568n],
] as const

for (const [gpus, cpus, ops, states, interleavings, classes] of COUNTS) {
  test(`${gpus} GPUs, ${cpus} CPUs, ${ops} operations: ${states} states, ${interleavings} interleavings, ${classes} classes`, () => {
    const found = explore(abstractMirror(gpus, cpus, ops), { count: true })
    assert.equal([found.verdict, found.searched.states, found.complete], ['holds', states, true])
    assert.equal(found.counted, { interleavings, classes })
    // Without a property to look, a run for each class is enough, and none is begun in vain.
    const { searched } = explore({ ...abstractMirror(gpus, cpus, ops), properties: [] }, { reduction: 'dpor' })
    assert.equal([searched.runs, searched.blocked], [Number(classes), 0])
  })
}

test('2 GPUs, 2 CPUs, 2 operations: 147,896 states in 41,850 orbits; 2,146 of them with one operation', () => {
  assert.is(explore(abstractMirror(2, 2, 2)).searched.states, 147_896)
  assert.is(explore(abstractMirror(2, 2, 2), { reduction: 'symmetry' }).searched.states, 41_850)
  assert.is(explore(abstractMirror(2, 2, 1), { reduction: 'symmetry' }).searched.states, 2146)
})

test('sleep sets take 509,263 steps, and give up 81,514 runs', () => {
  const { searched } = explore(abstractMirror(2, 2, 1), { reduction: 'sleep' })
  assert.equal([searched.states, searched.transitions, searched.runs, searched.blocked], [6704, 509_263, 12_568, 81_514])
})

test('every reduction and strategy has the same verdict, twice the same', () => {
  const plans = [{ strategy: 'dfs' } as const, ...REDUCTIONS.map(reduction => ({ reduction }))]
  for (const plan of plans) {
    for (const bug of ['no retry', undefined] as const) {
      const found = explore(abstractMirror(2, 1, 1, bug), plan)
      assert.is(found.verdict, bug === undefined ? 'holds' : 'violated', JSON.stringify(plan))
      assert.is(told(explore(abstractMirror(2, 1, 1, bug), plan)), told(found), JSON.stringify(plan))
    }
  }
})

/** Goes a trail on the system itself, and judges where it leads. */
function judged(gpus: number, cpus: number, trail: readonly Choice[]): string | undefined {
  const { system, properties } = abstractMirror(gpus, cpus, 1, 'no retry')
  let world = initialWorld(system)
  for (const choice of trail) {
    const next = step(system, world, choice)
    if (next.kind !== 'stepped') throw new Error(`${choice.by} cannot act`)
    world = next.world
  }
  const [property] = properties
  return property?.kind === 'always' ? property.wrong(world) : undefined
}

test('without the check, the shortest way to a stale mapping has 8 steps, or 9 with more about', () => {
  for (const [gpus, cpus, steps] of [
    [1, 1, 8],
    [2, 2, 9],
  ] as const) {
    for (const reduction of REDUCTIONS.filter(r => r !== 'symmetry' || gpus > 1)) {
      const [found] = explore(abstractMirror(gpus, cpus, 1, 'no retry'), { reduction }).found
      assert.is(found?.verdict, 'violated')
      if (reduction === 'none' || reduction === 'symmetry') assert.is(found?.trail?.length, steps, reduction)
      assert.is(judged(gpus, cpus, found?.trail ?? []), found?.why, reduction)
    }
  }
})

test('a search that is cut short does not know, and says what is left', () => {
  const cut = explore(abstractMirror(2, 2, 2), { maxStates: 1000 })
  assert.equal([cut.verdict, cut.cut, cut.complete], ['unknown', 'max states', false])
  assert.ok(cut.searched.frontier > 100)
  assert.equal(
    cut.found.map(f => f.verdict),
    ['unknown', 'unknown'],
  )
  const room = 2 ** 20
  const narrow = explore(abstractMirror(2, 2, 2), { maxBytes: room })
  assert.equal([narrow.verdict, narrow.cut], ['unknown', 'max memory'])
  assert.ok(narrow.searched.frontier > 100 && (narrow.searched.bytes ?? room) < room, 'what is kept stays below the limit')
  for (const plan of [{}, { strategy: 'dfs' } as const, { reduction: 'dpor' } as const, { reduction: 'cache' } as const]) {
    const shallow = explore(abstractMirror(1, 1, 1), { ...plan, maxDepth: 7 })
    assert.equal([shallow.verdict, shallow.cut], ['unknown', 'max depth'], JSON.stringify(plan))
    assert.is(explore(abstractMirror(1, 1, 1, 'no retry'), { ...plan, maxDepth: 13 }).verdict, 'violated')
  }
})

test('every way to draw runs finds the bug, the same for the same seed, and never says that there is none', () => {
  for (const scheduler of SCHEDULERS) {
    const drawn = (seed: number): Exploration => explore(abstractMirror(2, 2, 1, 'no retry'), { simulate: { scheduler, seed, runs: 500 } })
    assert.is(drawn(1).verdict, 'violated', scheduler)
    assert.is(judged(2, 2, drawn(1).found[0]?.trail ?? []), drawn(1).found[0]?.why)
    assert.is(told(drawn(1)), told(drawn(1)))
    assert.is.not(told(drawn(1)), told(drawn(2)))
    const sound = explore(abstractMirror(2, 2, 1), { simulate: { scheduler, runs: 50 } })
    assert.equal([sound.verdict, sound.cut, sound.searched.runs], ['unknown', 'sampled', 50])
  }
})

test('about 22 in 100 runs of a scheduler that prefers nobody fail', () => {
  let failed = 0
  for (let seed = 1; seed <= 1000; seed++) {
    if (explore(abstractMirror(2, 2, 1, 'no retry'), { simulate: { seed, runs: 1 } }).verdict === 'violated') failed++
  }
  assert.ok(Math.abs(failed / 1000 - 0.2197) < 0.04, String(failed))
})

test.run()
