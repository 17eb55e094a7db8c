/**
 * Address arithmetic, all of it. Memory is counted in 4 KiB pages from the base of the arena that a program lives in;
 * the base is 1 GiB aligned, so levels fall where they do in the kernel:
 *
 *   page number   29 … 27 │ 26 ……… 18 │ 17 ……… 9 │ 8 ……… 0
 *   table          PGD    │    PUD    │    PMD   │   PTE
 *   an entry maps  512 GiB│   1 GiB   │   2 MiB  │  4 KiB      (the P4D of x86-64 is folded into the PGD)
 */

declare const brand: unique symbol
/** A virtual page number. */
export type Page = number & { readonly [brand]: 'page' }
/** A page frame number; 0 is none. */
export type Pfn = number & { readonly [brand]: 'pfn' }
/** A slot of the swap device; 0 is none. */
export type Slot = number & { readonly [brand]: 'slot' }

export const page = (n: number): Page => n as Page
export const pfn = (n: number): Pfn => n as Pfn
export const slot = (n: number): Slot => n as Slot

/** Pages [start, end). */
export interface Pages {
  readonly start: Page
  readonly end: Page
}

/** Pages reach from 0 up to here. */
export const PAGE_LIMIT = page(2 ** 30)

export type Level = 'pte' | 'pmd' | 'pud' | 'pgd'

const SHIFT: Readonly<Record<Level, number>> = { pte: 0, pmd: 9, pud: 18, pgd: 27 }

/** Pages that one entry of a level maps. */
export const PMD_PAGES = 1 << SHIFT.pmd
export const PUD_PAGES = 1 << SHIFT.pud

/** The index of the entry of a level that maps `p`. */
export const indexAt = (level: Level, p: Page): number => p >>> SHIFT[level]
/** The first page that entry `index` of a level maps. */
export const pageAt = (level: Level, index: number): Page => page(index * 2 ** SHIFT[level])
/** The first page behind the entry of a level that maps `p`, or `end` if that comes first: the kernel's `pmd_addr_end`. */
export const endAt = (level: Level, p: Page, end: Page): Page => page(Math.min(end, (indexAt(level, p) + 1) * 2 ** SHIFT[level]))

export const isPmdAligned = (p: Page): boolean => p % PMD_PAGES === 0
export const isPudAligned = (p: Page): boolean => p % PUD_PAGES === 0
export const pmdStart = (p: Page): Page => page(p - (p % PMD_PAGES))
export const pmdEnd = (p: Page): Page => page(pmdStart(p) + PMD_PAGES)
export const pudStart = (p: Page): Page => page(p - (p % PUD_PAGES))
