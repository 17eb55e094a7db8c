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
import type { FileName, Memory, MmName } from '../memory/memory.ts'
import type { Table } from '../memory/table.ts'
import type { GupFlags } from '../walker/gup.ts'
import type { HmmRange } from '../walker/hmm.ts'
import type { Failure } from './failure.ts'
import type { ActorName, Call, Calls } from './offer.ts'
import type { Profile } from './profiles.ts'

/** `enum mmu_notifier_event` */
export type NotifyEvent = 'UNMAP' | 'CLEAR' | 'PROTECTION_VMA' | 'PROTECTION_PAGE' | 'SOFT_DIRTY' | 'RELEASE' | 'MIGRATE' | 'EXCLUSIVE'

/** `struct mmu_notifier_range` */
export interface NotifierRange {
  readonly mm: MmName
  readonly event: NotifyEvent
  readonly start: Page
  readonly end: Page
  readonly blockable: boolean
}

/** `PROT_` flags as letters; `-` for none. */
export type Prot = 'r' | 'w' | 'x' | 'rw' | 'rx' | 'wx' | 'rwx' | '-'
export type Advice = 'dontneed' | 'free' | 'cold' | 'pageout' | 'popr' | 'popw'

/** Pages [start, end) of an address space. */
export interface Span {
  readonly mm: MmName
  readonly start: Page
  readonly end: Page
}
/** A loop over pages of an address space: [at, end) are still to be done. */
export interface Cursor {
  readonly mm: MmName
  readonly at: Page
  readonly end: Page
}
/** One page of an address space. */
export interface At {
  readonly mm: MmName
  readonly page: Page
}
/** A page that reclaim has taken off its list: where it was mapped, and its place in a file ('' if it is anonymous). */
export interface Isolated extends At {
  readonly frame: Pfn
  readonly file: FileName
  readonly index: number
}
export interface Notifier {
  readonly mm: MmName
  /** The subscriber. */
  readonly who: ActorName
}
/** A call of `hmm_range_fault()`; pages before `last` have their results. `stale` is the call that asks whether to give up. */
export interface RangeFault {
  readonly mm: MmName
  readonly range: HmmRange
  readonly last: Page
  readonly stale: Call
}
export interface Move {
  readonly mm: MmName
  readonly from: Page
  readonly to: Page
  /** Pages at the old place, and at the new. */
  readonly old: number
  readonly pages: number
}

/** What a program can ask the kernel for: system calls, and calls that a driver would make in its place. */
export interface SystemCalls {
  mmap: Span & { readonly prot: Prot; readonly shared: boolean }
  munmap: Span
  mprotect: Span & { readonly prot: Prot }
  madvise: Span & { readonly advice: Advice }
  mlock: Span
  munlock: Span
  mremap: Move
  get_user_pages: Span & { readonly flags: GupFlags }
  mmu_interval_notifier_insert: Notifier & { readonly start: Page; readonly end: Page }
  mmu_interval_notifier_remove: Notifier
  mmu_interval_read_begin: Notifier
  mmu_interval_read_retry: Notifier
  mmu_notifier_invalidate_range_start: { readonly range: NotifierRange }
  mmu_notifier_invalidate_range_end: { readonly range: NotifierRange }
  /** A call of a driver's own, made in one step. */
  driver_call: Call
}

export interface Items extends SystemCalls {
  // locks.ts
  mmap_read_lock: { readonly mm: MmName; readonly body: Agenda }
  mmap_write_lock: { readonly mm: MmName; readonly body: Agenda }
  mmap_write_downgrade: { readonly mm: MmName }
  mmap_unlock: { readonly mm: MmName }

  // results.ts
  return: { readonly ret: number }
  fail: { readonly failure: Failure }
  /** A failure that comes by goes on as another. */
  ignore_failure: object
  as_errno: { readonly of: Readonly<Partial<Record<Failure, Failure>>> }

