/** What the items of an agenda speak of: pages, loops over them, folios, notifier ranges, mirrors, migrations. */
import type { Page, Pfn } from '../memory/address.ts'
import type { PagemapName } from '../memory/dax.ts'
import type { FileName, MmName } from '../memory/memory.ts'
import type { GupFlags } from '../walker/gup.ts'
import type { HmmRange } from '../walker/hmm.ts'
import type { VmaRange } from '../walker/hmm-vma.ts'
import type { ActorName, Call } from './offer.ts'

/** `enum mmu_notifier_event` */
export type NotifyEvent = 'UNMAP' | 'CLEAR' | 'PROTECTION_VMA' | 'PROTECTION_PAGE' | 'SOFT_DIRTY' | 'RELEASE' | 'MIGRATE' | 'EXCLUSIVE'

/** `struct mmu_notifier_range` */
export interface NotifierRange {
  readonly mm: MmName
  readonly event: NotifyEvent
  readonly start: Page
  readonly end: Page
  readonly blockable: boolean
  /** Of migrations: the device whose doing it is. */
  readonly owner: ActorName | null
}

/** `PROT_` flags as letters; `-` for none. */
export type Prot = 'r' | 'w' | 'x' | 'rw' | 'rx' | 'wx' | 'rwx' | '-'
export type Advice =
  | 'dontneed'
  | 'free'
  | 'cold'
  | 'pageout'
  | 'popr'
  | 'popw'
  | 'huge'
  | 'nohuge'
  | 'collapse'
  | 'dontfork'
  | 'dofork'
  | 'wipeonfork'

/** What a mapping is of: memory, 2 MiB pages of the pool, or a file from an offset on. */
export type MapOf = 'anon' | 'hugetlb' | { readonly file: FileName; readonly pgoff: number }

/** A driver that fills its mapping cannot have a page, counted from the first, or cannot insert it. */
export interface FillFailure {
  readonly in: 'alloc_page' | 'vm_insert_page'
  readonly page: number
}

/** Pages [start, end) of an address space. */
export interface Span {
  readonly mm: MmName
  readonly start: Page
  readonly end: Page
}
/** Pages [start, end) of a file. */
export interface FilePages {
  readonly file: FileName
  readonly start: number
  readonly end: number
}
export interface FileWrite extends FilePages {
  readonly value: number
  readonly bytes: number
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
/** A folio that reclaim has taken off its list, and its place in a file ('' if it is anonymous). */
export interface Isolated extends Folio {
  readonly file: FileName
  readonly index: number
}
/** An open file of the HMM test driver, and the process that it mirrors. */
export interface Mirror {
  readonly who: ActorName
  readonly mm: MmName
  readonly device: ActorName
}
/** Pages [at, end) that are still to be read or written, of those from `start` on; a write of `value`, `value + 1`, … from `at` on. */
export interface DmirrorPages extends Mirror, Cursor {
  readonly start: Page
  readonly access: 'read' | 'write'
  readonly value: number
  readonly faults: number | null
}
/** Pages [at, end) that are still to become exclusive, of those from `start` on; `made` are those that have. */
export interface MakeExclusive extends Mirror, Cursor {
  readonly start: Page
  readonly made: readonly Page[]
}
/** Pages [start, end) on their way, on behalf of a mirror of the test driver. */
export interface Migration {
  readonly mm: MmName
  readonly start: Page
  readonly end: Page
  /** `enum migrate_vma_direction` */
  readonly select: 'system' | 'private' | 'coherent'
  /** `pgmap_owner`: the device. */
  readonly owner: ActorName
  /** The page that a CPU fault struck, which has a reference for that; 0 for none. */
  readonly faultPage: Pfn
  /** The mirror, and what it migrates for. */
  readonly who: ActorName
  readonly way: 'to device' | 'to system' | 'fault' | 'evict'
}
export interface Migrated {
  readonly migration: Migration
  readonly src: readonly number[]
  readonly dst: readonly number[]
}
/** A process, and the child that is being made of it. */
export interface Forking {
  readonly mm: MmName
  readonly child: MmName
}
/** A folio, by its head. */
export interface Folio {
  readonly folio: Pfn
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
/** Pages [at, end) of a range that are still to be mapped for DMA, of those from `start` on; `mapped` are. */
export interface DmaPages {
  /** Who maps them. */
  readonly dma: ActorName
  readonly start: Page
  readonly at: Page
  readonly end: Page
  readonly mapped: number
  /** As of a `RangeFault`. */
  readonly stale: Call
}
/** A call of `hmm_vma_get_pfns()` or `hmm_vma_fault()`; `who` is the range that it registers. */
export interface VmaFault {
  readonly mm: MmName
  readonly range: VmaRange
  readonly who: ActorName
}
export interface Move {
  readonly mm: MmName
  readonly from: Page
  readonly to: Page
  /** Pages at the old place, and at the new. */
  readonly old: number
  readonly pages: number
}
/** Why a fault is made: `FAULT_FLAG_WRITE`, `FAULT_FLAG_UNSHARE` or neither. */
export type FaultAccess = 'read' | 'write' | 'unshare'
/** How `get_user_pages` reports pages that it cannot have: to its caller, to `MADV_POPULATE_*`, or to `mlock`. */
export type GupErrors = 'gup' | 'populate'
/** What `get_user_pages` takes pages by; undefined: not at all. */
export type Take = GupFlags['take']
/** A lockless walk, at a page. */
export interface GupFast extends Cursor {
  /** Where the call began. */
  readonly start: Page
  readonly flags: GupFlags
  /** Where the part began that is within one page table: it is given back as a whole. */
  readonly run: Page
  /** The page map that was looked up for this part. */
  readonly pagemap: PagemapName | null
}
/** A page fault: where, and why. */
export interface Fault extends At {
  readonly access: FaultAccess
  /** `FAULT_FLAG_ALLOW_RETRY`, of a caller that does not try again by itself: mmap_lock may be dropped, and the fault fails. */
  readonly mayRetry?: boolean
}
/** A fault on a file on DAX, for an entry of 2 MiB or a small one; `wp`: to make one that is there writable. */
export interface DaxFault extends Fault {
  readonly order: 'pmd' | 'pte'
  readonly wp: boolean
}
