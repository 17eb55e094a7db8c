/**
 * One `struct hmm_range` on an interval notifier (Linux 5.5 on), as the kernel's documentation has a driver use it:
 * read the sequence, walk under mmap_lock, and under the driver lock commit only what is still current.
 */
import { assign, setup } from 'xstate'
import { accessed, isAccess, translated, type DeviceStatement } from '../src/kernel/device-access.ts'
import { call } from '../src/kernel/offer.ts'
import { dmaMap, dmaUnmap, mapsDma, mapsDmaByPage, rangeFault, type RangeContext, type RangeEvent } from '../src/kernel/range.ts'
import { REST, workOf } from '../src/kernel/thread.ts'

export interface RangeInput {
  readonly name: string
  readonly mm: string
  readonly device: string
  readonly program: readonly DeviceStatement[]
}

/** Guards of both drivers: when a range is begun again, and when the walk gave nothing to commit. */
export const rangeGuards = {
  busy: ({ event }: { readonly event: RangeEvent }) => event.type === 'begun' && event.busy,
  stale: ({ event }: { readonly event: RangeEvent }) => event.type === 'checked' && event.stale,
  again: ({ context }: { readonly context: RangeContext }) => (context.fail === 'EBUSY' || context.fail === 'EAGAIN') && mayBegin(context),
  failed: ({ context }: { readonly context: RangeContext }) => context.fail !== null,
  mayBegin: ({ context }: { readonly context: RangeContext }) => mayBegin(context),
  mapsDma: ({ context }: { readonly context: RangeContext }) => mapsDma(context),
  /** Was it an access that wanted the pages? */
  accesses: ({ context: { fail, program } }: { readonly context: RangeContext }) => fail === null && isAccess(program[0]),
}

const mayBegin = ({ program, begun }: RangeContext): boolean => {
  const attempts = program[0]?.attempts ?? null
  return attempts === null || begun < attempts
}

/** What ranges are made of; a driver's fault handler of the user's may be made of it, too. */
export const rangeSetup = setup({
  types: { context: {} as RangeContext, events: {} as RangeEvent, input: {} as RangeInput, meta: {} as { readonly does: string } },
  actions: {
    begin: assign(({ context, event }) => (event.type === 'begun' ? { seq: event.seq, begun: context.begun + 1 } : {})),
    walk: assign(({ context }) => rangeFault(context, call(context.device, 'check_retry', { seq: context.seq }))),
    goOn: assign(({ event }) => ('agenda' in event ? workOf(event) : {})),
    unmapDma: assign(({ context }) => dmaUnmap(context)),
    mapDma: assign(({ context }) => dmaMap(context)),
    keepDmaMap: assign({ hasDmaMap: true }),
    refuse: assign(({ event }) => (event.type === 'allocated' ? { fail: event.fail } : {})),
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
    mapsDmaByPage: ({ context }) => mapsDmaByPage(context),
    needsDmaMap: ({ context }) => mapsDmaByPage(context) && context.hasDmaMap !== true,
    unmappable: ({ event }) => event.type === 'dma_mapped' && event.fail !== null,
    refused: ({ event }) => event.type === 'allocated' && event.fail !== null,
  },
})

/** Nothing is being done. */
export const rangeContext = (input: RangeInput): RangeContext => ({ ...REST, ...input, seq: 0, begun: 0 })

export const range = rangeSetup.createMachine({
  id: 'range',
  context: ({ input }) => rangeContext(input),
  initial: 'idle',
  states: {
    idle: {
      meta: { does: 'idle' },
      on: {
        translated: { target: 'perform', actions: 'translated' },
        fault: [{ guard: 'needsDmaMap', target: 'hmm_dma_map_alloc' }, { target: 'read_begin' }],
      },
    },
    hmm_dma_map_alloc: {
      meta: { does: 'hmm_dma_map_alloc' },
      on: {
        allocated: [
          { guard: 'refused', target: 'failed', actions: 'refuse' },
          { target: 'read_begin', actions: 'keepDmaMap' },
        ],
      },
    },
    read_begin: {
      meta: { does: 'read_begin' },
      on: {
        timed_out: { target: 'failed', actions: 'giveUp' },
        begun: [
          { guard: 'busy', target: 'wait_event', actions: 'begin' },
          { target: 'mmap_read_lock', actions: 'begin' },
        ],
      },
    },
    wait_event: { meta: { does: 'wait_event' }, on: { done: 'mmap_read_lock' } },
    perform: { meta: { does: 'perform' }, on: { accessed: { target: 'idle', actions: 'accessed' } } },
    mmap_read_lock: {
      meta: { does: 'mmap_read_lock' },
      on: {
        done: { target: 'hmm_range_fault', actions: 'walk' },
        mm_gone: { target: 'failed', actions: 'mmGone' },
        oops: { target: 'dead', actions: 'rest' },
      },
    },
    hmm_range_fault: {
      meta: { does: 'hmm_range_fault' },
      on: {
        ran: { actions: 'goOn' },
        walked: { target: 'mmap_read_unlock', actions: 'goOn' },
        // Kernels up to v5.5 fault where no area is.
        oops: { target: 'dead', actions: 'rest' },
      },
    },
    mmap_read_unlock: {
      meta: { does: 'mmap_read_unlock' },
      on: { done: [{ guard: 'again', target: 'read_begin' }, { guard: 'failed', target: 'failed' }, { target: 'driver_lock' }] },
    },
    driver_lock: { meta: { does: 'driver_lock' }, on: { done: 'read_retry' } },
    read_retry: {
      meta: { does: 'read_retry' },
      on: {
        checked: [
          { guard: 'stale', target: 'retry' },
          { guard: 'mapsDmaByPage', target: 'hmm_dma_map', actions: 'mapDma' },
          { target: 'commit' },
        ],
      },
    },
    // Pages that were mapped before one cannot be stay so.
    hmm_dma_map: {
      meta: { does: 'hmm_dma_map' },
      on: {
        ran: { actions: 'goOn' },
        dma_mapped: [
          { guard: 'unmappable', target: 'driver_unlock', actions: 'goOn' },
          { target: 'commit', actions: 'goOn' },
        ],
      },
    },
    retry: {
      meta: { does: 'driver_unlock' },
      on: {
        done: [
          { guard: 'mapsDma', target: 'hmm_range_dma_unmap', actions: 'unmapDma' },
          { guard: 'mayBegin', target: 'read_begin' },
          { target: 'failed', actions: 'giveUp' },
        ],
      },
    },
    hmm_range_dma_unmap: {
      meta: { does: 'hmm_range_dma_unmap' },
      on: {
        ran: { actions: 'goOn' },
        dma_unmapped: [
          { guard: 'mayBegin', target: 'read_begin' },
          { target: 'failed', actions: 'giveUp' },
        ],
      },
    },
    commit: { meta: { does: 'commit' }, on: { done: 'driver_unlock' } },
    driver_unlock: {
      meta: { does: 'driver_unlock' },
      on: {
        done: [{ guard: 'failed', target: 'failed' }, { guard: 'accesses', target: 'idle', actions: 'again' }, { target: 'finished' }],
      },
    },
    finished: { meta: { does: 'end' }, on: { ended: { target: 'idle', actions: 'finish' } } },
    /** The kernel died under it. */
    dead: {},
    failed: { meta: { does: 'end' }, on: { ended: { target: 'idle', actions: 'finish' } } },
  },
})