  // notifiers.ts
  invalidate_range_start: { readonly range: NotifierRange; readonly body: Agenda }
  invalidate: { readonly range: NotifierRange; readonly who: ActorName; readonly seq: number }
  notifier_range_start: { readonly range: NotifierRange; readonly who: ActorName }
  /** The callbacks of the `hmm_mirror` list, up to v5.4. */
  sync_cpu_device_pagetables: { readonly range: NotifierRange; readonly mirrors: readonly ActorName[] }
  notifier_range_end: { readonly range: NotifierRange; readonly who: ActorName }
  invalidate_body: { readonly range: NotifierRange; readonly body: Agenda }
  invalidate_range_end: { readonly range: NotifierRange }
  mn_itree_inv_end: { readonly mm: MmName }
  wait_event: { readonly mm: MmName; readonly seq: number; readonly ret: number }

  // mmap.ts, zap.ts
  mmap_region: SystemCalls['mmap']
  vma_set: { readonly mm: MmName; readonly facts: readonly Fact[] }
  split_vma: At
  do_munmap: Span & { readonly downgrade: boolean }
  detach_vmas: Span & { readonly downgrade: boolean }
  unmap_page_range: Cursor
  free_pgtables: Span
  fput: { readonly file: FileName }

  // mprotect.ts, mlock.ts
  mprotect_fixup: Cursor & { readonly prot: Prot }
  change_protection: Cursor
  change_pte_range: Cursor
  mlock_fixup: Cursor & { readonly lock: boolean }
  mm_populate: Cursor
  populate_vma_page_range: Cursor

  // madvise.ts, reclaim.ts
  madvise_walk_vmas: Cursor & { readonly advice: Advice; readonly gap: boolean }
  madvise_free_pte_range: Cursor
  madvise_cold_or_pageout_pte_range: Cursor & { readonly pageout: boolean; readonly isolated: readonly Isolated[] }
  shrink_folio: Isolated
  try_to_unmap_one: Isolated
  reclaim_folio: Isolated

  // mremap.ts
  mremap_locked: Move
  mremap_populate: Cursor
  move_vma: Move
  move_page_tables: Move & { readonly at: number }

  // fault.ts, shmem.ts
  do_user_addr_fault: At & { readonly access: FaultAccess }
  fault_in_vma: At & { readonly access: FaultAccess }
  handle_mm_fault: At & { readonly access: FaultAccess }
  anon_vma_prepare: At
  wp_page_copy: At & { readonly access: FaultAccess; readonly old: Entry }
  shmem_fault: At & { readonly access: FaultAccess }
  finish_fault: At & { readonly access: FaultAccess; readonly frame: Pfn }

  // gup.ts
  /** `faulted`: the page at which it is has been faulted in. */
  gup_pages: Cursor & { readonly flags: GupFlags; readonly errors: GupErrors; readonly faulted: boolean }
  gup_end: Span
  put_pages: Span & { readonly pin: boolean }

  // hmm.ts
  hmm_range_fault: RangeFault
  walk_page_range: RangeFault
  hmm_vma_fault: Cursor & { readonly access: FaultAccess }
}

/** Why a fault is made: `FAULT_FLAG_WRITE`, `FAULT_FLAG_UNSHARE` or neither. */
export type FaultAccess = 'read' | 'write' | 'unshare'
/** How `get_user_pages` reports pages that it cannot have: to its caller, to `MADV_POPULATE_*`, or to `mlock`. */
export type GupErrors = 'gup' | 'populate'

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
}

/** With `facts`, `calls` or `array` it is one atomic action; without them it is control, and takes no step of its own. */
export interface Outcome {
  readonly facts?: readonly Fact[]
  readonly calls?: Calls
  readonly array?: Table
  /** The rest of the outcome, if it hangs on what the calls replied. */
  readonly replied?: (replies: readonly unknown[]) => Outcome
  /** What is done next, in this item's place. */
  readonly then?: Agenda
  /** What the system call will answer. */
  readonly ret?: number
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
export const section = (range: Omit<NotifierRange, 'blockable'>, body: Agenda): Agenda => [
  { do: 'invalidate_range_start', range: { ...range, blockable: true }, body },
]
