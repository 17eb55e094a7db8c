/**
 * One `struct hmm_range` within an area (Linux 4.14), as the documentation of that time has a driver use it: under
 * mmap_lock, `hmm_vma_fault()`, and under the driver lock `hmm_vma_range_done()`, which says whether what was found still
 * counts; if not, all over again.
 */
import { assign, setup } from 'xstate'
import { accessed, translated } from '../src/kernel/device-access.ts'
import { invalidatedPfns, vmaFault, type RangeContext, type RangeEvent } from '../src/kernel/range.ts'
import { REST, workOf } from '../src/kernel/thread.ts'
import { rangeGuards, type RangeInput } from './range.ts'

export const vmaRange = setup({
  types: { context: {} as RangeContext, events: {} as RangeEvent, input: {} as RangeInput, meta: {} as { readonly does: string } },
  actions: {
    walk: assign(({ context }) => ({ ...vmaFault(context), begun: context.begun + 1 })),
    goOn: assign(({ event }) => ('agenda' in event ? workOf(event) : {})),
    clear: assign(({ context, event }) => (event.type === 'range_done' ? { array: invalidatedPfns(context.array, event.cleared) } : {})),
    giveUp: assign({ fail: 'EBUSY' }),
    mmGone: assign({ fail: 'EFAULT' }),
    rest: assign({ ...REST, program: [] }),
    finish: assign(({ context }) => ({ ...REST, program: context.program.slice(1), begun: 0 })),
    translated: assign(({ context, event }) => translated(context, event)),
    accessed: assign(({ context, event }) => accessed(context, event)),
    again: assign({ ...REST, begun: 0 }),
  },
  guards: {
    ...rangeGuards,
    fails: ({ event }) => event.type === 'walked' && event.fail !== null,
    stale: ({ event }) => event.type === 'range_done' && !event.valid,
  },
}).createMachine({
  id: 'vma_range',
  context: ({ input }) => ({ ...REST, ...input, seq: 0, begun: 0 }),
  initial: 'idle',
  states: {
    idle: { meta: { does: 'idle' }, on: { translated: { target: 'perform', actions: 'translated' }, fault: 'mmap_read_lock' } },
    perform: { meta: { does: 'perform' }, on: { accessed: { target: 'idle', actions: 'accessed' } } },
    mmap_read_lock: {
      meta: { does: 'mmap_read_lock' },
      on: {
        done: { target: 'hmm_vma_fault', actions: 'walk' },
        mm_gone: { target: 'finished', actions: 'mmGone' },
        oops: { target: 'dead', actions: 'rest' },
      },
    },
    hmm_vma_fault: {
      meta: { does: 'hmm_range_fault' },
      on: {
        ran: { actions: 'goOn' },
        walked: [
          { guard: 'fails', target: 'mmap_read_unlock', actions: 'goOn' },
          { target: 'driver_lock', actions: 'goOn' },
        ],
      },
    },
    driver_lock: { meta: { does: 'driver_lock' }, on: { done: 'hmm_vma_range_done' } },
    hmm_vma_range_done: {
      meta: { does: 'hmm_vma_range_done' },
      on: {
        range_done: [
          { guard: 'stale', target: 'retry', actions: 'clear' },
          { target: 'commit', actions: 'clear' },
        ],
      },
    },
    retry: {
      meta: { does: 'driver_unlock' },
      on: {
        done: [
          { guard: 'mayBegin', target: 'hmm_vma_fault', actions: 'walk' },
          { target: 'mmap_read_unlock', actions: 'giveUp' },
        ],
      },
    },
    commit: { meta: { does: 'commit' }, on: { done: 'driver_unlock' } },
    driver_unlock: { meta: { does: 'driver_unlock' }, on: { done: 'mmap_read_unlock' } },
    mmap_read_unlock: {
      meta: { does: 'mmap_read_unlock' },
      on: { done: [{ guard: 'accesses', target: 'idle', actions: 'again' }, { target: 'finished' }] },
    },
    /** The kernel died under it. */
    dead: {},
    finished: { meta: { does: 'end' }, on: { ended: { target: 'idle', actions: 'finish' } } },
  },
})
