/**
 * Memory that programs map as it is, with no page cache in between (DAX): the blocks of a file system on persistent
 * memory, and a device of 1 GiB. And what the mapping of such a file keeps of each index: `dax_make_entry()` (fs/dax.c).
 */
import { PUD_PAGES, pfn, type Pfn } from './address.ts'

/** Blocks of the file system lie in these frames. */
export const PMEM_FIRST = pfn(4 * 2 ** 20)
/** Those of another device, which has no page map: nothing describes its frames (PFN_DEV without PFN_MAP). */
export const RAW_PMEM_FIRST = pfn(4.5 * 2 ** 20)
/** The frames of the device, which begin at a multiple of 1 GiB. */
export const DEVDAX_FIRST = pfn(5 * 2 ** 20)
export const DEVDAX_PAGES = PUD_PAGES
export const isDevdax = (frame: number): boolean => frame >= DEVDAX_FIRST

/** The `dev_pagemap` that a frame belongs to, if it is a page of such a device. */
export const pagemapOf = (frame: Pfn): PagemapName | undefined =>
  PAGEMAPS.find(name => PAGEMAP_FRAMES[name].first <= frame && frame < PAGEMAP_FRAMES[name].end)

const PAGEMAPS = ['pmem0', 'dax1.0'] as const
export type PagemapName = (typeof PAGEMAPS)[number]
/** The frames that a page map describes, and the references that each has while nobody takes it. */
export const PAGEMAP_FRAMES: Readonly<Record<PagemapName, { readonly first: number; readonly end: number; readonly idle: number }>> = {
  pmem0: { first: PMEM_FIRST, end: RAW_PMEM_FIRST, idle: 1 },
  'dax1.0': { first: DEVDAX_FIRST, end: DEVDAX_FIRST + DEVDAX_PAGES, idle: 0 },
}

/** Is the page map on its way out (`percpu_ref_kill()`)? Then nobody gets a reference any more. */
export const isDying = ({ killed = [] }: { readonly killed?: readonly string[] }, pagemap: string): boolean => killed.includes(pagemap)

/** An entry of the mapping: the index has a block; it has none and the zero page is mapped; or neither is known yet. */
const KINDS = ['none', 'block', 'zero', 'empty'] as const
export type DaxKind = (typeof KINDS)[number]
const KIND = 3
/** One entry for 512 indices, which all have it here. */
export const DAX_PMD = 4
/** To be written back: `PAGECACHE_TAG_DIRTY`. */
export const DAX_DIRTY = 8
const LETTERS = ['H', 'D']

export const DAX_NONE = 0
export const daxEntry = (kind: DaxKind, flags: number): number => KINDS.indexOf(kind) | flags
export const daxKind = (entry: number): DaxKind => KINDS[entry & KIND] ?? 'none'

const words = Array.from({ length: (KIND | DAX_PMD | DAX_DIRTY) + 1 }, (_, entry) => {
  const letters = LETTERS.filter((_letter, bit) => ((entry >>> (bit + 2)) & 1) === 1).join('')
  return letters === '' ? daxKind(entry) : `${daxKind(entry)}:${letters}`
})

/** The word for an entry. */
export const daxWord = (entry: number): string => words[entry] ?? 'none'

/** The entry behind a word; throws on a word that is none. */
export function daxEntryOf(word: string): number {
  const entry = words.indexOf(word)
  if (entry < 0) throw new RangeError(`'${word}' is no entry of a DAX mapping`)
  return entry
}
