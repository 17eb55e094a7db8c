/**
 * An open file of the kernel's HMM test driver (`struct dmirror`, lib/test_hmm.c): a device's page table for the process
 * that opened it, the mutex that guards it, and the interval notifier that keeps it true.
 */
import { assign, setup } from 'xstate'
import { Table } from '../src/memory/table.ts'
import { reply } from '../src/system/actor.ts'

interface Pages {
  readonly start: number
  readonly end: number
}

export interface DmirrorContext {
  readonly mm: string
  /** `mdevice`: whose notifications of migration are its own doing. */
  readonly device: string
  readonly invalidate_seq: number
  /** By page number: a frame and the flags of src/kernel/dmirror-table.ts. */
  readonly table: Table
}

type Event =
  | { readonly type: 'opened'; readonly mm: string; readonly device: string; readonly seq: number }
  | { readonly type: 'closed' | 'mutex_lock' | 'mutex_unlock' | 'xa_load' | 'read_begin' }
  | ({ readonly type: 'xa_store'; readonly entries: Table } & Pages)
  | { readonly type: 'xa_erase'; readonly page: number }
  | { readonly type: 'check_retry' | 'read_retry'; readonly seq: number }
  | ({
      readonly type: 'invalidate'
      readonly event: string
      readonly owner: string | null
      readonly blockable: boolean
      readonly seq: number
    } & Pages)

/** `dmirror_do_update()` takes one page more behind the end. */
const erased = (table: Table, { start, end }: Pages): Table => table.setRange(start, Math.min(end + 1, 2 ** 30) - start, 0, 0)

const stored = (table: Table, { start, end, entries }: Pages & { readonly entries: Table }): Table =>
  table.update(start, end - start, (old, p) => (entries.get(p) === 0 ? old : entries.get(p)))

export const dmirror = setup({
  types: { context: {} as DmirrorContext, events: {} as Event },
  actions: {
    reply,
    open: assign(({ event }) =>
      event.type === 'opened' ? { mm: event.mm, device: event.device, invalidate_seq: event.seq, table: Table.empty } : {},
    ),
    close: assign({ table: Table.empty }),
    mmu_interval_set_seq: assign(({ event }) => (event.type === 'invalidate' ? { invalidate_seq: event.seq } : {})),
    dmirror_do_update: assign(({ context, event }) => (event.type === 'invalidate' ? { table: erased(context.table, event) } : {})),
    store: assign(({ context, event }) => (event.type === 'xa_store' ? { table: stored(context.table, event) } : {})),
    erase: assign(({ context, event }) => (event.type === 'xa_erase' ? { table: context.table.set(event.page, 0) } : {})),
  },
  guards: {
    // The pages are the device's own, or about to be: migration sees to them.
    own: ({ context, event }) => event.type === 'invalidate' && event.event === 'MIGRATE' && event.owner === context.device,
    mayNotBlock: ({ event }) => event.type === 'invalidate' && !event.blockable,
  },
}).createMachine({
  id: 'dmirror',
  context: { mm: '', device: '', invalidate_seq: 0, table: Table.empty },
  initial: 'closed',
  on: {
    read_begin: { actions: { type: 'reply', params: ({ context }) => ({ value: context.invalidate_seq }) } },
    check_retry: {
      actions: { type: 'reply', params: ({ context, event }) => ({ value: 'seq' in event && event.seq !== context.invalidate_seq }) },
    },
    // `dmirror_devmem_fault_alloc_and_copy()` does not take the mutex.
    xa_erase: { actions: 'erase' },
  },
  states: {
    closed: { on: { opened: { target: 'unlocked', actions: 'open' } } },
    unlocked: {
      on: {
        closed: { target: 'closed', actions: 'close' },
        mutex_lock: 'locked',
        invalidate: [
          { guard: 'own', actions: { type: 'reply', params: { value: true } } },
          { actions: ['mmu_interval_set_seq', 'dmirror_do_update', { type: 'reply', params: { value: true } }] },
        ],
      },
    },
    locked: {
      on: {
        mutex_unlock: 'unlocked',
        xa_load: { actions: { type: 'reply', params: ({ context }) => ({ value: context.table }) } },
        xa_store: { actions: 'store' },
        read_retry: {
          actions: { type: 'reply', params: ({ context, event }) => ({ value: 'seq' in event && event.seq !== context.invalidate_seq }) },
        },
        invalidate: [
          { guard: 'own', actions: { type: 'reply', params: { value: true } } },
          { guard: 'mayNotBlock', actions: { type: 'reply', params: { value: false } } },
        ],
      },
    },
  },
})
