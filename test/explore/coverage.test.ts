/** Machine × state × event: what an exploration came to, and what it never did. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explore, type CoveredMachine, type ExploreOptions, type Model } from 'mirrorwalk/explore'
import { abstractMirror } from '../bench/abstract-mirror.ts'
import { workers } from './toys.ts'

const covered = <M, F>(model: Model<M, F>, options: ExploreOptions = {}): readonly CoveredMachine[] =>
  explore(model, { ...options, coverage: true }).coverage ?? []

test('each transition of a definition is there, with how often it fired; what never did says so', () => {
  const [counter, lock, worker] = covered(
    workers([
      [
        ['take', 0],
        ['add', 0],
      ],
      [['add', 0]],
    ]),
  )
  assert.equal(counter?.actors, ['counter0', 'counter1'])
  assert.equal(
    counter?.transitions.map(({ state, event, target, guard, fired }) => [state, event, target, guard, fired]),
    // From 0 and from 1: its snapshots are the situations in which it was.
    [
      ['there', 'add', null, null, 2],
      ['there', 'set', null, null, 0],
      ['there', 'read', null, null, 0],
    ],
  )
  assert.equal(
    lock?.transitions.map(({ state, event, target, fired }) => [state, event, target, fired]),
    [
      ['free', 'take', 'held', 1],
      ['held', 'give', 'free', 0],
    ],
  )
  assert.equal(lock?.states, [
    { state: 'free', met: 2 },
    { state: 'held', met: 1 },
  ])
  assert.equal(worker?.actors, ['worker0', 'worker1'])
  assert.equal(worker?.states, [{ state: 'works', met: 5 }])
  assert.is(explore(workers([[['add', 0]]])).coverage, undefined, 'only where it is asked for')
})

test('guards tell transitions of one event apart, and those of the whole machine are there once', () => {
  const [, registry, device] = covered(abstractMirror(1, 2, 1))
  assert.equal(
    registry?.transitions.filter(({ event }) => event === 'end').map(({ guard, fired }) => [guard, fired]),
    [
      ['last', 1],
      [null, 1],
    ],
  )
  const commits = device?.transitions.filter(({ event }) => event === 'commit') ?? []
  assert.ok(commits.length === 2 && commits.every(({ fired }) => fired > 0))
  assert.equal(device?.transitions.at(-1)?.state, null)
})

test('every search that goes everywhere comes to the same, and so does one that was paused', () => {
  for (const model of [() => abstractMirror(1, 2, 1), () => abstractMirror(2, 1, 1)]) {
    const whole = covered(model())
    for (const options of [{ strategy: 'dfs' }, { reduction: 'sleep' }, { reduction: 'cache' }] as const)
      assert.equal(covered(model(), options), whole, JSON.stringify(options))
    const fired = (all: readonly CoveredMachine[]): unknown => all.map(({ transitions }) => transitions.map(t => t.fired > 0))
    assert.equal(fired(covered(model(), { reduction: 'dpor' })), fired(whole))
    const paused = explore(model(), { maxStates: 90, pausing: true }).searched.pause?.()
    assert.equal(covered(model(), { from: paused }), whole)
  }
})

test.run()
