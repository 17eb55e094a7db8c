/**
 * Operations as data. What an actor is doing inside the kernel is its *agenda*: the list of what remains to be done. An
 * action takes the first item and puts items in its place; a loop is an item that puts itself back with its cursor
 * moved. The agenda is its own backtrace and its own serial form, and two threads with equal agendas have the same left
 * to do.
 *
 * This file is the vocabulary, an item named after the kernel function it speaks for. Its rules stand in a file an
 * operation, and rules.ts puts them together.
 */
import type { Page, Pfn } from '../memory/address.ts'
import type { Entry } from '../memory/entry.ts'
import type { Fact } from '../memory/facts.ts'
import type { FileLock, FileName, Memory, MmName } from '../memory/memory.ts'
import type { Table } from '../memory/table.ts'
import type { Vma } from '../memory/vma.ts'
import type { GupFlags } from '../walker/gup.ts'
import type { DaxItems } from './dax/dax-items.ts'
import type { Failure } from './failure.ts'
import type { GupItems } from './faults/gup-items.ts'
import type { HmmItems } from './faults/hmm-items.ts'
import type { ActorName, Calls } from './offer.ts'
import type {
  Advice,
  At,
  Cursor,
  Fault,
  FilePages,
  FileWrite,
  FillFailure,
  Folio,
  Forking,
  GupErrors,
  Isolated,
  Migrated,
  Migration,
  Move,
  NotifierRange,
  Prot,
  Span,
  Take,
} from './operands.ts'
import type { Profile } from './profiles.ts'
import type { SystemCalls } from './syscalls.ts'
import type { DmirrorItems } from './test-hmm/dmirror-items.ts'

export type * from './operands.ts'
export type { SystemCalls } from './syscalls.ts'

export interface Items extends SystemCalls, DaxItems, DmirrorItems, HmmItems, GupItems {
  // locks.ts
  mmap_read_lock: { readonly mm: MmName; readonly body: Agenda }
  mmap_write_lock: { readonly mm: MmName; readonly body: Agenda }
  mmap_write_downgrade: { readonly mm: MmName }
  mmap_unlock: { readonly mm: MmName }
  /** Takes again what was dropped in between; its end stands on the agenda still. */
  mmap_read_relock: { readonly mm: MmName }

  // locks.ts: results
  return: { readonly ret: number }
  fail: { readonly failure: Failure }
  /** If what came before was invalidated meanwhile (EBUSY), this is done instead. */
  if_busy: { readonly then: Agenda }
  /** A failure that comes by goes on as another. */
  ignore_failure: object
  as_errno: { readonly of: Readonly<Partial<Record<Failure, Failure>>> }

  // notifiers.ts
  /** `open`: the body ends the section itself, and goes on behind its end. */
  invalidate_range_start: { readonly range: NotifierRange; readonly body: Agenda; readonly open: boolean }
  /** `sub`: which of its notifiers, of one that has several. */
  invalidate: { readonly range: NotifierRange; readonly who: ActorName; readonly seq: number; readonly sub?: number }
  /** The callback of a driver that has begun, and returns when it has waited for what it has to wait for. */
  invalidate_wait: { readonly range: NotifierRange; readonly who: ActorName; readonly seq: number }
  notifier_range_start: { readonly range: NotifierRange; readonly who: ActorName }
  /** The callbacks of the `hmm_mirror` list, up to v5.4. */
  sync_cpu_device_pagetables: { readonly range: NotifierRange; readonly mirrors: readonly ActorName[] }
  notifier_range_end: { readonly range: NotifierRange; readonly who: ActorName }
  invalidate_body: { readonly range: NotifierRange; readonly body: Agenda; readonly open: boolean }
  invalidate_range_end: { readonly range: NotifierRange }
  /** The address space goes: interval notifiers are told so, once for all of it. */
  mmu_notifier_release: { readonly mm: MmName }
  mn_itree_inv_end: { readonly mm: MmName }
  wait_event: { readonly mm: MmName; readonly seq: number; readonly ret: number }

  // files/file-lock.ts
  file_lock: { readonly file: FileName; readonly lock: FileLock; readonly shared: boolean; readonly body: Agenda }
  file_unlock: { readonly file: FileName; readonly lock: FileLock; readonly shared: boolean }

  // files/file.ts, files/file-io.ts
  /** A call is through with a file. */
  fdput: { readonly file: FileName }
  fput: { readonly file: FileName }
  generic_perform_write: FileWrite

  // files/truncate.ts
  /** `evenCows`: also what private mappings have copied. */
  unmap_mapping_range: FilePages & { readonly evenCows: boolean }
  truncate_inode_pages_range: FilePages
  filemap_write_range: FilePages
  page_mkclean: At & Folio
  folio_clear_dirty: Folio

