/** What the HMM test driver does for those who call it: part of the vocabulary of agendas. */
import type { Pfn } from '../../memory/address.ts'
import type { At, Cursor, DmirrorPages, Folio, MakeExclusive, Migrated, Mirror, Span } from '../operands.ts'

export interface DmirrorItems {
  // test-hmm/dmirror.ts, test-hmm/dmirror-migrate.ts, test-hmm/dmirror-file.ts
  /** `read` fills the array with what the pages contain; `faults` counts rounds of faulting, null where there are none. */
  dmirror_do: DmirrorPages
  dmirror_do_pages: DmirrorPages
  dmirror_memcpy: DmirrorPages & { readonly frames: readonly Pfn[] }
  dmirror_done: { readonly cpages: number; readonly faults: number }
  dmirror_mutex_unlock: Mirror
  dmirror_fault: Mirror & Cursor & { readonly write: boolean }
  dmirror_range_fault: Mirror & Span & { readonly write: boolean }
  dmirror_do_fault: Mirror & Span & { readonly write: boolean; readonly seq: number }
  dmirror_store: Mirror & Span & { readonly write: boolean }
  dmirror_snapshot_batch: Mirror & Cursor
  dmirror_range_snapshot: Mirror & Span
  dmirror_mkentry: Mirror & Span
  dmirror_snapshot_remove: Mirror
  dmirror_migrate_batch: Mirror & Cursor & { readonly way: 'to device' | 'to system' }
  /** `pages`: as many as one entry maps. */
  dmirror_devmem_fault: At & Folio & { readonly pages: number }
  put_page: Folio
  dmirror_free: Mirror
  dmirror_evict: Mirror
  dmirror_devmem_reset: Mirror
  dmirror_alloc_and_copy: Migrated
  dmirror_finalize_and_map: Migrated

  // test-hmm/exclusive.ts
  dmirror_exclusive_batch: Mirror & Cursor
  /** The next page, where each is made exclusive by itself: it has been taken. */
  make_page_exclusive: Mirror & At
  /** The page that was taken, which is locked, is wanted only if it is the one that is mapped. */
  device_exclusive_walk: Mirror & At & Folio
  device_exclusive_store: Mirror & At & Folio
  make_device_exclusive: MakeExclusive
  make_exclusive_in: Span & Folio
  page_make_device_exclusive: Span & Folio
  /** `valid`: the page was writable where it is wanted. */
  device_exclusive_check: MakeExclusive & Folio & { readonly valid: boolean }
  device_exclusive_end: MakeExclusive
  /** A CPU fault on the exclusive entry of a page. */
  remove_device_exclusive_entry: At & Folio
  device_exclusive_lock: At & Folio
  /** Only if the entry is of the page. */
  restore_exclusive_pte: At & Folio
}
