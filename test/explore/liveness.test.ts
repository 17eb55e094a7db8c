/** What never ends, and what ends too early: circles, fairness, deadlocks. */
import { assign, setup } from 'xstate'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { actor, compiled, explore, kind, NotDeterministic, step, system, type Model, type Property } from 'mirrorwalk/explore'
import { initialWorld } from '../../src/system/world.ts'
import { contextOf, countOf, workers } from './toys.ts'

/** Somebody who asks again and again until a flag is up, counting how often; and somebody who puts it up. */
function asking(counting: boolean, properties: readonly Property<null>[]): Model<null, never> {
  const flag = setup({
    types: { context: {} as { seq: number }, events: {} as { type: 'ask' | 'raise' } },
    actions: { count: assign(({ context }) => ({ seq: context.seq + 2 })) },
  }).createMachine({
    context: { seq: 2 },
    initial: 'down',
    states: { down: { on: { ask: counting ? { actions: 'count' } : {}, raise: 'up' } }, up: { on: { ask: {} } } },
  })
  const asker = setup({ types: { events: {} as { type: 'asked' }, meta: {} as { does: string } } }).createMachine({
    initial: 'asks',
    states: { asks: { meta: { does: 'ask' }, on: { asked: {} } } },
  })
  const raiser = setup({ types: { events: {} as { type: 'raised' }, meta: {} as { does: string } } }).createMachine({
    initial: 'waits',
    states: { waits: { meta: { does: 'raise' }, on: { raised: 'done' } }, done: {} },
  })
  const does = (type: string) => () => [
    { do: type, calls: [{ to: 'flag', event: { type } }], facts: [], event: () => ({ type: `${type}ed`.replace('eed', 'ed') }) },
  ]
  return {
    system: system<null, never>({
      memory: null,
      fold: memory => memory,
      take: compiled,
      actors: [
        actor<null, never, typeof flag>('flag', kind(flag), {}),
        actor('asker', kind<null, never, typeof asker>(asker, { ask: does('ask') }), {}),
        actor('raiser', kind<null, never, typeof raiser>(raiser, { raise: does('raise') }), {}),
      ],
    }),
    properties,
    ...(counting ? { sequences: ['seq'] } : {}),
  }
}

const raised: Property<null> = { kind: 'eventually', name: 'raised', holds: world => world.actors[0]?.value === 'up' }
const never: Property<null> = { kind: 'eventually', name: 'never', holds: () => false }
const livelock: Property<null> = { kind: 'livelock', name: 'no circles' }

test('whoever can always act is not kept waiting for ever; a circle in which all had their turn is told as a lasso', () => {
  for (const counting of [false, true]) {
    const found = explore(asking(counting, [raised, never, livelock]))
    assert.equal([found.searched.states, found.complete], [2, true], 'numbers of sequences are counted anew')
    assert.equal(
      found.found.map(f => f.verdict),
      ['holds', 'violated', 'violated'],
    )
    const [, , circle] = found.found
    assert.equal(
      circle?.trail?.map(c => c.by),
      ['raiser', 'asker'],
    )
    assert.is(circle?.circle, 1)
  }
})

test('circles that are expected are those of the actors that are named, and of nobody else', () => {
  const verdictBut = (...but: readonly string[]): string => explore(asking(true, [{ ...livelock, but }])).verdict
  assert.equal(
    [verdictBut(), verdictBut('raiser'), verdictBut('asker'), verdictBut('asker', 'raiser')],
    ['violated', 'violated', 'holds', 'holds'],
  )
})

test('circles that nobody has asked for are looked for where they can be; elsewhere it is said that they are not', () => {
  const always: Property<null> = { kind: 'always', name: 'fine', wrong: () => undefined }
  const model = workers([[['add', 0]], [['set', 0]]], [always, { ...livelock, besides: true }])
  assert.equal(
    explore(model).found.map(f => f.verdict),
    ['holds', 'holds'],
  )
  for (const plan of [{ reduction: 'dpor' } as const, { reduction: 'sleep' } as const, { reduction: 'cache' } as const]) {
    const { verdict, found } = explore(model, plan)
    assert.equal([verdict, found[1]?.verdict], ['holds', 'unknown'])
    assert.match(found[1]?.why ?? '', `not looked for: under --reduction ${plan.reduction}`)
    assert.throws(() => explore({ ...model, properties: [always, livelock] }, plan), /'no circles' cannot be told here: under --reduction/)
  }
  const drawn = explore({ ...model, properties: [always, livelock, raised] }, { simulate: { runs: 3 } })
  assert.equal(
    drawn.found.map(f => [f.verdict, f.why]),
    [
      ['unknown', undefined],
      ['unknown', 'not looked for: runs drawn at random do not tell what goes on for ever'],
      ['unknown', 'not looked for: runs drawn at random do not tell what goes on for ever'],
    ],
  )
})

