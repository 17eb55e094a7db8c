/** Reductions on systems drawn at random: they leave out what tells nothing new, and nothing else. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { assign, setup } from 'xstate'
import {
  actor,
  compiled,
  explore,
  kind,
  REDUCTIONS,
  system,
  Unsound,
  type Model,
  type Offer,
  type Property,
  type World,
} from 'mirrorwalk/explore'
import { classes } from '../../src/explore/answers/classes.ts'
import { interleavings } from '../../src/explore/answers/count.ts'
import { breadthFirst } from '../../src/explore/strategies/breadth-first.ts'
import { Footprints } from '../../src/explore/worlds/footprint.ts'
import { Judge } from '../../src/explore/properties/judge.ts'
import { Space } from '../../src/explore/worlds/space.ts'
import { contextOf, countOf, workers, type Op, type Program } from './toys.ts'

const op = fc.tuple(fc.constantFrom('add', 'set', 'read', 'take', 'give'), fc.nat(1)) as fc.Arbitrary<Op>
const program: fc.Arbitrary<Program> = fc.array(
  fc.oneof({ weight: 4, arbitrary: op }, { weight: 1, arbitrary: fc.array(op, { minLength: 2, maxLength: 2 }) }),
  { maxLength: 4 },
)
const programs = fc.array(program, { minLength: 2, maxLength: 3 })

/** The worlds in which a search ends: told by properties that are asked there alone. */
function endsOf(model: Model<null, never>, reduction: (typeof REDUCTIONS)[number]): readonly string[] {
  const ends = new Set<string>()
  const note: Property<null> = {
    kind: 'finally',
    name: 'noted',
    holds: world => {
      ends.add(JSON.stringify(world.actors.map(a => [a.value, a.context])))
      return true
    },
  }
  explore({ ...model, properties: [note] }, { reduction })
  return [...ends].toSorted()
}

test('a run for each class and none in vain; the same ends and the same verdicts', () => {
  const both: readonly Property<null>[] = [
    { kind: 'deadlock', name: 'no deadlock' },
    {
      kind: 'always',
      name: 'never both',
      wrong: world => (countOf(world, 0) === 1 && countOf(world, 1) === 2 ? 'both' : undefined),
    },
    {
      kind: 'step',
      name: 'reads no 2',
      wrong: ({ event }) => ('got' in event && event.got === 2 ? 'it read 2' : undefined),
    },
  ]
  let deadlocks = 0
  fc.assert(
    fc.property(programs, drawn => {
      const model = workers(drawn)
      const { searched } = explore(model, { reduction: 'dpor' })
      assert.is(searched.blocked, 0)
      assert.is(BigInt(searched.runs ?? 0), classes(new Space(model)))
      const ends = endsOf(model, 'none')
      for (const reduction of ['sleep', 'dpor', 'cache'] as const) assert.equal(endsOf(model, reduction), ends, reduction)
      const all = explore({ ...model, properties: both }).found.map(f => f.verdict)
      if (all[0] === 'violated') deadlocks++
      for (const reduction of ['sleep', 'dpor', 'cache'] as const) {
        const found = explore({ ...model, properties: both }, { reduction }).found
        assert.equal(
          found.map(f => f.verdict),
          all,
          reduction,
        )
      }
    }),
    { numRuns: 400, seed: 6, includeErrorInReport: true },
  )
  assert.ok(deadlocks > 20)
})

test('interleavings, counted along the graph, are those that are gone one by one', () => {
  fc.assert(
    fc.property(programs, drawn => {
      const space = new Space(workers(drawn))
      const go = (row: Int32Array): bigint => {
        const n = space.expand(row)
        if (n === 0) return 1n
        const nexts = Array.from({ length: n }, (_, k) => space.nexts.slice(k * space.width, (k + 1) * space.width))
        return nexts.reduce((sum, next) => sum + go(next), 0n)
      }
      const one = go(space.start)
      if (one > 20_000n) return
      const { rows } = explore(workers(drawn)).searched
      assert.is(rows === undefined ? undefined : interleavings(new Space(workers(drawn)), rows), one)
    }),
    { numRuns: 100, seed: 6, examples: [[[[['add', 0]], [['add', 0]]]]] },
  )
})

test('steps that touch nothing of each other lead to one world, whichever comes first', () => {
  fc.assert(
    fc.property(programs, drawn => {
      const model = workers(drawn)
      const space = new Space(model)
      const footprints = new Footprints(space)
      const { rows } = explore(model).searched
      const row = new Int32Array(space.width)
      // Numbers of worlds are those of the space that found them.
      const search = breadthFirst().search(space, new Judge(model, space), { maxStates: Infinity, maxDepth: Infinity }).next()
      const own = search.done === true ? search.value.rows : undefined
      assert.is(own?.size, rows?.size)
      for (let state = 0; state < (own?.size ?? 0); state++) {
        own?.read(state, row)
        const steps = space.steps.slice(0, space.expand(row))
        for (const a of steps) {
          for (const b of steps) {
            if (a === b || !footprints.independent(a, b)) continue
            const [one, other] = [row.slice(), row.slice()]
            for (const step of [a, b]) assert.is(space.take(one, 0, step.source.by, step.source.at), step)
            for (const step of [b, a]) assert.is(space.take(other, 0, step.source.by, step.source.at), step)
            assert.equal(one, other)
          }
        }
      }
    }),
    { numRuns: 100, seed: 6 },
  )
})

