/** The abstract mirror (`HmmMirror.tla`: GPUs that fault one page, CPUs that invalidate it) on the real `step`. */
import { assign, setup } from 'xstate'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { actor, kind, reply, type Call, type Does } from '../../src/system/actor.ts'
import { compiled } from '../../src/system/compile.ts'
import { offersOf, take } from '../../src/system/step.ts'
import { reference, type Take } from '../../src/system/take.ts'
import { initialWorld, system, type World } from '../../src/system/world.ts'

type Event = { type: string; seq?: number; pfn?: number; device?: string; replies?: readonly unknown[] }
const types = <C, I = object>() => ({ context: {} as C, events: {} as Event, input: {} as I, meta: {} as { does: string } })

const page = setup({
  types: types<{ pte: number; free: number }>(),
  actions: { reply, populate: assign(({ context: c }) => ({ pte: c.free, free: c.free + 1 })), clear: assign({ pte: 0 }) },
  guards: { none: ({ context }) => context.pte === 0 },
}).createMachine({ context: { pte: 1, free: 2 }, initial: 'live', states: { live: { on: {
  fault: [{ guard: 'none', actions: ['populate', { type: 'reply', params: ({ context }) => ({ value: context.pte }) }] },
    { actions: { type: 'reply', params: ({ context }) => ({ value: context.pte }) } }],
  clear: { actions: 'clear' },
} } } })

const registry = setup({
  types: types<{ active: number }>(),
  actions: { more: assign(({ context: c }) => ({ active: c.active + 1 })), fewer: assign(({ context: c }) => ({ active: c.active - 1 })) },
  guards: { last: ({ context }) => context.active === 1 },
}).createMachine({ context: { active: 0 }, initial: 'even', states: {
  even: { on: { start: { target: 'odd', actions: 'more' }, read_begin: {} } },
  odd: { on: { start: { actions: 'more' }, end: [{ guard: 'last', target: 'even', actions: 'fewer' }, { actions: 'fewer' }] } },
} })

const device = setup({
  types: types<{ seq: number; maps: number }>(),
  actions: { reply, drop: assign(({ context: c }) => ({ seq: c.seq + 1, maps: 0 })), map: assign(({ event }) => ({ maps: event.pfn ?? 0 })) },
  guards: { stale: ({ context, event }) => event.seq !== context.seq },
}).createMachine({ context: { seq: 0, maps: 0 }, initial: 'unlocked',
  on: { seq: { actions: { type: 'reply', params: ({ context }) => ({ value: context.seq }) } } },
  states: {
    unlocked: { on: { lock: 'locked', invalidate: { actions: 'drop' } } },
    locked: { on: { unlock: 'unlocked', commit: [
      { guard: 'stale', target: 'unlocked', actions: { type: 'reply', params: { value: true } } },
      { actions: ['map', { type: 'reply', params: { value: false } }] }] } } } })

const range = setup({
  types: types<{ device: string; seq: number; pfn: number }, { device: string }>(),
  actions: { seq: assign(({ event }) => ({ seq: event.replies?.[1] as number })), pfn: assign(({ event }) => ({ pfn: event.replies?.[0] as number })) },
  guards: { stale: ({ event }) => event.replies?.[0] === true },
}).createMachine({ context: ({ input }) => ({ device: input.device, seq: 0, pfn: 0 }), initial: 'read_begin', states: {
  read_begin: { meta: { does: 'read_begin' }, on: { begun: { target: 'fault', actions: 'seq' } } },
  fault: { meta: { does: 'fault' }, on: { walked: { target: 'lock', actions: 'pfn' } } },
  lock: { meta: { does: 'lock' }, on: { locked: 'check' } },
  check: { meta: { does: 'check' }, on: { checked: [{ guard: 'stale', target: 'read_begin' }, { target: 'unlock' }] } },
  unlock: { meta: { does: 'unlock' }, on: { unlocked: 'done' } },
  done: {} } })

const cpu = setup({
  types: types<{ left: number; all: readonly string[]; todo: readonly string[] }, { ops: number; devices: readonly string[] }>(),
  actions: { all: assign(({ context: c }) => ({ todo: c.all })), count: assign(({ context: c }) => ({ left: c.left - 1 })),
    less: assign(({ context: c, event }) => ({ todo: c.todo.filter(d => d !== event.device) })) },
}).createMachine({ context: ({ input }) => ({ left: input.ops, all: input.devices, todo: [] }), initial: 'start', states: {
  start: { meta: { does: 'start' }, on: { started: { target: 'callbacks', actions: 'all' } } },
  callbacks: { meta: { does: 'callbacks' }, on: { called: { actions: 'less' }, cleared: 'end' } },
  end: { meta: { does: 'end' }, on: { ended: { target: 'start', actions: 'count' } } } } })

const call = (to: string, type: string, more = {}): Call => ({ to, event: { type, ...more } })
const does = <C>(type: string, calls: (c: C) => readonly Call[], more = {}): Does<null, never, C> =>
  (_, c) => [{ do: type, calls: calls(c), facts: [], event: replies => ({ type, replies, ...more }) }]
const faults = kind<null, never, typeof range>(range, {
  read_begin: does('begun', c => [call('registry', 'read_begin'), call(c.device, 'seq')]), fault: does('walked', () => [call('page', 'fault')]),
  lock: does('locked', c => [call(c.device, 'lock')]), check: does('checked', c => [call(c.device, 'commit', { seq: c.seq, pfn: c.pfn })]),
  unlock: does('unlocked', c => [call(c.device, 'unlock')]) })
const cpus = kind<null, never, typeof cpu>(cpu, {
  start: (m, c, b) => (c.left === 0 ? [] : does('started', () => [call('registry', 'start')])(m, c, b)),
  callbacks: (m, c, b) => (c.todo.length === 0 ? does('cleared', () => [call('page', 'clear')])(m, c, b)
    : c.todo.flatMap(d => does('called', () => [call(d, 'invalidate')], { device: d })(m, c, b))),
  end: does('ended', () => [call('registry', 'end')]) })

function states(gpus: number, threads: number, ops: number, engine: Take): number {
  const devices = Array.from({ length: gpus }, (_, i) => `gpu${i}`)
  const mirror = system<null, never>({ memory: null, fold: m => m, take: engine, actors: [
    actor('page', kind(page), {}), actor('registry', kind(registry), {}), ...devices.map(d => actor<null, never, typeof device>(d, kind(device), {})),
    ...devices.map(d => actor(`${d}.range`, faults, { device: d })), ...Array.from({ length: threads }, (_, i) => actor(`cpu${i}`, cpus, { ops, devices }))] })
  const key = (w: World<null>): string => JSON.stringify(w.actors.map(a => [a.value, a.context]))
  const queue = [initialWorld(mirror)], seen = new Set(queue.map(key))
  for (const world of queue) for (const by of mirror.index.keys()) offersOf(mirror, world, by, 1).forEach((offer, i) => {
    const next = take(mirror, world, { by, offer: i, budget: 1 }, offer)
    if (next.kind !== 'stepped' || seen.has(key(next.world))) return
    seen.add(key(next.world))
    queue.push(next.world)
  })
  return seen.size
}

for (const [g, c, n, expected] of [[1, 1, 1, 43], [1, 2, 1, 304], [2, 1, 1, 517], [2, 2, 1, 6704]] as const) {
  test(`${g} GPUs, ${c} CPUs, ${n} operations: ${expected} states`, () => assert.is(states(g, c, n, compiled), expected))
}
test('xstate itself finds as many', () => assert.is(states(2, 1, 1, reference), 517))
test.run()
