/** What a program can ask the kernel for: the part of the vocabulary of agendas that statements are made of. */
import type { FileKind, FileName, MmName } from '../memory/memory.ts'
import type { Page } from '../memory/address.ts'
import type { PagemapName } from '../memory/dax.ts'
import type { GupFlags } from '../walker/gup.ts'
import type { ActorName, Call } from './offer.ts'
import type { Advice, FilePages, FileWrite, FillFailure, MapOf, Mirror, Move, Notifier, NotifierRange, Prot, Span } from './operands.ts'

/** What a program can ask the kernel for: system calls, and calls that a driver would make in its place. */
export interface SystemCalls {
  mmap: Span & { readonly prot: Prot; readonly shared: boolean; readonly of: MapOf; readonly fails?: FillFailure }
  munmap: Span
  mprotect: Span & { readonly prot: Prot }
  madvise: Span & { readonly advice: Advice }
  /** A process with an address space of its own; `thread` is its first. */
  fork: { readonly mm: MmName; readonly child: MmName; readonly thread: ActorName }
  exit: { readonly mm: MmName }
  mlock: Span
  munlock: Span
  /** Opens a file, made empty if it is not there. */
  open: { readonly mm: MmName; readonly file: FileName; readonly kind: FileKind; readonly pfnMap?: false }
  close: { readonly mm: MmName; readonly file: FileName }
  /** To a size in bytes. */
  ftruncate: { readonly file: FileName; readonly size: number }
  /** Blocks for pages that have none. */
  fallocate: FilePages
  punch_hole: FilePages
  /** What each page begins with, into the array, by index. */
  pread: FilePages
  /** Writes `value`, `value + 1`, … at the start of each page, `bytes` of them a page. */
  pwrite: FileWrite
  mremap: Move
  get_user_pages: Span & { readonly flags: GupFlags }
  get_user_pages_fast: Span & { readonly flags: GupFlags }
  /** The driver of DAX memory goes, and its page map with it. */
  devm_memremap_pages_release: { readonly pagemap: PagemapName }
  /** What the scheduler does to memory now and then, to learn by faults who uses it. */
  change_prot_numa: Span
  /** The OOM reaper takes what it can have without waiting. */
  oom_reap_task_mm: { readonly mm: MmName }
  mmu_interval_notifier_insert: Notifier & { readonly start: Page; readonly end: Page }
  mmu_interval_notifier_remove: Notifier
  mmu_interval_read_begin: Notifier
  mmu_interval_read_retry: Notifier
  mmu_notifier_invalidate_range_start: { readonly range: NotifierRange }
  mmu_notifier_invalidate_range_end: { readonly range: NotifierRange }
  // The commands of the HMM test driver (lib/test_hmm.c); `mm` is the process that opened it.
  dmirror_open: Mirror
  dmirror_read: Mirror & Span
  dmirror_write: Mirror & Span & { readonly value: number }
  dmirror_migrate_to_device: Mirror & Span
  dmirror_migrate_to_system: Mirror & Span
  dmirror_snapshot: Mirror & Span
  dmirror_exclusive: Mirror & Span
  dmirror_check_exclusive: Mirror & Span
  dmirror_release: Mirror
  /** A device of DAX memory is about to go: nobody gets a reference to its page map any more. */
  dev_pagemap_kill: { readonly pagemap: string }
  /** It goes: its page map dies, if it has not yet, and everybody loses what they have mapped of it. */
  memunmap_pages: { readonly pagemap: string }
  /** A call of a driver's own, made in one step. */
  driver_call: Call
}