test('a world in which all ends without it breaks an eventually, and ends no circle', () => {
  const isTwo: Property<null> = { kind: 'eventually', name: 'two', holds: world => countOf(world, 0) === 2 }
  const found = explore(workers([[['add', 0]], [['set', 0]]], [isTwo, livelock]))
  assert.equal(
    found.found.map(f => f.verdict),
    ['violated', 'holds'],
  )
  assert.equal(
    found.found[0]?.trail?.map(c => c.by),
    ['worker0', 'worker1'],
  )
  assert.is(explore(workers([[['set', 0]], [['add', 0]]], [{ ...isTwo, holds: world => countOf(world, 0) > 0 }])).verdict, 'holds')
})

test('two locks taken in two orders are a deadlock, by the shortest way, and it says who waits for whom', () => {
  const both = (first: number, second: number) =>
    [
      ['take', first],
      ['take', second],
      ['give', second],
      ['give', first],
    ] as const
  const deadlock: Property<null> = { kind: 'deadlock', name: 'no deadlock' }
  const found = explore(workers([both(0, 1), both(1, 0)], [deadlock])).found[0]
  assert.is(found?.verdict, 'violated')
  assert.is(
    found?.why,
    'worker0 waits for lock1 (take), held by worker1 since step 2; worker1 waits for lock0 (take), held by worker0 since step 1; in a circle: worker0 → worker1 → worker0',
  )
  assert.is(found?.trail?.length, 2)
  assert.is(explore(workers([both(0, 1), both(0, 1)], [deadlock])).verdict, 'holds')
})

test('sometimes comes with its first example; finally is asked at the end alone; steps are judged one by one', () => {
  const model = workers(
    [
      [['set', 0]],
      [
        ['add', 0],
        ['read', 0],
      ],
    ],
    [
      { kind: 'sometimes', name: 'two', holds: world => countOf(world, 0) === 2 },
      { kind: 'sometimes', name: 'three', holds: world => countOf(world, 0) === 3 },
      { kind: 'finally', name: 'one at least', holds: world => countOf(world, 0) >= 1 },
      { kind: 'finally', name: 'two in the end', holds: world => countOf(world, 0) === 2 },
      {
        kind: 'step',
        name: 'reads no 1',
        wrong: ({ by, event }) => (by === 'worker1' && 'got' in event && event.got === 1 ? 'it reads 1' : undefined),
      },
    ],
  )
  const { found } = explore(model)
  assert.equal(
    found.map(f => [f.verdict, f.trail?.length]),
    [
      ['holds', 2],
      ['violated', undefined],
      ['holds', undefined],
      ['violated', 3],
      ['violated', 2],
    ],
  )
  // The trail of a step leads up to and over it.
  let world = initialWorld(model.system)
  for (const choice of found[4]?.trail ?? []) {
    const next = step(model.system, world, choice)
    assert.is(next.kind, 'stepped')
    if (next.kind === 'stepped') world = next.world
  }
  assert.is(contextOf<{ seen: number }>(world, 5).seen, 1)
})

test('a property that looks at something besides the world is found out', () => {
  let asked = 0
  const cheats: Property<null> = {
    kind: 'always',
    name: 'cheats',
    wrong: world => (countOf(world, asked++ % 2) === 7 ? 'seven' : undefined),
  }
  assert.throws(
    () => explore(workers([[['add', 0]], [['add', 1]]], [cheats])),
    (error: unknown) => error instanceof NotDeterministic,
  )
})

test('a rule or a machine that is not deterministic is found out, by the actor', () => {
  const coin = setup({
    types: { context: {} as { n: number }, events: {} as { type: 'toss' } },
    actions: { toss: assign(() => ({ n: Math.random() })) },
  }).createMachine({ context: { n: 0 }, initial: 'there', states: { there: { on: { toss: { actions: 'toss' } } } } })
  const player = setup({ types: { events: {} as { type: 'tossed' }, meta: {} as { does: string } } }).createMachine({
    initial: 'plays',
    states: { plays: { meta: { does: 'toss' }, on: { tossed: 'done' } }, done: {} },
  })
  const toss = () => [{ do: 'toss', calls: [{ to: 'coin', event: { type: 'toss' } }], facts: [], event: () => ({ type: 'tossed' }) }]
  const playing: Model<null, never> = {
    system: system<null, never>({
      memory: null,
      fold: memory => memory,
      take: compiled,
      actors: [
        actor<null, never, typeof coin>('coin', kind(coin), {}),
        actor('player', kind<null, never, typeof player>(player, { toss }), {}),
      ],
    }),
    properties: [],
  }
  assert.throws(() => explore(playing), /what 'toss' makes of it is not always the same for coin/)
})

test.run()