  // areas/mmap.ts, areas/munmap.ts, areas/zap.ts
  mmap_region: SystemCalls['mmap']
  call_mmap: Span & { readonly pgoff: number; readonly fails?: FillFailure }
  vma_set: { readonly mm: MmName; readonly facts: readonly Fact[] }
  split_vma: At
  do_munmap: Span & { readonly downgrade: boolean }
  detach_vmas: Span & { readonly downgrade: boolean }
  /** `keepsCows`: copies that private mappings have made stay. */
  /** The CPU forgets what it knows of these pages; entries see to that by themselves, unless there is a bug. */
  flush_tlb_range: Span
  /** Area by area, from `at` on; has one been declined? */
  oom_reap_vmas: { readonly mm: MmName; readonly at: Page; readonly failed: boolean }
  unmap_page_range: Cursor & { readonly keepsCows?: boolean }
  try_to_free_ptes: Span
  free_pgtables: Span

  // areas/mprotect.ts, areas/mlock.ts
  mprotect_fixup: Cursor & { readonly prot: Prot }
  change_protection: Cursor
  change_pmd_range: Cursor
  mlock_fixup: Cursor & { readonly lock: boolean }
  mlock_vma_pages_range: Span & { readonly lock: boolean }
  mm_populate: Cursor
  populate_vma_page_range: Cursor

  // areas/madvise.ts, pages/reclaim.ts
  madvise_walk_vmas: Cursor & { readonly advice: Advice; readonly gap: boolean }
  madvise_free_pte_range: Cursor
  madvise_cold_or_pageout: Cursor & { readonly pageout: boolean }
  madvise_cold_or_pageout_pte_range: Cursor & { readonly pageout: boolean; readonly isolated: readonly Isolated[] }
  /** `failure`: why an earlier block could not be made huge; `tried`: the one at `at` was tried. */
  madvise_collapse: Cursor & { readonly failure: Failure | null; readonly tried: boolean }
  collapse_begin: { readonly mm: MmName; readonly at: Page; readonly body: Agenda }
  collapse_huge_page: { readonly mm: MmName; readonly at: Page }
  collapse_isolate: { readonly mm: MmName; readonly at: Page }
  collapse_copy: { readonly mm: MmName; readonly at: Page }
  shrink_folio: Isolated
  shrink_split: Folio
  try_to_unmap_in: Isolated & Span
  try_to_unmap: Span & Folio
  reclaim_folio: Isolated
  folio_put: Folio

  // pages/lru-batch.ts
  lru_add_drain: object

  // pages/migrate.ts: words of pages stand in `src` and `dst`, the first for the page `start`
  migrate_vma_setup: { readonly migration: Migration }
  migrate_vma_collect: { readonly migration: Migration; readonly src: readonly number[] }
  migrate_device_unmap: { readonly migration: Migration; readonly src: readonly number[]; readonly at: number }
  migrate_check_page: { readonly migration: Migration; readonly src: readonly number[]; readonly at: number }
  try_to_migrate_in: Span & Folio
  migrate_device_pages: Migrated
  /** `holes`: which of the pages are still to be filled; `first`: where the first of all was. */
  migrate_vma_insert_page: Migrated & { readonly holes: readonly number[]; readonly first: number }
  migrate_device_finalize: Migrated

  // areas/fork.ts
  dup_mm: Forking
  dup_mmap: Forking & { readonly at: Page }
  copy_page_range: Forking & Cursor & { readonly cow: boolean; readonly shared: boolean }
  ret_from_fork: { readonly thread: ActorName }
  exit_mmap: { readonly mm: MmName }
  exit_files: { readonly mm: MmName; readonly files: readonly FileName[] }

  // pages/split.ts
  /** `split` is what is done once the folio is small, `kept` if it cannot be split. */
  split_folio: Folio & { readonly pins: number; readonly split: Agenda; readonly kept: Agenda }
  unmap_folio_in: Span & Folio
  try_to_migrate: Span & Folio
  remap_page: Folio
  folio_unlock: Folio
  folio_wait_locked: Folio
  put_split: Folio

  // areas/mremap.ts
  mremap_locked: Move
  mremap_populate: Cursor
  /** Of [from, from + old), what lies from `at` on goes to `target` on; `behind`: where the area before it ended, if there was one. */
  remap_move: Move & { readonly at: Page; readonly target: Page; readonly behind: Page | null }
  move_vma: Move
  move_page_tables: Move & { readonly at: number }

