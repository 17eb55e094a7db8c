/**
 * The abstract mirror (`HmmMirror.tla`) through the public API alone: GPUs that fault one page, CPUs that invalidate it.
 * One page, one registry; each GPU has a driver lock, a sequence, and a range that reads, faults, locks, checks and maps.
 */
import { assign, setup, type AnyStateMachine } from 'xstate'
import {
  actor,
  compiled,
  kind,
  reply,
  system,
  type Call,
  type Does,
  type Model,
  type Offer,
  type Property,
  type World,
} from 'mirrorwalk/explore'

type Event = { type: string; seq?: number; pfn?: number; device?: string; last?: boolean; replies?: readonly unknown[] }
const types = <C, I = object>(): { context: C; events: Event; input: I; meta: { does: string } } => ({
  context: {} as C,
  events: {} as Event,
  input: {} as I,
  meta: {} as { does: string },
})

const page = setup({
  types: types<{ pte: number; free: number }>(),
  actions: { reply, populate: assign(({ context: c }) => ({ pte: c.free, free: c.free + 1 })), clear: assign({ pte: 0 }) },
  guards: { none: ({ context }) => context.pte === 0 },
}).createMachine({
  context: { pte: 1, free: 2 },
  initial: 'live',
  states: {
    live: {
      on: {
        fault: [
          { guard: 'none', actions: ['populate', { type: 'reply', params: ({ context }) => ({ value: context.pte }) }] },
          { actions: { type: 'reply', params: ({ context }) => ({ value: context.pte }) } },
        ],
        clear: { actions: 'clear' },
      },
    },
  },
})

const registry = setup({
  types: types<{ active: number }>(),
  actions: {
    reply,
    more: assign(({ context: c }) => ({ active: c.active + 1 })),
    fewer: assign(({ context: c }) => ({ active: c.active - 1 })),
  },
  guards: { last: ({ context }) => context.active === 1 },
}).createMachine({
  context: { active: 0 },
  initial: 'even',
  states: {
    even: { on: { start: { target: 'odd', actions: 'more' }, read_begin: {} } },
    odd: {
      on: {
        start: { actions: 'more' },
        // It answers whether that was the last invalidation in flight.
        end: [
          { guard: 'last', target: 'even', actions: ['fewer', { type: 'reply', params: { value: true } }] },
          { actions: ['fewer', { type: 'reply', params: { value: false } }] },
        ],
      },
    },
  },
})

/** `retry`: whether the driver minds that the sequence went on. */
const deviceThat = (retry: boolean) =>
  setup({
    types: types<{ seq: number; maps: number }>(),
    actions: {
      reply,
      drop: assign(({ context: c }) => ({ seq: c.seq + 1, maps: 0 })),
      map: assign(({ event }) => ({ maps: event.pfn ?? 0 })),
    },
    guards: { stale: ({ context, event }) => retry && event.seq !== context.seq },
  }).createMachine({
    context: { seq: 0, maps: 0 },
    initial: 'unlocked',
    on: { seq: { actions: { type: 'reply', params: ({ context }) => ({ value: context.seq }) } } },
    states: {
      unlocked: { on: { lock: 'locked', invalidate: { actions: 'drop' } } },
      locked: {
        on: {
          unlock: 'unlocked',
          commit: [
            { guard: 'stale', target: 'unlocked', actions: { type: 'reply', params: { value: true } } },
            { actions: ['map', { type: 'reply', params: { value: false } }] },
          ],
        },
      },
    },
  })
const device = deviceThat(true)
const careless = deviceThat(false)

/** What there was before the sequence: a flag, cleared when an invalidation begins, and set again when none is in flight any more. */
const flagged = setup({
  types: types<{ valid: boolean; maps: number }>(),
  actions: {
    reply,
    drop: assign({ maps: 0 }),
    clear: assign({ valid: false }),
    over: assign(({ context, event }) => ({ valid: context.valid || event.last === true })),
    map: assign(({ event }) => ({ maps: event.pfn ?? 0 })),
  },
  guards: { stale: ({ context }) => !context.valid },
}).createMachine({
  context: { valid: true, maps: 0 },
  initial: 'unlocked',
  on: { seq: { actions: { type: 'reply', params: { value: 0 } } }, clear: { actions: 'clear' }, over: { actions: 'over' } },
  states: {
    unlocked: { on: { lock: 'locked', invalidate: { actions: 'drop' } } },
    locked: {
      on: {
        unlock: 'unlocked',
        commit: [
          { guard: 'stale', target: 'unlocked', actions: { type: 'reply', params: { value: true } } },
          { actions: ['map', { type: 'reply', params: { value: false } }] },
        ],
      },
    },
  },
})

