/** Virtual memory areas: `struct vm_area_struct`, as far as behaviour depends on it. */
import { page, type Page } from './address.ts'

/** Flags with the kernel's names. */
export const VM_READ = 1
export const VM_WRITE = 2
export const VM_EXEC = 4
export const VM_SHARED = 8
export const VM_MAYREAD = 16
export const VM_MAYWRITE = 32
export const VM_MAYEXEC = 64
export const VM_MAYSHARE = 128
export const VM_LOCKED = 256
/** Accounted against the commit limit: private and once writable. It keeps areas from merging. */
export const VM_ACCOUNT = 512
export const VM_HUGEPAGE = 1024
export const VM_NOHUGEPAGE = 2048
/** `MADV_DONTFORK` */
export const VM_DONTCOPY = 4096
export const VM_WIPEONFORK = 8192
export const VM_HUGETLB = 16384
/** Driver mappings: of page frames without struct pages, of both kinds, of device registers; these must not grow. */
export const VM_PFNMAP = 32768
export const VM_MIXEDMAP = 65536
export const VM_IO = 131072
export const VM_DONTEXPAND = 262144
/** `vma_wants_writenotify()`: shared pages are mapped read-only until they are written, so that the file system hears of it. */
export const VM_WRITENOTIFY = 524288
/** Of private 2 MiB pages: the mapping that pages are promised to, and one that has lost a page to it. */
export const HPAGE_RESV_OWNER = 2 ** 28
export const HPAGE_RESV_UNMAPPED = 2 ** 29
/** Never merged. */
export const VM_SPECIAL = VM_PFNMAP | VM_MIXEDMAP | VM_IO | VM_DONTEXPAND
export const VM_ACCESS_FLAGS = VM_READ | VM_WRITE | VM_EXEC

export interface Vma {
  readonly start: Page
  readonly end: Page
  readonly flags: number
  /** Index of the first page in the file; for private anonymous memory its page number when it was mapped. */
  readonly pgoff: number
  /** The `anon_vma` that new anonymous pages belong to; 0 until the first is made. */
  readonly anonVma: number
  /** All `anon_vma`s whose pages it may map: its own, and those of the processes it was forked from. */
  readonly linked: readonly number[]
  /**
   * Reverse mappings visit the areas of a file that have equal offsets in ascending order of this: as they were inserted. A
   * copy that a fork made has the number of its original and a fraction, which puts it right behind.
   */
  readonly order: number
  /** The same for anonymous memory, where copies stand as they were made. */
  readonly anonOrder: number
  /** The file that is mapped (shared anonymous memory has one too); '' for private anonymous memory. */
  readonly file: string
}

export const has = (v: Vma, flags: number): boolean => (v.flags & flags) !== 0
export const isAnonymous = (v: Vma): boolean => v.file === ''
export const pagesOf = (v: Vma): number => v.end - v.start
/** PROT_NONE areas are not accessible: `vma_is_accessible()`. */
export const isAccessible = (v: Vma): boolean => has(v, VM_ACCESS_FLAGS)
/** Private, and allowed to become writable: a write copies. `is_cow_mapping()`. */
export const isCow = (v: Vma): boolean => (v.flags & (VM_SHARED | VM_MAYWRITE)) === VM_MAYWRITE
/** The index in its file of a page of the area. */
export const linearIndex = (v: Vma, p: Page): number => v.pgoff + (p - v.start)

/** The area that ends behind `p`, whether it contains it or not: `find_vma()`. */
export const findVma = (vmas: readonly Vma[], p: Page): Vma | undefined => vmas.find(v => p < v.end)
/** The area that contains `p`: `vma_lookup()`. */
export function vmaAt(vmas: readonly Vma[], p: Page): Vma | undefined {
  const v = findVma(vmas, p)
  return v !== undefined && v.start <= p ? v : undefined
}
/** The areas that [start, end) meets; an empty span meets none. */
export const vmasIn = (vmas: readonly Vma[], start: Page, end: Page): readonly Vma[] =>
  start < end ? vmas.filter(v => v.start < end && start < v.end) : []

/** The part of an area from `start` to `end`, with the page offset that it then has. */
export const partOf = (v: Vma, start: Page, end: Page): Vma => ({
  start: page(start),
  end: page(end),
  flags: v.flags,
  pgoff: v.pgoff + (start - v.start),
  anonVma: v.anonVma,
  linked: v.linked,
  order: v.order,
  anonOrder: v.anonOrder,
  file: v.file,
})
