/**
 * The list of `hmm_mirror`s of Linux 5.2 (mm/hmm.c), a plain notifier: it marks ranges that an invalidation meets as not
 * valid, calls every mirror's device, and when no invalidation is left says of *all* ranges that they are valid again.
 * A range that was invalidated between two looks at its flag looks as if nothing had happened: seed 004.
 */
import { assign, setup } from 'xstate'
import type { ActorName } from '../src/kernel/offer.ts'
import { reply } from '../src/system/actor.ts'

interface Range {
  readonly who: ActorName
  readonly start: number
  readonly end: number
  readonly valid: boolean
}
export interface HmmMirrorContext {
  /** Invalidations in flight. */
  readonly notifiers: number
  readonly ranges: readonly Range[]
  /** Devices, in the order in which they are called. */
  readonly mirrors: readonly ActorName[]
}
type Event =
  | { readonly type: 'invalidate_range_start' | 'invalidate_range_end'; readonly start: number; readonly end: number }
  | { readonly type: 'hmm_range_register'; readonly who: ActorName; readonly start: number; readonly end: number }
  | { readonly type: 'hmm_range_unregister' | 'hmm_range_wait_until_valid' | 'needs_retry'; readonly who: ActorName }

/** An invalidation that ends where a range begins counts as meeting it: the comparison is off by one. */
const meets = (range: Range, start: number, end: number): boolean => end >= range.start && start < range.end

const isValid = (context: HmmMirrorContext, event: Event): boolean =>
  'who' in event && context.ranges.some(r => r.who === event.who && r.valid)

export const hmmMirror = setup({
  types: { context: {} as HmmMirrorContext, events: {} as Event, input: {} as { readonly mirrors: readonly ActorName[] } },
  actions: {
    reply,
    invalidate: assign(({ context: c, event: e }) =>
      e.type === 'invalidate_range_start'
        ? { notifiers: c.notifiers + 1, ranges: c.ranges.map(r => (meets(r, e.start, e.end) ? { ...r, valid: false } : r)) }
        : {},
    ),
    close: assign(({ context: c }) => ({ notifiers: c.notifiers - 1 })),
    validate: assign(({ context: c }) => ({ ranges: c.ranges.map(r => ({ ...r, valid: true })) })),
    register: assign(({ context: c, event: e }) =>
      e.type === 'hmm_range_register'
        ? { ranges: [...c.ranges, { who: e.who, start: e.start, end: e.end, valid: c.notifiers === 0 }] }
        : {},
    ),
    unregister: assign(({ context: c, event: e }) => ('who' in e ? { ranges: c.ranges.filter(r => r.who !== e.who) } : {})),
  },
  guards: {
    last: ({ context }) => context.notifiers === 1,
    valid: ({ context, event }) => isValid(context, event),
  },
}).createMachine({
  id: 'hmm',
  context: ({ input }) => ({ notifiers: 0, ranges: [], mirrors: input.mirrors }),
  initial: 'valid',
  on: {
    hmm_range_register: { actions: 'register' },
    hmm_range_unregister: { actions: 'unregister' },
    hmm_range_wait_until_valid: { guard: 'valid' },
    needs_retry: { actions: { type: 'reply', params: ({ context, event }) => ({ value: !isValid(context, event) }) } },
    invalidate_range_start: {
      target: '.invalidating',
      actions: ['invalidate', { type: 'reply', params: ({ context }) => ({ value: context.mirrors }) }],
    },
  },
  states: {
    valid: {},
    invalidating: {
      on: { invalidate_range_end: [{ guard: 'last', target: 'valid', actions: ['close', 'validate'] }, { actions: 'close' }] },
    },
  },
})
