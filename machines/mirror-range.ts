/**
 * One `struct hmm_range` registered with `hmm_mirror` (Linux 5.2 to 5.5): wait until the range is valid, walk, and under the
 * driver lock ask again whether it is. That it was not in between goes unseen: seed 004.
 */
import { assign, setup } from 'xstate'
import { accessed, translated } from '../src/kernel/device-access.ts'
import { hmmOf } from '../src/kernel/names.ts'
import { call } from '../src/kernel/offer.ts'
import { dmaUnmap, rangeFault, type RangeContext, type RangeEvent } from '../src/kernel/range.ts'
import { REST, workOf } from '../src/kernel/thread.ts'
import { rangeGuards, type RangeInput } from './range.ts'

export const mirrorRange = setup({
  types: { context: {} as RangeContext, events: {} as RangeEvent, input: {} as RangeInput, meta: {} as { readonly does: string } },
  actions: {
    count: assign(({ context }) => ({ begun: context.begun + 1 })),
    walk: assign(({ context }) => rangeFault(context, call(hmmOf(context.mm), 'needs_retry', { who: context.name }))),
    goOn: assign(({ event }) => ('agenda' in event ? workOf(event) : {})),
    rest: assign({ ...REST, program: [] }),
    unmapDma: assign(({ context }) => dmaUnmap(context)),
    giveUp: assign({ fail: 'EBUSY' }),
    mmGone: assign({ fail: 'EFAULT' }),
    finish: assign(({ context }) => ({ ...REST, program: context.program.slice(1), begun: 0 })),
    translated: assign(({ context, event }) => translated(context, event)),
    accessed: assign(({ context, event }) => accessed(context, event)),
    again: assign({ ...REST, begun: 0 }),
  },
  guards: rangeGuards,
}).createMachine({
  id: 'mirror_range',
  context: ({ input }) => ({ ...REST, ...input, seq: 0, begun: 0 }),
  initial: 'idle',
  states: {
    idle: { meta: { does: 'idle' }, on: { translated: { target: 'perform', actions: 'translated' }, fault: 'hmm_range_register' } },
    hmm_range_register: { meta: { does: 'hmm_range_register' }, on: { done: 'hmm_range_wait_until_valid' } },
    hmm_range_wait_until_valid: {
      meta: { does: 'hmm_range_wait_until_valid' },
      on: { done: { target: 'mmap_read_lock', actions: 'count' } },
    },
    perform: { meta: { does: 'perform' }, on: { accessed: { target: 'idle', actions: 'accessed' } } },
    mmap_read_lock: {
      meta: { does: 'mmap_read_lock' },
      on: {
        done: { target: 'hmm_range_fault', actions: 'walk' },
        mm_gone: { target: 'hmm_range_unregister', actions: 'mmGone' },
        oops: { target: 'dead', actions: 'rest' },
      },
    },
    hmm_range_fault: {
      meta: { does: 'hmm_range_fault' },
      on: { ran: { actions: 'goOn' }, walked: { target: 'mmap_read_unlock', actions: 'goOn' }, oops: { target: 'dead', actions: 'rest' } },
    },
    mmap_read_unlock: {
      meta: { does: 'mmap_read_unlock' },
      on: {
        done: [
          { guard: 'again', target: 'hmm_range_wait_until_valid' },
          { guard: 'failed', target: 'hmm_range_unregister' },
          { target: 'driver_lock' },
        ],
      },
    },
    driver_lock: { meta: { does: 'driver_lock' }, on: { done: 'hmm_range_valid' } },
    hmm_range_valid: { meta: { does: 'hmm_range_valid' }, on: { checked: [{ guard: 'stale', target: 'retry' }, { target: 'commit' }] } },
    retry: {
      meta: { does: 'driver_unlock' },
      on: {
        done: [
          { guard: 'mapsDma', target: 'hmm_range_dma_unmap', actions: 'unmapDma' },
          { guard: 'mayBegin', target: 'hmm_range_wait_until_valid' },
          { target: 'hmm_range_unregister', actions: 'giveUp' },
        ],
      },
    },
    hmm_range_dma_unmap: {
      meta: { does: 'hmm_range_dma_unmap' },
      on: {
        ran: { actions: 'goOn' },
        dma_unmapped: [
          { guard: 'mayBegin', target: 'hmm_range_wait_until_valid' },
          { target: 'hmm_range_unregister', actions: 'giveUp' },
        ],
      },
    },
    commit: { meta: { does: 'commit' }, on: { done: 'driver_unlock' } },
    driver_unlock: { meta: { does: 'driver_unlock' }, on: { done: 'hmm_range_unregister' } },
    hmm_range_unregister: {
      meta: { does: 'hmm_range_unregister' },
      on: { done: [{ guard: 'accesses', target: 'idle', actions: 'again' }, { target: 'finished' }] },
    },
    /** The kernel died under it. */
    dead: {},
    finished: { meta: { does: 'end' }, on: { ended: { target: 'idle', actions: 'finish' } } },
  },
})