test('what does not go together is refused, with the reason', () => {
  const loops = workers([[['add', 0]]], [{ kind: 'livelock', name: 'no circles' }])
  const eventually = workers([[['add', 0]]], [{ kind: 'eventually', name: 'it comes', holds: () => true }])
  const refused = (run: () => unknown): string => {
    try {
      run()
    } catch (error) {
      if (error instanceof Unsound) return error.message
    }
    return ''
  }
  for (const reduction of REDUCTIONS.filter(r => r !== 'none')) {
    assert.match(
      refused(() => explore(loops, { reduction })),
      `'no circles' cannot be told here: under --reduction ${reduction}`,
    )
    assert.match(
      refused(() => explore(eventually, { reduction })),
      'put off for ever',
    )
  }
  assert.match(
    refused(() => explore(workers([]), { strategy: 'bfs', reduction: 'dpor' })),
    'goes depth first',
  )
  assert.match(
    refused(() => explore(workers([]), { reduction: 'symmetry' })),
    'are said to be alike',
  )
  assert.match(
    refused(() => explore(workers([]), { strategy: 'dfs', simulate: {} })),
    'draws runs at random',
  )
})

test('actors that are said to be alike, and are not, are found out', () => {
  const alike = [[['worker0'], ['worker1']]]
  const same = workers([[['add', 0]], [['add', 0]]])
  assert.is(explore({ ...same, symmetry: alike }, { reduction: 'symmetry' }).searched.states, 3)
  assert.is(explore(same).searched.states, 4)
  // Different programs, and a property that minds who it is.
  const programs = workers([[['add', 0]], [['set', 0]]])
  assert.throws(() => explore({ ...programs, symmetry: [[['counter0'], ['counter1']]] }, { reduction: 'symmetry' }), /what can happen next/)
  const minds: Property<null> = {
    kind: 'always',
    name: 'not the first',
    wrong: world => (contextOf<{ program: Program }>(world, 4).program.length === 0 ? 'it is done' : undefined),
  }
  assert.throws(
    () => explore({ ...same, properties: [minds], symmetry: alike }, { reduction: 'symmetry' }),
    /'not the first' does not say the same/,
  )
})

/** A table of pages by name, and one who maps them in any order; `first` is mapped before all others. */
function paging(pages: readonly string[], first?: string): Model<null, never> {
  const table = setup({
    types: { events: {} as { type: 'map'; page: string } },
    actions: { map: assign(({ event: { page } }) => ({ [page]: true })) },
  }).createMachine({
    context: Object.fromEntries(pages.map(p => [p, false])),
    initial: 'there',
    states: { there: { on: { map: { actions: 'map' } } } },
  })
  const mapper = setup({
    types: { context: {} as { left: readonly string[] }, events: {} as { type: 'mapped'; page: string }, meta: {} as { does: string } },
    actions: { took: assign(({ context, event }) => ({ left: context.left.filter(p => p !== event.page) })) },
  }).createMachine({
    context: { left: pages },
    initial: 'maps',
    states: { maps: { meta: { does: 'map' }, on: { mapped: { actions: 'took' } } } },
  })
  const map = (_: null, { left }: { readonly left: readonly string[] }): readonly Offer<never>[] =>
    left
      .filter(p => first === undefined || p === first || !left.includes(first))
      .map(p => ({
        do: `map ${p}`,
        calls: [{ to: 'table', event: { type: 'map', page: p } }],
        facts: [],
        event: () => ({ type: 'mapped', page: p }),
      }))
  return {
    system: system({
      memory: null,
      fold: memory => memory,
      take: compiled,
      actors: [actor('table', kind(table), {}), actor('mapper', kind(mapper, { map }), {})],
    }),
    properties: [{ kind: 'deadlock', name: 'nobody is stuck' }],
    symmetry: [pages.map(p => [p])],
  }
}

test('pages are alike as actors are, where contexts have names for them', () => {
  const states = (model: Model<null, never>, reduction: 'none' | 'symmetry'): number => explore(model, { reduction }).searched.states
  const pages = ['page0', 'page1', 'page2', 'page3']
  assert.equal([states(paging(pages), 'none'), states(paging(pages), 'symmetry')], [16, 5])
  assert.throws(() => states(paging(pages, 'page2'), 'symmetry'), /what can happen next/)
  assert.throws(() => states({ ...paging(pages), symmetry: [[['page0'], ['pagel']]] }, 'symmetry'), /'pagel' is said to be like others/)
})

test('properties of every kind are asked whether they mind an exchange', () => {
  const same = workers([[['add', 0]], [['add', 0]]])
  const symmetry = [[['worker0'], ['worker1']]]
  const first = (world: World<null>): boolean => contextOf<{ program: Program }>(world, 4).program.length === 0
  for (const property of [
    { kind: 'sometimes', name: 'one', holds: (world: World<null>) => first(world) && countOf(world, 0) === 1 },
    { kind: 'finally', name: 'one', holds: (world: World<null>) => !first(world) || countOf(world, 0) !== 1 },
    {
      kind: 'step',
      name: 'one',
      wrong: ({ by }) => (by === 'worker0' ? 'it is the first' : undefined),
    },
  ] satisfies readonly Property<null>[]) {
    const run = (): unknown => explore({ ...same, properties: [property], symmetry }, { reduction: 'symmetry' })
    assert.throws(run, /'one' does not say the same/, property.kind)
  }
})

test.run()
