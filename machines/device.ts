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

export type DeviceEvent =
  | { readonly type: 'lock' | 'unlock' | 'read_begin' | 'hmm_dma_map_alloc' | 'pfn_list' }
  | { readonly type: 'hmm_dma_map_pfn'; readonly page: number; readonly word: number }
  | ({ readonly type: 'inserted'; readonly seq: number } & Pages)
  | ({ readonly type: 'invalidate'; readonly blockable: boolean; readonly seq: number } & Pages)
  | ({ readonly type: 'sync_cpu_device_pagetables'; readonly blockable: boolean } & Pages)
  | { readonly type: 'check_retry' | 'read_retry'; readonly seq: number }
  | ({ readonly type: 'commit'; readonly pfns: Table } & Pages)
  | { readonly type: 'translate'; readonly page: number; readonly write: boolean }
  | { readonly type: 'performed'; readonly page: number }

export interface DeviceInput extends Pages {
  readonly mm: string
  readonly dma?: Pick<DmaMap, 'room' | 'limited'>
  readonly accesses?: true
}

/** Nothing mapped, and a sequence that no invalidation has. */
export const deviceContext = ({ mm, start, end, dma, accesses }: DeviceInput): DeviceContext => ({
  mm,
  start,
  end,
  invalidate_seq: 1,
  table: Table.empty,
  ...(dma === undefined ? {} : { dma: { ...dma, pfns: Table.empty, mapped: 0 } }),
  ...(accesses === undefined ? {} : { access: { tlb: Table.empty, inFlight: [] } }),
})

type Becomes = (context: DeviceContext, event: { readonly type: string }) => Partial<DeviceContext>

/** Pages are taken from the device. */
export const dropped: Becomes = ({ table, dma }, event) =>
  isOnPages(event)
    ? {
        table: table.setRange(event.start, event.end - event.start, 0, 0),
        ...(dma === undefined ? {} : { dma: unmapPfns(dma, event.start, event.end) }),
      }
    : {}
const isOnPages = (event: object): event is Pages => 'start' in event && 'end' in event

/** What it has looked up of them is forgotten. */
export const flushed: Becomes = ({ access }, event) =>
  isOnPages(event) && access !== undefined
    ? { access: { ...access, tlb: access.tlb.setRange(event.start, event.end - event.start, 0, 0) } }
    : {}

/** Is nothing in flight to pages that are invalidated? */
export const isQuiet = ({ access }: DeviceContext, event: { readonly type: string }): boolean =>
  access === undefined || !isOnPages(event) || !access.inFlight.some(page => event.start <= page && page < event.end)

/** Was anything invalidated since this sequence was read? */
export const isStale = ({ invalidate_seq }: DeviceContext, event: { readonly type: string }): boolean =>
  'seq' in event && event.seq !== invalidate_seq

/** What was found is mapped. */
export const mapped = (
  { table }: DeviceContext,
  { start, end, pfns }: Extract<DeviceEvent, { readonly type: 'commit' }>,
): Partial<DeviceContext> => ({
  table: table.update(start, end - start, (_, p) => ((pfns.get(p) & HMM_PFN_VALID) === 0 ? 0 : pfns.get(p) & ~HMM_PFN_INOUT_FLAGS)),
})

/** What the device finds for an access: in its TLB, else in its table; 0 if there is nothing that allows it. */
export function found({ table, access }: DeviceContext, event: { readonly type: string }): number {
  if (!isTranslate(event)) return 0
  const allows = (word: number): boolean => (word & HMM_PFN_VALID) !== 0 && (!event.write || (word & HMM_PFN_WRITE) !== 0)
  return [access?.tlb.get(event.page) ?? 0, table.get(event.page)].find(allows) ?? 0
}
type Translate = Extract<DeviceEvent, { readonly type: 'translate' }>
const isTranslate = (event: { readonly type: string }): event is Translate => event.type === 'translate'

/** An access is in flight from its translation on, until it was performed. */
export const begun: Becomes = (context, event) => {
  const word = found(context, event)
  if (!isTranslate(event) || word === 0 || context.access === undefined) return {}
  const { tlb, inFlight } = context.access
  return { access: { tlb: tlb.set(event.page, word), inFlight: [...inFlight, event.page] } }
}
export const performed: Becomes = ({ access }, event) =>
  'page' in event && access !== undefined
    ? { access: { ...access, inFlight: access.inFlight.toSpliced(access.inFlight.indexOf(Number(event.page)), 1) } }
    : {}

/** What devices are made of: what their states do, and ask. A driver of the user's may be made of it, too. */
export const deviceSetup = setup({
  types: {
    context: {} as DeviceContext,
    events: {} as DeviceEvent,
    input: {} as DeviceInput,
  },
  actions: {
    reply,
    drop: assign(({ context, event }) => dropped(context, event)),
    flushTlb: assign(({ context, event }) => flushed(context, event)),
    begin: assign(({ context, event }) => begun(context, event)),
    end: assign(({ context, event }) => performed(context, event)),
    mapPfn: assign(({ context: { dma }, event: e }) =>
      e.type === 'hmm_dma_map_pfn' && dma !== undefined ? { dma: mapPfn(dma, e.page, e.word).map } : {},
    ),
    mmu_interval_set_seq: assign(({ event }) => ('seq' in event ? { invalidate_seq: event.seq } : {})),
    cover: assign(({ event }) => (event.type === 'inserted' ? { start: event.start, end: event.end } : {})),
    map: assign(({ context, event }) => (event.type === 'commit' ? mapped(context, event) : {})),
  },
  guards: {
    mayNotBlock: ({ event }) => 'blockable' in event && !event.blockable,
    quiet: ({ context, event }) => isQuiet(context, event),
  },
})

/** What hardware does with a device, whatever the driver's state: it does not ask for the lock. */
export const hardware = deviceSetup.createStateConfig({
  on: {
    translate: { actions: [{ type: 'reply', params: ({ context, event }) => ({ value: found(context, event) }) }, 'begin'] },
    performed: { actions: 'end' },
  },
}).on

export const device = deviceSetup.createMachine({
  id: 'device',
  context: ({ input }) => deviceContext(input),
  initial: 'unlocked',
  on: {
    inserted: { actions: ['cover', 'mmu_interval_set_seq'] },
    read_begin: { actions: { type: 'reply', params: ({ context }) => ({ value: context.invalidate_seq }) } },
    ...hardware,
    hmm_dma_map_alloc: { actions: { type: 'reply', params: ({ context }) => ({ value: dmaMapAlloc(context.dma) }) } },
    pfn_list: { actions: { type: 'reply', params: ({ context }) => ({ value: context.dma?.pfns ?? Table.empty }) } },
    read_retry: { actions: { type: 'reply', params: ({ context, event }) => ({ value: isStale(context, event) }) } },
    check_retry: {
      actions: { type: 'reply', params: ({ context, event }) => ({ value: isStale(context, event) }) },
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
