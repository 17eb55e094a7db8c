/**
 * Deadlocks that drivers of mirrored memory are known for, each as a small system of somebody's own, with the mistake and
 * without it: who waits is told, for which call, and who holds what it needs.
 */
import { assign, setup, type AnyStateMachine } from 'xstate'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { actor, compiled, explore, kind, REDUCTIONS, system, type Found, type Model } from 'mirrorwalk/explore'

const lock = (take: string, give: string): AnyStateMachine =>
  setup({}).createMachine({ initial: 'free', states: { free: { on: { [take]: 'held' } }, held: { on: { [give]: 'free' } } } })

const mmapLock = setup({
  types: { context: {} as { readers: number } },
  actions: {
    enter: assign(({ context }) => ({ readers: context.readers + 1 })),
    leave: assign(({ context }) => ({ readers: context.readers - 1 })),
  },
  guards: { last: ({ context }) => context.readers === 1 },
}).createMachine({
  context: { readers: 0 },
  initial: 'free',
  states: {
    free: { on: { read: { target: 'shared', actions: 'enter' }, write: 'exclusive' } },
    shared: { on: { read: { actions: 'enter' }, unread: [{ guard: 'last', target: 'free', actions: 'leave' }, { actions: 'leave' }] } },
    exclusive: { on: { unwrite: 'free' } },
  },
})

/** Removing an interval waits until no invalidation is in flight. */
const notifiers = setup({}).createMachine({
  initial: 'idle',
  states: { idle: { on: { start: 'invalidating', remove: {} } }, invalidating: { on: { end: 'idle' } } },
})

/** Waiting for it goes on once it was signalled, or if nothing was ever submitted. */
const fence = setup({}).createMachine({
  initial: 'signalled',
  states: { signalled: { on: { submit: 'pending', wait: {} } }, pending: { on: { signal: 'signalled' } } },
})

const PASSIVE = { mmap_lock: mmapLock, driver_lock: lock('lock', 'unlock'), notifiers, fence }
type Call = readonly [to: keyof typeof PASSIVE, type: string]

const runner = setup({
  types: {
    context: {} as { calls: readonly Call[] },
    events: {} as { type: 'done' },
    input: {} as { calls: readonly Call[] },
    meta: {} as { does: string },
  },
  actions: { next: assign(({ context }) => ({ calls: context.calls.slice(1) })) },
}).createMachine({
  context: ({ input }) => ({ calls: input.calls }),
  initial: 'runs',
  states: { runs: { meta: { does: 'call' }, on: { done: { actions: 'next' } } } },
})
const runners = kind<null, never, typeof runner>(runner, {
  call: (_, { calls: [now] }) =>
    now === undefined ? [] : [{ do: now[1], calls: [{ to: now[0], event: { type: now[1] } }], facts: [], event: () => ({ type: 'done' }) }],
})

/** Who calls what, one after the other. */
function running(programs: Readonly<Record<string, string>>): Model<null, never> {
  const calls = (text: string): readonly Call[] => text.split(', ').map(word => word.split('.') as unknown as Call)
  return {
    system: system<null, never>({
      memory: null,
      fold: memory => memory,
      take: compiled,
      actors: [
        ...Object.entries(PASSIVE).map(([name, machine]) => ({ name, kind: kind<null, never, AnyStateMachine>(machine), input: {} })),
        ...Object.entries(programs).map(([name, text]) => actor(name, runners, { calls: calls(text) })),
      ],
    }),
    properties: [{ kind: 'deadlock', name: 'nobody is blocked for ever' }],
  }
}

