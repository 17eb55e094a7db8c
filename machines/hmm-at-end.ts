/**
 * `struct hmm` of Linux 4.14 (mm/hmm.c), a plain notifier that acts only when an invalidation *ends*: then it marks ranges
 * that the invalidation meets as not valid, for ever, clears what they have found of its pages, and calls every mirror's
 * device. Until then a device goes on with what the page table has lost already.
 */
import { assign, setup } from 'xstate'
import type { ActorName } from '../src/kernel/offer.ts'
import { reply } from '../src/system/actor.ts'

interface Pages {
  readonly start: number
  readonly end: number
}
interface Range extends Pages {
  readonly who: ActorName
  readonly valid: boolean
  /** Pages of its array that invalidations have cleared since it was last told. */
  readonly cleared: readonly Pages[]
}
interface Context {
  readonly ranges: readonly Range[]
  /** Devices, in the order in which they are called. */
  readonly mirrors: readonly ActorName[]
}
type Event =
  | ({ readonly type: 'invalidate_range_end' } & Pages)
  | { readonly type: 'invalidate_range_start' }
  | ({ readonly type: 'hmm_range_add'; readonly who: ActorName } & Pages)
  | { readonly type: 'hmm_pfns_cleared' | 'hmm_vma_range_done'; readonly who: ActorName }

/** An invalidation that ends where a range begins counts as meeting it: the comparison is off by one. */
const meets = (range: Range, { start, end }: Pages): boolean => end >= range.start && start < range.end

const invalidated = (range: Range, { start, end }: Pages): Range => ({
  ...range,
  valid: false,
  cleared: [...range.cleared, { start: Math.max(start, range.start), end: Math.min(end, range.end) }],
})

const rangeOf = ({ ranges }: Context, event: Event): Range | undefined =>
  'who' in event ? ranges.find(({ who }) => who === event.who) : undefined

export const hmmAtEnd = setup({
  types: { context: {} as Context, events: {} as Event, input: {} as { readonly mirrors: readonly ActorName[] } },
  actions: {
    reply,
    invalidate: assign(({ context, event }) =>
      event.type === 'invalidate_range_end'
        ? { ranges: context.ranges.map(range => (meets(range, event) ? invalidated(range, event) : range)) }
        : {},
    ),
    add: assign(({ context, event }) =>
      event.type === 'hmm_range_add'
        ? { ranges: [...context.ranges, { who: event.who, start: event.start, end: event.end, valid: true, cleared: [] }] }
        : {},
    ),
    tell: assign(({ context, event }) => ({
      ranges: context.ranges.map(range => (range === rangeOf(context, event) ? { ...range, cleared: [] } : range)),
    })),
    remove: assign(({ context, event }) => ({ ranges: context.ranges.filter(range => range !== rangeOf(context, event)) })),
  },
}).createMachine({
  id: 'hmm_at_end',
  context: ({ input }) => ({ ranges: [], mirrors: input.mirrors }),
  initial: 'registered',
  states: {
    registered: {
      on: {
        invalidate_range_start: {},
        invalidate_range_end: {
          actions: ['invalidate', { type: 'reply', params: ({ context }) => ({ value: context.mirrors }) }],
        },
        hmm_range_add: { actions: 'add' },
        hmm_pfns_cleared: {
          actions: [{ type: 'reply', params: ({ context, event }) => ({ value: rangeOf(context, event)?.cleared ?? [] }) }, 'tell'],
        },
        hmm_vma_range_done: {
          actions: [
            {
              type: 'reply',
              params: ({ context, event }) => {
                const range = rangeOf(context, event)
                return { value: { valid: range?.valid ?? false, cleared: range?.cleared ?? [] } }
              },
            },
            'remove',
          ],
        },
      },
    },
  },
})
