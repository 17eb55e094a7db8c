/**
 * A device with a page table of its own, as a driver keeps it: the driver lock is the two states. Its interval notifier
 * covers pages [start, end); the callback sets the sequence and drops what the device maps, for DMA too, in one locked section.
 * It returns with the device's TLB flushed, and nothing in flight that goes by what was dropped.
 */
import { assign, setup } from 'xstate'
import { dmaMapAlloc, mapPfn, unmapPfns, type DmaMap } from '../src/kernel/dma-map.ts'
import type { Profile } from '../src/kernel/profiles.ts'
import { Table } from '../src/memory/table.ts'
import { reply } from '../src/system/actor.ts'
import { HMM_PFN_INOUT_FLAGS, HMM_PFN_VALID, HMM_PFN_WRITE } from '../src/walker/hmm.ts'

interface Pages {
  readonly start: number
  readonly end: number
}

export interface DeviceContext extends Pages {
  /** The address space that is mirrored. */
  readonly mm: string
  /** `interval_sub->invalidate_seq` */
  readonly invalidate_seq: number
  /** By page number: words as `hmm_range_fault()` gave them (walker/hmm.ts), 0 where nothing is mapped. */
  readonly table: Table
  /** What it has mapped for DMA, if it does so page by page. */
  readonly dma?: DmaMap
  /** How it accesses memory, if it does. */
  readonly access?: {
    /** Words of the table that it has looked up. */
    readonly tlb: Table
    /** Pages of accesses that are translated, and not performed yet. */
    readonly inFlight: readonly number[]
  }
}

type Event =
  | { readonly type: 'lock' | 'unlock' | 'read_begin' | 'hmm_dma_map_alloc' | 'pfn_list' }
  | { readonly type: 'hmm_dma_map_pfn'; readonly page: number; readonly word: number }
  | ({ readonly type: 'inserted'; readonly seq: number } & Pages)
  | ({ readonly type: 'invalidate'; readonly blockable: boolean; readonly seq: number } & Pages)
  | ({ readonly type: 'sync_cpu_device_pagetables'; readonly blockable: boolean } & Pages)
  | { readonly type: 'check_retry' | 'read_retry'; readonly seq: number }
  | ({ readonly type: 'commit'; readonly pfns: Table } & Pages)
  | { readonly type: 'translate'; readonly page: number; readonly write: boolean }
  | { readonly type: 'performed'; readonly page: number }

/** What of the walk's result the device maps. */
function mapped(table: Table, { start, end, pfns }: Pages & { readonly pfns: Table }): Table {
  return table.update(start, end - start, (_, p) => ((pfns.get(p) & HMM_PFN_VALID) === 0 ? 0 : pfns.get(p) & ~HMM_PFN_INOUT_FLAGS))
}

/** What the device finds for an access: in its TLB, else in its table; 0 if there is nothing that allows it. */
function found({ table, access }: DeviceContext, page: number, write: boolean): number {
  const allows = (word: number): boolean => (word & HMM_PFN_VALID) !== 0 && (!write || (word & HMM_PFN_WRITE) !== 0)
  return [access?.tlb.get(page) ?? 0, table.get(page)].find(allows) ?? 0
}

function begun(context: DeviceContext, page: number, write: boolean): Partial<DeviceContext> {
  const word = found(context, page, write)
  if (word === 0 || context.access === undefined) return {}
  const { tlb, inFlight } = context.access
  return { access: { tlb: tlb.set(page, word), inFlight: [...inFlight, page] } }
}

