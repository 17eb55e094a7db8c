/** The simplest way to what was found: against every order gone one by one, the same from wherever one begins, and never one that cannot be gone. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explore, simplest, step, type Choice, type Model, type Property } from 'mirrorwalk/explore'
import { initialWorld, type World } from '../../src/system/world.ts'
import { abstractMirror } from '../bench/abstract-mirror.ts'
import { countOf, workers, type Op } from './toys.ts'

const changesIn = (trail: readonly Choice[]): number => trail.filter((c, i) => i > 0 && c.by !== trail[i - 1]?.by).length
const verdictAlong = (model: Model<null, never>, trail: readonly Choice[]): string | undefined =>
  explore(model, { trail }).found.find(f => f.trail?.length === trail.length)?.why

/** The least steps, and of those the least changes of actor, to what is wrong, by going every order. */
function byHand(model: Model<null, never>, wrong: (world: World<null>) => boolean): readonly [steps: number, changes: number] {
  let best: readonly [number, number] = [Infinity, Infinity]
  const go = (world: World<null>, trail: readonly Choice[]): void => {
    if (wrong(world)) {
      const here = [trail.length, changesIn(trail)] as const
      if (here[0] < best[0] || (here[0] === best[0] && here[1] < best[1])) best = here
      return
    }
    if (trail.length === best[0]) return
    for (const { name } of model.system.actors) {
      for (const offer of [0, 1]) {
        const choice = { by: name, offer, budget: 1 }
        const taken = step(model.system, world, choice)
        if (taken.kind === 'stepped') go(taken.world, [...trail, choice])
      }
    }
  }
  go(initialWorld(model.system), [])
  return best
}

const op: fc.Arbitrary<Op> = fc.tuple(fc.constantFrom('add', 'set', 'read', 'take', 'give'), fc.constantFrom(0, 1))
const program = fc.array(fc.oneof(op, fc.array(op, { minLength: 1, maxLength: 2 })), { minLength: 1, maxLength: 4 })

test('no order has fewer steps, or as many and fewer changes of actor; wherever one begins, it is the same', () => {
  let shorter = 0
  fc.assert(
    fc.property(fc.array(program, { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 2 }), (programs, bad) => {
      const wrong = (world: World<null>): boolean => countOf(world, 0) === bad && countOf(world, 1) === 2
      const property: Property<null> = { kind: 'always', name: 'bad', wrong: world => (wrong(world) ? 'bad' : undefined) }
      const model = workers(programs, [property])
      const all = [{}, { strategy: 'dfs' as const }, ...[1, 2, 3].map(seed => ({ simulate: { seed, runs: 100 } }))]
        .map(plan => explore(model, plan).found[0]?.trail)
        .filter(trail => trail !== undefined)
      if (all.length === 0) return
      const found = all.map(trail => simplest(model, property, trail))
      const [first] = found
      assert.ok(first !== undefined)
      assert.ok(first.fewest)
      assert.equal([first.trail.length, changesIn(first.trail)], byHand(model, wrong))
      for (const other of found) assert.equal(other, first)
      shorter += all.filter(trail => trail.length > first.trail.length).length
      assert.is(verdictAlong(model, first.trail), 'bad')
    }),
    { numRuns: 40, seed: 7 },
  )
  assert.ok(shorter > 5, String(shorter))
})

test('of runs drawn at random and of what was found depth first, the 8 or 9 steps that matter remain', () => {
  for (const [size, steps] of [
    [1, 8],
    [2, 9],
  ] as const) {
    const model = abstractMirror(size, size, 1, 'no retry')
    const property = model.properties[0] as Property<null>
    for (const plan of [{ strategy: 'dfs' } as const, { reduction: 'dpor' } as const, { simulate: { seed: 3 } }]) {
      const trail = explore(model, plan).found[0]?.trail ?? []
      const { trail: simple, fewest } = simplest(model, property, trail)
      assert.equal([simple.length, fewest], [steps, true], JSON.stringify(plan))
      assert.is(verdictAlong(model, simple), explore(model, { trail: simple }).found[0]?.why)
    }
  }
})

test('where there are too many worlds it is made shorter by trial: it still goes there, and the same twice', () => {
  const model = abstractMirror(2, 2, 2, 'no retry')
  const property = model.properties[0] as Property<null>
  let [before, after] = [0, 0]
  for (let seed = 1; seed <= 20; seed++) {
    const trail = explore(model, { simulate: { seed } }).found[0]?.trail ?? []
    const { trail: simple, fewest } = simplest(model, property, trail, 50)
    assert.not.ok(fewest)
    assert.type(verdictAlong(model, simple), 'string')
    assert.equal(simplest(model, property, trail, 50).trail, simple)
    assert.ok(simple.length <= trail.length)
    before += trail.length
    after += simple.length
  }
  assert.ok(after < before * 0.75, `${after} of ${before}`)
})

test('steps, deadlocks and ends that are wrong have simplest ways, too; circles stay as they are', () => {
  const both = (first: number, second: number): readonly Op[] => [
    ['set', first],
    ['take', first],
    ['take', second],
    ['give', second],
    ['give', first],
  ]
  for (const [property, steps, changes] of [
    [{ kind: 'deadlock', name: 'none' }, 4, 1],
    [{ kind: 'finally', name: 'ends', holds: () => false }, 10, 1],
    [{ kind: 'step', name: 'gives', wrong: ({ do: what }) => (what === 'give' ? 'given' : undefined) }, 4, 0],
    [{ kind: 'eventually', name: 'never', holds: () => false }, undefined, undefined],
  ] as readonly (readonly [Property<null>, number | undefined, number | undefined])[]) {
    const model = workers([both(0, 1), both(1, 0)], [property])
    const trail = explore(model, steps === undefined ? {} : { strategy: 'dfs' }).found[0]?.trail ?? []
    const simple = simplest(model, property, trail)
    if (steps === undefined) assert.equal(simple, { trail, fewest: false })
    else assert.equal([simple.trail.length, changesIn(simple.trail), simple.fewest], [steps, changes, true], property.kind)
  }
})

test('who begins is who makes for the fewest changes of actor, and not who comes first', () => {
  const property: Property<null> = { kind: 'finally', name: 'ends', holds: () => false }
  const waits = [
    ['set', 0],
    ['give', 1],
  ] as const
  const leads = [
    ['take', 1],
    ['set', 1],
  ] as const
  const model = workers([waits, leads], [property])
  const { trail } = simplest(model, property, explore(model).found[0]?.trail ?? [])
  assert.equal(
    trail.map(c => c.by),
    ['worker1', 'worker1', 'worker0', 'worker0'],
  )
})

test.run()
