/** The same question has the same answer, in the same order, however it is searched; and who cheats is found out, and named. */
import { assign, setup } from 'xstate'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  actor,
  compiled,
  explore,
  kind,
  NotDeterministic,
  outlook,
  REDUCTIONS,
  SCHEDULERS,
  simplest,
  STRATEGIES,
  system,
  type Exploration,
  type ExploreOptions,
  type Model,
  type Property,
} from 'mirrorwalk/explore'
import seed from '../../scenarios/seeds/004-stale-valid.ts'
import { modelOf } from '../../src/index.ts'
import { abstractMirror } from '../bench/abstract-mirror.ts'
import { coin } from '../chance.ts'
import { countOf, workers } from './toys.ts'

/** Everything that an exploration tells, but for the worlds themselves. */
const told = ({ searched, ...rest }: Exploration): string => {
  const { rows: _, pause: __, ...numbers } = searched
  return JSON.stringify({ ...rest, numbers }, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

const PLANS: readonly ExploreOptions[] = [
  ...STRATEGIES.flatMap(strategy => [{ strategy }, { strategy, reduction: 'symmetry' as const }, { strategy, maxStates: 40 }]),
  ...REDUCTIONS.map(reduction => ({ reduction })),
  ...REDUCTIONS.filter(r => r !== 'none' && r !== 'symmetry').map(reduction => ({ reduction, strategy: 'dfs' as const, maxDepth: 12 })),
  ...SCHEDULERS.map(scheduler => ({ simulate: { scheduler, runs: 60, seed: 5 } })),
]

for (const plan of PLANS) {
  test(`${JSON.stringify(plan)}: twice the same`, () => {
    const models: readonly (() => Exploration)[] = [
      () => explore(abstractMirror(2, 1, 1, 'valid flag'), plan),
      ...(plan.reduction === 'symmetry' ? [] : [() => explore(modelOf(seed.build('v5.2')), plan)]),
    ]
    for (const run of models) assert.is(told(run()), told(run()))
  })
}

test('what is made of what was found is twice the same, too', () => {
  const once = (): string => {
    const model = abstractMirror(2, 2, 1, 'valid flag')
    const property = model.properties[0] as Property<null>
    const trail = explore(model, { simulate: { seed: 2 } }).found[0]?.trail ?? []
    const simple = simplest(model, property, trail)
    return JSON.stringify([simple, simplest(model, property, trail, 30), outlook(model, property, simple.trail)], (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
  }
  assert.is(once(), once())
})

/** Somebody's own machines, one of which may cheat: a player who tosses three times, and a table that takes it. */
function playing(
  cheats: 'nobody' | 'guard' | 'assign' | 'rule' | 'event' | 'reply',
  properties: readonly Property<null>[] = [],
): Model<null, never> {
  const isHeads = (): boolean => cheats === 'guard' && coin()
  const table = setup({
    types: { context: {} as { n: number; heads: number }, events: {} as { type: 'toss' } },
    actions: {
      reply: (_, __: { value: boolean }): void => {},
      count: assign(({ context }) => ({ n: context.n + 1, heads: cheats === 'assign' && coin() ? 1 : 0 })),
    },
    guards: { heads: isHeads },
  }).createMachine({
    context: { n: 0, heads: 0 },
    initial: 'there',
    states: {
      there: {
        on: {
          toss: [
            { guard: 'heads', target: 'fallen', actions: 'count' },
            { actions: ['count', { type: 'reply', params: () => ({ value: cheats === 'reply' && coin() }) }] },
          ],
        },
      },
      fallen: { on: { toss: { target: 'there', actions: 'count' } } },
    },
  })
  const player = setup({
    types: { context: {} as { left: number }, events: {} as { type: 'tossed' | 'dropped' }, meta: {} as { does: string } },
    actions: { less: assign(({ context }) => ({ left: context.left - 1 })) },
  }).createMachine({
    context: { left: 3 },
    initial: 'plays',
    states: { plays: { meta: { does: 'toss' }, on: { tossed: { actions: 'less' }, dropped: { actions: 'less' } } } },
  })
  const toss = (_: null, { left }: { readonly left: number }) =>
    left === 0
      ? []
      : [
          {
            do: cheats === 'rule' && coin() ? 'toss high' : 'toss',
            calls: [{ to: 'table', event: { type: 'toss' } }],
            facts: [],
            event: () => ({ type: cheats === 'event' && coin() ? 'dropped' : 'tossed' }),
          },
        ]
  return {
    system: system<null, never>({
      memory: null,
      fold: memory => memory,
      take: compiled,
      actors: [
        actor<null, never, typeof table>('table', kind(table), {}),
        actor('player', kind<null, never, typeof player>(player, { toss }), {}),
      ],
    }),
    properties,
  }
}

const refusalOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof NotDeterministic) return error.message
    throw error
  }
  return 'nothing was found'
}

test('a machine or a rule that looks at chance is found out, and whose it is', () => {
  assert.is(
    refusalOf(() => explore(playing('nobody'))),
    'nothing was found',
  )
  for (const [cheats, what] of [
    ['guard', "what 'toss' makes of it is not always the same for table"],
    ['assign', "what 'toss' makes of it is not always the same for table"],
    ['reply', "what 'toss' makes of it is not always the same for table"],
    ['rule', 'what it offers is not always the same for player'],
    ['event', 'what it is told is not always the same for player'],
  ] as const)
    for (const plan of [{}, { strategy: 'dfs' as const }, { reduction: 'dpor' as const }, { simulate: { runs: 2 } }])
      assert.match(
        refusalOf(() => explore(playing(cheats), plan)),
        what,
        cheats,
      )
})

test('so is a property, of whatever kind', () => {
  const cheats: readonly Property<null>[] = [
    { kind: 'always', name: 'luck', wrong: () => (coin() ? 'bad luck' : undefined) },
    { kind: 'sometimes', name: 'luck', holds: world => countOf(world, 0) > 0 && coin() },
    { kind: 'step', name: 'luck', wrong: ({ do: what }) => (what === 'add' && coin() ? 'bad luck' : undefined) },
    { kind: 'finally', name: 'luck', holds: world => countOf(world, 0) >= 0 && coin() },
    { kind: 'eventually', name: 'luck', holds: world => countOf(world, 0) > 0 && coin() },
  ]
  for (const property of cheats) {
    const model = workers(
      [
        [
          ['add', 0],
          ['add', 0],
        ],
        [
          ['add', 0],
          ['set', 1],
        ],
      ],
      [property],
    )
    assert.match(
      refusalOf(() => explore(model)),
      "'luck' looks at something besides the world",
      property.kind,
    )
  }
})

test.run()
