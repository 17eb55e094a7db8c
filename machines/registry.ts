/**
 * The notifier subscriptions of an address space (`struct mmu_notifier_subscriptions`, mm/mmu_notifier.c): the tree of
 * interval notifiers, and the list of plain ones.
 *
 * While an invalidation that meets a notifier is in flight, the sequence is odd and the tree is frozen: inserts and
 * removes are deferred to the end of the last one. An invalidation that meets none is counted all the same.
 */
import { assign, setup } from 'xstate'
import type { Started } from '../src/kernel/notifiers.ts'
import type { ActorName } from '../src/kernel/offer.ts'
import { reply } from '../src/system/actor.ts'

/** Pages [start, end). */
interface Interval {
  readonly start: number
  readonly end: number
}
interface Sub extends Interval {
  readonly who: ActorName
  /** Which of its notifiers, if it has several. */
  readonly sub?: number
}

interface Context {
  readonly active_invalidate_ranges: number
  readonly invalidate_seq: number
  /** By ascending start; of equal ones, the one inserted first. */
  readonly itree: readonly Sub[]
  /** Newest first, as it is worked off. */
  readonly deferred: readonly (Sub & { readonly insert: boolean })[]
  /** Plain notifiers, newest first. */
  readonly list: readonly ActorName[]
}

type Event =
  | ({ readonly type: 'invalidate_range_start' | 'mmu_notifier_release' } & Interval)
  | { readonly type: 'invalidate_range_end'; readonly early?: boolean }
  | { readonly type: 'mn_itree_inv_end' }
  | ({ readonly type: 'mmu_interval_notifier_insert' } & Sub)
  | { readonly type: 'mmu_interval_notifier_remove'; readonly who: ActorName }
  | { readonly type: 'mmu_interval_read_begin' }
  | { readonly type: 'wait_event'; readonly seq: number }

const NONE: Context['deferred'] = []
const hits = (itree: readonly Sub[], { start, end }: Interval): readonly Sub[] => itree.filter(s => s.start < end && start < s.end)

function inserted(itree: readonly Sub[], { who, start, end }: Sub): readonly Sub[] {
  const at = itree.findIndex(s => s.start > start)
  return itree.toSpliced(at < 0 ? itree.length : at, 0, { who, start, end })
}
const removed = (itree: readonly Sub[], who: ActorName): readonly Sub[] => itree.filter(s => s.who !== who)

const isRange = (event: Event): event is Event & Interval =>
  event.type === 'invalidate_range_start' || event.type === 'mmu_notifier_release'
const isSub = (event: Event): event is Event & Sub => event.type === 'mmu_interval_notifier_insert'

const READ_BEGIN = {
  actions: { type: 'reply', params: ({ context }: { readonly context: Context }) => ({ value: context.invalidate_seq }) },
} as const

