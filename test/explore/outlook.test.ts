/** The point of no return: exact chances against figures known from elsewhere, against every run gone one by one, and in circles. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { assign, setup } from 'xstate'
import {
  actor,
  compiled,
  explore,
  kind,
  outlook,
  step,
  system,
  type Chance,
  type Does,
  type Model,
  type Property,
} from 'mirrorwalk/explore'
import { initialWorld, type World } from '../../src/system/world.ts'
import { abstractMirror } from '../bench/abstract-mirror.ts'
import { contextOf, countOf, workers, type Op } from './toys.ts'

const text = (chance: Chance | undefined): string =>
  chance === undefined ? 'unknown' : typeof chance === 'number' ? `about ${chance}` : `${chance.of}/${chance.in}`
const percent = (chance: Chance | undefined): string =>
  typeof chance === 'object' ? ((Number(chance.of) / Number(chance.in)) * 100).toFixed(2) : text(chance)

for (const [bug, size, chance, shortest] of [
  ['no retry', [1, 1, 1], '18.75', 8],
  ['no retry', [2, 2, 1], '21.97', 9],
  ['valid flag', [1, 1, 1], '9.38', 8],
  ['valid flag', [2, 2, 1], '6.99', 9],
] as const) {
  test(`${bug} (${size.join()}): ${chance} % of the runs of a scheduler that prefers nobody fail`, () => {
    const model = abstractMirror(size[0], size[1], size[2], bug)
    const [property] = model.properties
    const trail = explore(model).found[0]?.trail ?? []
    assert.is(trail.length, shortest)
    const { prospects, closed } = outlook(model, property as Property<null>, trail)
    assert.is(percent(prospects[0]?.chance), chance)
    assert.is(prospects.length, shortest + 1)
    const doomed = prospects.findIndex(p => p?.label === 'doomed')
    assert.is(closed, doomed)
    assert.ok(prospects.slice(doomed).every(p => text(p?.chance) === '1/1'))
  })
}

test('each step is labelled, and the one that closed the last way out is named, with what could have been done instead', () => {
  const model = abstractMirror(1, 1, 1, 'valid flag')
  const trail = explore(model).found[0]?.trail ?? []
  const { prospects, closed, instead } = outlook(model, model.properties[0] as Property<null>, trail)
  assert.equal(
    prospects.map(p => `${p?.label} ${text(p?.chance)}`),
    [
      'avoidable 3/32',
      'undecided 3/16',
      'avoidable 1/8',
      'avoidable 1/4',
      'undecided 1/2',
      'avoidable 1/4',
      'avoidable 1/2',
      'doomed 1/1',
      'doomed 1/1',
    ],
  )
  assert.is(closed, 7)
  assert.equal(
    instead.map(i => [i.choice.by, i.do, text(i.chance)]),
    [['gpu0.range', 'checked', '0/1']],
  )
})

/** The chance of failing, by going every run. */
function byHand(model: Model<null, never>, wrong: (world: World<null>) => boolean, world: World<null>): number {
  if (wrong(world)) return 1
  const next = model.system.actors.flatMap(({ name }) =>
    [0, 1, 2].flatMap(offer => {
      const taken = step(model.system, world, { by: name, offer, budget: 1 })
      return taken.kind === 'stepped' ? [taken.world] : []
    }),
  )
  return next.length === 0 ? 0 : next.reduce((sum, w) => sum + byHand(model, wrong, w), 0) / next.length
}

const op: fc.Arbitrary<Op> = fc.tuple(fc.constantFrom('add', 'set', 'read', 'take', 'give'), fc.constantFrom(0, 1))
const program = fc.array(fc.oneof(op, fc.array(op, { minLength: 1, maxLength: 2 })), { minLength: 1, maxLength: 3 })

test('chances are those of all runs, gone one by one', () => {
  let known = 0
  fc.assert(
    fc.property(fc.array(program, { minLength: 1, maxLength: 3 }), fc.constantFrom(0, 1, 2), (programs, bad) => {
      const wrong = (world: World<null>): boolean => countOf(world, 0) === bad && countOf(world, 1) === 1
      const property: Property<null> = { kind: 'always', name: 'bad', wrong: world => (wrong(world) ? 'bad' : undefined) }
      const model = workers(programs, [property])
      const trail = explore(model).found[0]?.trail
      if (trail === undefined) return
      known++
      const { prospects } = outlook(model, property, trail)
      const [first] = prospects
      assert.ok(typeof first?.chance === 'object')
      const { of, in: into } = first.chance
      assert.ok(Math.abs(Number(of) / Number(into) - byHand(model, wrong, initialWorld(model.system))) < 1e-12)
    }),
    { numRuns: 150, seed: 1 },
  )
  assert.ok(known > 20, String(known))
})