const CASES = [
  {
    name: 'the mmap lock against the driver lock: a fault that holds the one, an invalidation that holds the other',
    wrong: {
      gpu0: 'driver_lock.lock, mmap_lock.read, mmap_lock.unread, driver_lock.unlock',
      cpu0: 'mmap_lock.write, driver_lock.lock, driver_lock.unlock, mmap_lock.unwrite',
    },
    right: {
      gpu0: 'mmap_lock.read, mmap_lock.unread, driver_lock.lock, driver_lock.unlock',
      cpu0: 'mmap_lock.write, driver_lock.lock, driver_lock.unlock, mmap_lock.unwrite',
    },
    why: 'gpu0 waits for mmap_lock (read), held by cpu0 since step 2; cpu0 waits for driver_lock (lock), held by gpu0 since step 1; in a circle: gpu0 → cpu0 → gpu0',
  },
  {
    name: 'an interval is removed inside the callback of an invalidation, which removing it waits for',
    wrong: { cpu0: 'notifiers.start, notifiers.remove, notifiers.end' },
    right: { cpu0: 'notifiers.start, notifiers.end, notifiers.remove' },
    why: 'cpu0 waits for notifiers (remove), held by itself since step 1; nobody can go on',
  },
  {
    name: 'memory is allocated under the driver lock, and reclaim calls the notifier that takes it',
    wrong: { gpu0: 'driver_lock.lock, notifiers.start, driver_lock.lock, driver_lock.unlock, notifiers.end, driver_lock.unlock' },
    right: { gpu0: 'notifiers.start, driver_lock.lock, driver_lock.unlock, notifiers.end, driver_lock.lock, driver_lock.unlock' },
    why: 'gpu0 waits for driver_lock (lock), held by itself since step 1; nobody can go on',
  },
  {
    name: 'an invalidation waits for a fence whose job waits for a page fault',
    wrong: {
      job: 'fence.submit, mmap_lock.read, mmap_lock.unread, fence.signal',
      cpu0: 'mmap_lock.write, notifiers.start, fence.wait, notifiers.end, mmap_lock.unwrite',
    },
    right: {
      job: 'mmap_lock.read, mmap_lock.unread, fence.submit, fence.signal',
      cpu0: 'mmap_lock.write, notifiers.start, fence.wait, notifiers.end, mmap_lock.unwrite',
    },
    why: 'job waits for mmap_lock (read), held by cpu0 since step 2; cpu0 waits for fence (wait), held by job since step 1; in a circle: job → cpu0 → job',
  },
] as const

for (const { name, wrong, right, why } of CASES) {
  test(name, () => {
    const [found] = explore(running(wrong)).found
    assert.equal([found?.verdict, found?.why], ['violated', why])
    assert.is(explore(running(right)).verdict, 'holds')
    for (const reduction of REDUCTIONS.filter(r => r !== 'symmetry'))
      assert.equal(
        [wrong, right].map(programs => explore(running(programs), { reduction }).verdict),
        ['violated', 'holds'],
        reduction,
      )
  })
}

const found = (programs: Readonly<Record<string, string>>): Found | undefined => explore(running(programs)).found[0]

test('of several readers each holds the lock, but not who has given it back; who is done gives nothing back any more', () => {
  const readers = running({ a: 'mmap_lock.read', b: 'mmap_lock.read', c: 'mmap_lock.read, mmap_lock.unread, mmap_lock.write' })
  const trail = ['a', 'c', 'b', 'c'].map(by => ({ by, offer: 0, budget: 1 }))
  const [write] = explore(readers, { trail }).found[0]?.waits ?? []
  assert.equal([write?.by, write?.do, write?.to, write?.call], ['c', 'write', 'mmap_lock', 'write'])
  assert.equal(
    write?.heldBy.map(h => [h.by, h.atRest]),
    [
      ['a', true],
      ['b', true],
    ],
  )
  const left = found({ a: 'driver_lock.lock', b: 'driver_lock.lock' })
  assert.is(left?.why, 'b waits for driver_lock (lock), held by a since step 1 (and has nothing left to do); nobody can go on')
})

test('what was never ready is held by nobody', () => {
  assert.is(found({ a: 'fence.signal' })?.why, 'a waits for fence (signal), which it was never ready for; nobody can go on')
})

test.run()