const range = setup({
  types: types<{ device: string; seq: number; pfn: number }, { device: string }>(),
  actions: {
    seq: assign(({ event }) => ({ seq: event.replies?.[1] as number })),
    pfn: assign(({ event }) => ({ pfn: event.replies?.[0] as number })),
  },
  guards: { stale: ({ event }) => event.replies?.[0] === true },
}).createMachine({
  context: ({ input }) => ({ device: input.device, seq: 0, pfn: 0 }),
  initial: 'read_begin',
  states: {
    read_begin: { meta: { does: 'read_begin' }, on: { begun: { target: 'fault', actions: 'seq' } } },
    fault: { meta: { does: 'fault' }, on: { walked: { target: 'lock', actions: 'pfn' } } },
    lock: { meta: { does: 'lock' }, on: { locked: 'check' } },
    check: { meta: { does: 'check' }, on: { checked: [{ guard: 'stale', target: 'read_begin' }, { target: 'unlock' }] } },
    unlock: { meta: { does: 'unlock' }, on: { unlocked: 'done' } },
    done: {},
  },
})

const cpu = setup({
  types: types<{ left: number; all: readonly string[]; todo: readonly string[] }, { ops: number; devices: readonly string[] }>(),
  actions: {
    all: assign(({ context: c }) => ({ todo: c.all })),
    count: assign(({ context: c }) => ({ left: c.left - 1 })),
    less: assign(({ context: c, event }) => ({ todo: c.todo.filter(d => d !== event.device) })),
  },
}).createMachine({
  context: ({ input }) => ({ left: input.ops, all: input.devices, todo: [] }),
  initial: 'start',
  states: {
    start: { meta: { does: 'start' }, on: { started: { target: 'callbacks', actions: 'all' } } },
    callbacks: { meta: { does: 'callbacks' }, on: { called: { actions: 'less' }, cleared: 'end' } },
    end: { meta: { does: 'end' }, on: { ended: { target: 'start', actions: 'count' } } },
  },
})

const call = (to: string, type: string, more = {}): Call => ({ to, event: { type, ...more } })
const does =
  <C>(type: string, calls: (c: C) => Offer<never>['calls'], more = {}): Does<null, never, C> =>
  (_, c) => [{ do: type, calls: calls(c), facts: [], event: replies => ({ type, replies, ...more }) }]
const ranges = kind<null, never, typeof range>(range, {
  read_begin: does('begun', c => [call('registry', 'read_begin'), call(c.device, 'seq')]),
  fault: does('walked', () => [call('page', 'fault')]),
  lock: does('locked', c => [call(c.device, 'lock')]),
  check: does('checked', c => [call(c.device, 'commit', { seq: c.seq, pfn: c.pfn })]),
  unlock: does('unlocked', c => [call(c.device, 'unlock')]),
})
/** `tell`: devices have flags, which hear of an invalidation when it begins, and when the last one is over. */
const cpusThat = (tell: boolean) =>
  kind<null, never, typeof cpu>(cpu, {
    start: (m, c, b) =>
      c.left === 0
        ? []
        : does<typeof c>('started', () => [call('registry', 'start'), ...(tell ? c.all.map(d => call(d, 'clear')) : [])])(m, c, b),
    callbacks: (m, c, b) =>
      c.todo.length === 0
        ? does('cleared', () => [call('page', 'clear')])(m, c, b)
        : c.todo.flatMap(d => does('called', () => [call(d, 'invalidate')], { device: d })(m, c, b)),
    end: does('ended', c => [call('registry', 'end'), ...(tell ? c.all.map(over) : [])]),
  })
const over =
  (d: string) =>
  ([last]: readonly unknown[]): Call =>
    call(d, 'over', { last })
const cpus = cpusThat(false)
const tellingCpus = cpusThat(true)

const DEVICES = { none: device, 'no retry': careless, 'valid flag': flagged }

/** No device maps a frame that the CPU has dropped, once no invalidation is in flight. */
const noStale = (gpus: number): Property<null> => ({
  kind: 'always',
  name: 'no stale mapping',
  wrong: ({ actors }: World<null>) => {
    const of = (i: number, key: 'active' | 'maps' | 'pte'): number => {
      const context: Readonly<Partial<Record<typeof key, number>>> = actors[i]?.context ?? {}
      return context[key] ?? 0
    }
    if (of(1, 'active') > 0) return undefined
    for (let g = 0; g < gpus; g++) {
      const maps = of(2 + g, 'maps')
      if (maps !== 0 && maps !== of(0, 'pte')) return `gpu${g} still maps frame ${maps}`
    }
    return undefined
  },
})

/** The model of so many GPUs, CPUs, and invalidations of each CPU. */
export function abstractMirror(gpus: number, threads: number, ops: number, bug: keyof typeof DEVICES = 'none'): Model<null, never> {
  const devices = Array.from({ length: gpus }, (_, i) => `gpu${i}`)
  const threadNames = Array.from({ length: threads }, (_, i) => `cpu${i}`)
  return {
    system: system<null, never>({
      memory: null,
      fold: m => m,
      take: compiled,
      actors: [
        actor('page', kind(page), {}),
        actor('registry', kind(registry), {}),
        ...devices.map(d => ({ name: d, kind: kind<null, never, AnyStateMachine>(DEVICES[bug]), input: {} })),
        ...devices.map(d => actor(`${d}.range`, ranges, { device: d })),
        ...threadNames.map(name => actor(name, bug === 'valid flag' ? tellingCpus : cpus, { ops, devices })),
      ],
    }),
    properties: [noStale(gpus), { kind: 'deadlock', name: 'no deadlock' }],
    symmetry: [devices.map(d => [d, `${d}.range`]), threadNames.map(name => [name])],
  }
}
