/** An interval notifier with nothing behind it: its callback sets the sequence, counts, and may decline calls that must not block. */
import { assign, setup } from 'xstate'
import { reply } from '../src/system/actor.ts'

interface Context {
  readonly invalidate_seq: number
  /** How often the callback ran since it was inserted, and with which sequence last. */
  readonly calls: number
  readonly lastseq: number
  /** What the last `mmu_interval_read_begin()` returned; drivers keep it in their range. */
  readonly begun: number
}
type Event =
  | { readonly type: 'inserted'; readonly seq: number }
  | { readonly type: 'invalidate'; readonly seq: number; readonly blockable: boolean }
  | { readonly type: 'read_begin' | 'read_retry' | 'check_retry' | 'refuse' }

export const intervalNotifier = setup({
  types: { context: {} as Context, events: {} as Event },
  actions: {
    reply,
    clear: assign(({ event }) => ('seq' in event ? { invalidate_seq: event.seq, calls: 0, lastseq: 0, begun: 0 } : {})),
    remember: assign(({ context }) => ({ begun: context.invalidate_seq })),
    mmu_interval_set_seq: assign(({ context, event }) =>
      'seq' in event ? { invalidate_seq: event.seq, calls: context.calls + 1, lastseq: event.seq } : {},
    ),
  },
  guards: { mayNotBlock: ({ event }) => event.type === 'invalidate' && !event.blockable },
}).createMachine({
  id: 'interval_notifier',
  context: { invalidate_seq: 0, calls: 0, lastseq: 0, begun: 0 },
  initial: 'agrees',
  on: {
    inserted: { target: '.agrees', actions: 'clear' },
    read_begin: { actions: ['remember', { type: 'reply', params: ({ context }) => ({ value: context.invalidate_seq }) }] },
    read_retry: { actions: { type: 'reply', params: ({ context }) => ({ value: context.begun !== context.invalidate_seq }) } },
    check_retry: { actions: { type: 'reply', params: ({ context }) => ({ value: context.begun !== context.invalidate_seq }) } },
    invalidate: { actions: ['mmu_interval_set_seq', { type: 'reply', params: { value: true } }] },
  },
  states: {
    agrees: { on: { refuse: 'refuses' } },
    refuses: { on: { refuse: {}, invalidate: { guard: 'mayNotBlock', actions: { type: 'reply', params: { value: false } } } } },
  },
})