export const registry = setup({
  types: {
    context: {} as Context,
    events: {} as Event,
    input: {} as { readonly itree?: readonly Sub[]; readonly list?: readonly ActorName[] },
  },
  actions: {
    reply,
    open: assign(({ context }) => ({ active_invalidate_ranges: context.active_invalidate_ranges + 1 })),
    close: assign(({ context }) => ({ active_invalidate_ranges: context.active_invalidate_ranges - 1 })),
    odd: assign(({ context }) => ({ invalidate_seq: context.invalidate_seq | 1 })),
    even: assign(({ context }) => ({ invalidate_seq: context.invalidate_seq + 1 })),
    applyDeferred: assign(({ context }) => ({
      deferred: NONE,
      itree: context.deferred.reduce<readonly Sub[]>((itree, d) => (d.insert ? inserted(itree, d) : removed(itree, d.who)), context.itree),
    })),
    insert: assign(({ context, event }) => (isSub(event) ? { itree: inserted(context.itree, event) } : {})),
    remove: assign(({ context, event }) => ('who' in event ? { itree: removed(context.itree, event.who) } : {})),
    deferInsert: assign(({ context, event }) =>
      isSub(event) ? { deferred: [{ who: event.who, start: event.start, end: event.end, insert: true }, ...context.deferred] } : {},
    ),
    deferRemove: assign(({ context, event }) =>
      'who' in event ? { deferred: [{ who: event.who, start: 0, end: 0, insert: false }, ...context.deferred] } : {},
    ),
    undefer: assign(({ context, event }) => ('who' in event ? { deferred: context.deferred.filter(d => d.who !== event.who) } : {})),
  },
  guards: {
    hits: ({ context, event }) => isRange(event) && hits(context.itree, event).length > 0,
    last: ({ context }) => context.active_invalidate_ranges === 1,
    early: ({ context, event }) =>
      event.type === 'invalidate_range_end' &&
      event.early === true &&
      context.active_invalidate_ranges === 1 &&
      context.deferred.length > 0,
    inFlight: ({ context }) => context.active_invalidate_ranges > 0,
    inTree: ({ context, event }) => 'who' in event && context.itree.some(s => s.who === event.who),
    moved: ({ context, event }) => event.type === 'wait_event' && event.seq !== context.invalidate_seq,
  },
}).createMachine({
  id: 'registry',
  context: ({ input }) => ({
    active_invalidate_ranges: 0,
    invalidate_seq: 2,
    itree: input.itree ?? [],
    deferred: NONE,
    list: input.list ?? [],
  }),
  initial: 'idle',
  on: { wait_event: { guard: 'moved' } },
  states: {
    idle: {
      on: {
        mmu_interval_read_begin: READ_BEGIN,
        invalidate_range_start: [
          {
            guard: 'hits',
            target: 'invalidating',
            actions: ['open', 'odd', { type: 'reply', params: ({ context, event }) => ({ value: whom(context, event) }) }],
          },
          { actions: ['open', { type: 'reply', params: ({ context, event }) => ({ value: whom(context, event) }) }] },
        ],
        // That it ends is told, as it began, only if anybody heard of it (`mn_itree_inv_end`).
        mmu_notifier_release: [
          {
            guard: 'hits',
            target: 'invalidating',
            actions: ['open', 'odd', { type: 'reply', params: ({ context, event }) => ({ value: whom(context, event) }) }],
          },
          { actions: { type: 'reply', params: ({ context, event }) => ({ value: whom(context, event) }) } },
        ],
        invalidate_range_end: { actions: ['close', { type: 'reply', params: ({ context }) => ({ value: context.list }) }] },
        mmu_interval_notifier_insert: [
          // It must be taken to lie inside what is in flight: nothing says that it does not.
          {
            guard: 'inFlight',
            target: 'invalidating',
            actions: ['odd', 'insert', { type: 'reply', params: ({ context }) => ({ value: context.invalidate_seq }) }],
          },
          { actions: ['insert', { type: 'reply', params: ({ context }) => ({ value: context.invalidate_seq - 1 }) }] },
        ],
        mmu_interval_notifier_remove: { actions: ['remove', { type: 'reply', params: { value: null } }] },
      },
    },
    invalidating: {
      on: {
        mmu_interval_read_begin: READ_BEGIN,
        mmu_notifier_release: [
          { guard: 'hits', actions: ['open', { type: 'reply', params: ({ context, event }) => ({ value: whom(context, event) }) }] },
          { actions: { type: 'reply', params: ({ context, event }) => ({ value: whom(context, event) }) } },
        ],
        invalidate_range_start: { actions: ['open', { type: 'reply', params: ({ context, event }) => ({ value: whom(context, event) }) }] },
        invalidate_range_end: [
          { guard: 'early', target: 'releasing', actions: ['even', { type: 'reply', params: { value: null } }] },
          {
            guard: 'last',
            target: 'idle',
            actions: ['close', 'even', 'applyDeferred', { type: 'reply', params: ({ context }) => ({ value: context.list }) }],
          },
          { actions: ['close', { type: 'reply', params: ({ context }) => ({ value: context.list }) }] },
        ],
        mn_itree_inv_end: [{ guard: 'last', target: 'idle', actions: ['close', 'even', 'applyDeferred'] }, { actions: 'close' }],
        mmu_interval_notifier_insert: {
          actions: ['deferInsert', { type: 'reply', params: ({ context }) => ({ value: context.invalidate_seq }) }],
        },
        // Who removes a notifier from the frozen tree has to wait until the sequence moves on.
        mmu_interval_notifier_remove: [
          { guard: 'inTree', actions: ['deferRemove', { type: 'reply', params: ({ context }) => ({ value: context.invalidate_seq }) }] },
          { actions: ['undefer', { type: 'reply', params: { value: null } }] },
        ],
      },
    },
    // With removeSeesSequence, the last invalidation ends in two steps if there is anything to be worked off: the lock is held, and the
    // sequence has moved, which only those can tell who look at it without the lock.
    releasing: {
      on: {
        invalidate_range_end: {
          target: 'idle',
          actions: ['close', 'applyDeferred', { type: 'reply', params: ({ context }) => ({ value: context.list }) }],
        },
      },
    },
  },
})

/** What an invalidation is told: its sequence, and whom to call. */
function whom({ itree, list, invalidate_seq }: Context, event: Event): Started {
  return {
    seq: invalidate_seq,
    interval: isRange(event) ? hits(itree, event).map(({ who, sub }) => (sub === undefined ? who : { who, sub })) : [],
    plain: list,
  }
}