export const device = setup({
  types: {
    context: {} as DeviceContext,
    events: {} as Event,
    input: {} as { readonly mm: string; readonly dma?: Pick<DmaMap, 'room' | 'limited'>; readonly accesses?: true } & Pages,
  },
  actions: {
    reply,
    drop: assign(({ context, event }) =>
      'start' in event
        ? {
            table: context.table.setRange(event.start, event.end - event.start, 0, 0),
            ...(context.dma === undefined ? {} : { dma: unmapPfns(context.dma, event.start, event.end) }),
          }
        : {},
    ),
    flushTlb: assign(({ context: { access }, event }) =>
      'start' in event && access !== undefined
        ? { access: { ...access, tlb: access.tlb.setRange(event.start, event.end - event.start, 0, 0) } }
        : {},
    ),
    begin: assign(({ context, event: e }) => (e.type === 'translate' ? begun(context, e.page, e.write) : {})),
    end: assign(({ context: { access }, event: e }) =>
      e.type === 'performed' && access !== undefined
        ? { access: { ...access, inFlight: access.inFlight.toSpliced(access.inFlight.indexOf(e.page), 1) } }
        : {},
    ),
    mapPfn: assign(({ context: { dma }, event: e }) =>
      e.type === 'hmm_dma_map_pfn' && dma !== undefined ? { dma: mapPfn(dma, e.page, e.word).map } : {},
    ),
    mmu_interval_set_seq: assign(({ event }) => ('seq' in event ? { invalidate_seq: event.seq } : {})),
    cover: assign(({ event }) => (event.type === 'inserted' ? { start: event.start, end: event.end } : {})),
    map: assign(({ context, event }) => (event.type === 'commit' ? { table: mapped(context.table, event) } : {})),
  },
  guards: {
    mayNotBlock: ({ event }) => 'blockable' in event && !event.blockable,
    /** Nothing is in flight to pages that are invalidated. */
    quiet: ({ context: { access }, event }) =>
      access === undefined || !('start' in event) || !access.inFlight.some(page => event.start <= page && page < event.end),
  },
}).createMachine({
  id: 'device',
  context: ({ input: { mm, start, end, dma, accesses } }) => ({
    mm,
    start,
    end,
    invalidate_seq: 1,
    table: Table.empty,
    ...(dma === undefined ? {} : { dma: { ...dma, pfns: Table.empty, mapped: 0 } }),
    ...(accesses === undefined ? {} : { access: { tlb: Table.empty, inFlight: [] } }),
  }),
  initial: 'unlocked',
  on: {
    inserted: { actions: ['cover', 'mmu_interval_set_seq'] },
    read_begin: { actions: { type: 'reply', params: ({ context }) => ({ value: context.invalidate_seq }) } },
    // Hardware does not ask for the driver's lock.
    translate: {
      actions: [
        {
          type: 'reply',
          params: ({ context, event: e }) => ({ value: e.type === 'translate' ? found(context, e.page, e.write) : 0 }),
        },
        'begin',
      ],
    },
    performed: { actions: 'end' },
    hmm_dma_map_alloc: { actions: { type: 'reply', params: ({ context }) => ({ value: dmaMapAlloc(context.dma) }) } },
    pfn_list: { actions: { type: 'reply', params: ({ context }) => ({ value: context.dma?.pfns ?? Table.empty }) } },
    check_retry: {
      actions: { type: 'reply', params: ({ context, event }) => ({ value: 'seq' in event && event.seq !== context.invalidate_seq }) },
    },
  },
  states: {
    unlocked: {
      on: {
        lock: 'locked',
        // What is in flight is waited for, as the lock is.
        invalidate: [
          { guard: 'quiet', actions: ['mmu_interval_set_seq', 'drop', 'flushTlb', { type: 'reply', params: { value: true } }] },
          { guard: 'mayNotBlock', actions: { type: 'reply', params: { value: false } } },
        ],
        sync_cpu_device_pagetables: [
          { guard: 'quiet', actions: ['drop', 'flushTlb', { type: 'reply', params: { value: true } }] },
          { guard: 'mayNotBlock', actions: { type: 'reply', params: { value: false } } },
        ],
      },
    },
    // An invalidation waits for the lock; one that may not block is declined.
    locked: {
      on: {
        unlock: 'unlocked',
        read_retry: {
          actions: { type: 'reply', params: ({ context, event }) => ({ value: 'seq' in event && event.seq !== context.invalidate_seq }) },
        },
        hmm_dma_map_pfn: {
          actions: [
            {
              type: 'reply',
              params: ({ context: { dma }, event: e }) => ({
                value: e.type === 'hmm_dma_map_pfn' && dma !== undefined ? mapPfn(dma, e.page, e.word).answer : 'DMA_MAPPING_ERROR',
              }),
            },
            'mapPfn',
          ],
        },
        commit: { actions: 'map' },
        invalidate: { guard: 'mayNotBlock', actions: { type: 'reply', params: { value: false } } },
        sync_cpu_device_pagetables: { guard: 'mayNotBlock', actions: { type: 'reply', params: { value: false } } },
      },
    },
  },
})

/** The device as the driver has it on a kernel with bugs. */
export function deviceWith(bugs: Profile['bugs']): typeof device {
  const flushes = bugs.includes('noDeviceTlbFlush') ? device.provide({ actions: { flushTlb: assign({}) } }) : device
  return bugs.includes('doesNotWaitForDma') ? flushes.provide({ guards: { quiet: () => true } }) : flushes
}