  // faults/fault.ts, faults/cow.ts, faults/huge.ts, faults/huge-cow.ts, faults/filemap.ts
  do_user_addr_fault: Fault
  fault_in_vma: Fault
  handle_mm_fault: Fault
  handle_pte_fault: Fault
  do_fault: Fault
  anon_vma_prepare: At
  wp_page_copy: Fault & { readonly old: Entry }
  wp_page_shared: Fault
  do_huge_pmd_anonymous_page: Fault
  do_huge_pmd_wp_page: Fault
  do_huge_zero_wp_pmd: Fault
  /**
   * Only if the entry maps `folio`; 0 is whichever it maps. `freeze`: the folio is about to be taken from all who map it;
   * small entries are migration entries at once.
   */
  split_huge_pmd: At & Folio & { readonly freeze: boolean }
  finish_fault: Fault & { readonly frame: Pfn }
  huge_pmd_wp: Fault
  huge_pmd_wp_copy: Fault & { readonly old: Entry }

  // hugetlb/hugetlb.ts, hugetlb/hugetlb-vma.ts
  hugetlb_fault: Fault
  /** A page that was taken for it is to become a copy of what `old` maps. */
  hugetlb_cow: Fault & { readonly old: Entry; readonly frame: Pfn }
  unmap_ref_private: At & Folio
  unmap_hugepage_range: Cursor & { readonly vma: Vma }
  hugetlb_vm_op_close: { readonly vma: Vma }
  hugetlb_change_protection: Cursor
  move_hugetlb_page_tables: Move
  /** [start, end) has moved away from its area. */
  clear_vma_resv_huge_pages: Span
  copy_hugetlb_page_range: Forking & Cursor & { readonly cow: boolean }

  // faults/gup.ts
  /** `faulted`: the page at which it is has been faulted in. */
  gup_pages: Cursor & {
    readonly flags: GupFlags
    readonly errors: GupErrors
    readonly faulted: boolean
    /** Page maps of DAX memory to which the call has a reference. */
    readonly pagemaps?: readonly string[]
    /** Pages that it does not take stand in the array, too. */
    readonly counts?: true
  }
  pte_alloc: At
  put_dev_pagemap: { readonly pagemap: string }
  gup_end: Span
  /** Long-term pins must not hold pages that have to go again: they are put back, moved, and pinned anew. */
  check_and_migrate_movable_pages: Span & { readonly flags: GupFlags }
  migrate_device_coherent_page: Folio & { readonly mm: MmName }
  migrated_or_busy: Folio
  put_pages: Span & { readonly take: Take }
}

/** Items that are steps of a fault, with nothing else to them. */
export type FaultItem = Item<
  | 'do_user_addr_fault'
  | 'fault_in_vma'
  | 'handle_mm_fault'
  | 'handle_pte_fault'
  | 'do_fault'
  | 'wp_page_shared'
  | 'do_huge_pmd_anonymous_page'
  | 'do_huge_pmd_wp_page'
>

/** An item of the agenda: what is to be done, and with what. */
export type Item<D extends keyof Items = keyof Items> = { readonly [K in D]: { readonly do: K } & Readonly<Items[K]> }[D]
export type Agenda = readonly Item[]

/** What a rule sees beside memory and its item. */
export interface Scene {
  readonly profile: Profile
  /** Entries that may be covered in one step. */
  readonly budget: number
  /** The array that the call in progress fills. */
  readonly array: Table
  readonly out: Readonly<Record<string, number>>
  /** What the call has answered so far. */
  readonly ret: number
}

/** With `facts`, `calls` or `array` it is one atomic action; without them it is control, and takes no step of its own. */
export interface Outcome {
  readonly facts?: readonly Fact[]
  readonly calls?: Calls
  readonly array?: Table
  /** Of control: what changes along with the next action, which must not depend on it. */
  readonly along?: readonly Fact[]
  /** The rest of the outcome, if it hangs on what the calls replied. */
  readonly replied?: (replies: readonly unknown[]) => Outcome
  /** What is done next, in this item's place. */
  readonly then?: Agenda
  /** What the system call will answer. */
  readonly ret?: number
  /** What it will tell its caller besides. */
  readonly out?: Readonly<Record<string, number>>
  /** Everything left is dropped, but for what cleans up, and what deals with failures. */
  readonly fail?: Failure
  readonly cut?: boolean
}

export type Rule<D extends keyof Items> = (memory: Memory, item: Item<D>, scene: Scene) => Outcome
export type Rules = { readonly [D in keyof Items]: Rule<D> }

/**
 * What has to be undone stands on the agenda only once it is done: so a lock, and a notifier section, hold what they
 * enclose, and put its end behind it when they begin.
 */
export const readLocked = (mm: MmName, body: Agenda): Agenda => [{ do: 'mmap_read_lock', mm, body }]
export const writeLocked = (mm: MmName, body: Agenda): Agenda => [{ do: 'mmap_write_lock', mm, body }]

/** `mmu_notifier_invalidate_range_start` … `end` around a body. */
export const section = (range: Omit<NotifierRange, 'blockable' | 'owner'>, body: Agenda): Agenda => [
  { do: 'invalidate_range_start', range: { ...range, blockable: true, owner: null }, body, open: false },
]