test('what lies too far ahead is not told, and what is told of the rest stays the same', () => {
  const model = abstractMirror(2, 2, 1, 'no retry')
  const property = model.properties[0] as Property<null>
  const trail = explore(model).found[0]?.trail ?? []
  const [all, few] = [outlook(model, property, trail), outlook(model, property, trail, 500)]
  assert.ok(few.states <= 500)
  const known = few.prospects.findIndex(p => p !== undefined)
  assert.ok(known > 0 && known < trail.length)
  assert.equal(few.prospects.slice(known), all.prospects.slice(known))
  assert.is(few.closed, all.closed)
})

test('deadlocks, ends and steps have chances, too', () => {
  const both = (first: number, second: number): readonly Op[] => [
    ['take', first],
    ['take', second],
    ['give', second],
    ['give', first],
  ]
  const chanceOf = (programs: Parameters<typeof workers>[0], property: Property<null>): string => {
    const model = workers(programs, [property])
    const { prospects } = outlook(model, property, explore(model).found[0]?.trail ?? [])
    return text(prospects[0]?.chance)
  }
  assert.is(chanceOf([both(0, 1), both(1, 0)], { kind: 'deadlock', name: 'none' }), '1/2')
  assert.is(chanceOf([[['add', 0]], [['set', 0]]], { kind: 'finally', name: 'one', holds: world => countOf(world, 0) === 1 }), '1/2')
  assert.is(
    chanceOf([[['set', 0]], [['read', 0]]], {
      kind: 'step',
      name: 'no',
      wrong: ({ event }) => ('got' in event && event.got === 1 ? 'one' : undefined),
    }),
    '1/2',
  )
  assert.is(chanceOf([[['add', 0]], [['set', 0]]], { kind: 'eventually', name: 'two', holds: world => countOf(world, 0) === 2 }), '1/2')
})

/** Somebody who goes a step up or down, as it is chosen, and stays at either end; at `fails` he has lost. */
function wanderer(start: number, fails: number): Model<null, never> {
  const machine = setup({
    types: { context: {} as { at: number }, events: {} as { type: 'went'; by: number }, meta: {} as { does: string } },
    actions: { go: assign(({ context, event }) => ({ at: context.at + event.by })) },
  }).createMachine({
    context: { at: start },
    initial: 'there',
    states: { there: { meta: { does: 'go' }, on: { went: { actions: 'go' } } } },
  })
  const go: Does<null, never, { readonly at: number }> = (_, { at }) =>
    at === 0 || at === fails ? [] : [1, -1].map(by => ({ do: 'go', calls: [], facts: [], event: () => ({ type: 'went', by }) }))
  return {
    system: system<null, never>({
      memory: null,
      fold: memory => memory,
      take: compiled,
      actors: [actor('wanderer', kind<null, never, typeof machine>(machine, { go }), {})],
    }),
    properties: [{ kind: 'always', name: 'not there', wrong: world => (atOf(world) === fails ? 'there' : undefined) }],
  }
}
const atOf = (world: World<null>): number => contextOf<{ at: number }>(world, 0).at

test('ways that lead back are equations: solved exactly in small circles, and step by step in large ones', () => {
  for (const [start, fails, exact] of [
    [3, 10, true],
    [20, 50, false],
  ] as const) {
    const model = wanderer(start, fails)
    const trail = explore(model).found[0]?.trail ?? []
    assert.is(trail.length, fails - start)
    const [first, second] = outlook(model, model.properties[0] as Property<null>, trail).prospects
    if (exact) assert.equal([text(first?.chance), text(second?.chance)], ['3/10', '2/5'])
    else assert.ok(typeof first?.chance === 'number' && Math.abs(first.chance - start / fails) < 1e-9)
    assert.is(first?.label, 'undecided')
  }
})

test.run()
