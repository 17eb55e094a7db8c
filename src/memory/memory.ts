/**
 * Memory: address spaces, page frames, files and swap, as one immutable value. It knows no actor; kernel rules read
 * it, and what they decide comes back as facts (facts.ts).
 */
import { pfn, slot, type Pfn, type Slot } from './address.ts'
import { Table } from './table.ts'
import type { Vma } from './vma.ts'

export type MmName = string
export type FileName = string

/** An address space: its areas in ascending order, and its four levels of page tables, each as one sparse array. */
export interface Mm {
  readonly vmas: readonly Vma[]
  /** Entries (entry.ts) by `indexAt(level, page)`. Above the PTEs an entry is `table`, a huge page, or none. */
  readonly pgd: Table
  readonly pud: Table
  readonly pmd: Table
  readonly pte: Table
}

/** `struct page`, a column a field; a frame without references is free. */
export interface Frames {
  readonly refs: Table
  /** How many page table entries map it; the zero page is not counted. */
  readonly maps: Table
  /** What it is used for (frames.ts). */
  readonly state: Table
  /** One number stands for what the page contains. */
  readonly content: Table
  /** The lowest free frame: the one that is given out next. */
  readonly free: Pfn
}

/** The swap device: how many entries lead to a slot, and what it contains. */
export interface Swap {
  readonly refs: Table
  readonly content: Table
  readonly free: Slot
}

/** A file and its page cache. */
export interface File {
  readonly kind: 'shmem'
  /** Size in pages; a fault beyond it is SIGBUS. */
  readonly pages: number
  /** By index: a present entry with the cached frame, a swap entry, or none. */
  readonly cache: Table
}

export interface Memory {
  readonly mms: Readonly<Record<MmName, Mm>>
  readonly frames: Frames
  readonly swap: Swap
  readonly files: Readonly<Record<FileName, File>>
}

export const emptyMm: Mm = { vmas: [], pgd: Table.empty, pud: Table.empty, pmd: Table.empty, pte: Table.empty }

/** Mapped by reads of private memory that was never written; never given out and never freed. */
export const ZERO_PFN = pfn(1)
const FIRST_FREE = pfn(2)

/** Memory of a machine that has just booted, with address spaces of these names. */
export const bootMemory = (mms: readonly MmName[], zeroState: number): Memory => ({
  mms: Object.fromEntries(mms.map(name => [name, emptyMm])),
  frames: {
    refs: Table.empty.set(ZERO_PFN, 1),
    maps: Table.empty,
    state: Table.empty.set(ZERO_PFN, zeroState),
    content: Table.empty,
    free: FIRST_FREE,
  },
  swap: { refs: Table.empty, content: Table.empty, free: slot(1) },
  files: {},
})

/** An address space that rules and machines speak of exists: if not, that is a defect of whoever named it. */
export function mmOf(memory: Memory, name: MmName): Mm {
  const mm = memory.mms[name]
  if (mm === undefined) throw new Error(`no address space '${name}'`)
  return mm
}

export function fileOf(memory: Memory, name: FileName): File {
  const file = memory.files[name]
  if (file === undefined) throw new Error(`no file '${name}'`)
  return file
}
