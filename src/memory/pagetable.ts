/** Looking pages up in the four levels of an address space's tables. */
import { indexAt, pageAt, pfn, type Level, type Page, type Pfn } from './address.ts'
import { frameOf, isPresent, kindOf, NEXT_FRAME, NONE, TABLE, type Entry } from './entry.ts'
import type { Mm } from './memory.ts'

/** The entry at which the walk for a page ends: one that maps it, one of another kind, or the highest that is empty. */
export interface Leaf {
  readonly level: Level
  readonly index: number
  readonly entry: Entry
}

const LEVELS: readonly Level[] = ['pgd', 'pud', 'pmd', 'pte']

export function leafAt(mm: Mm, p: Page): Leaf {
  for (const level of LEVELS) {
    const index = indexAt(level, p)
    const entry = mm[level].get(index)
    // Tables hold entries: whoever writes one writes it as such.
    if (entry !== TABLE || level === 'pte') return { level, index, entry: entry as Entry }
  }
  throw new Error('a page table without a last level')
}

/** The frame that maps a page through a present leaf of any size. */
export const frameAt = ({ level, index, entry }: Leaf, p: Page): Pfn => pfn(frameOf(entry) + (p - pageAt(level, index)))

/** Is it an entry of 2 MiB that leads to a large folio which a device has? */
export const isHugePrivate = ({ level, entry }: Pick<Leaf, 'level' | 'entry'>): boolean =>
  level === 'pmd' && kindOf(entry).startsWith('!devpriv')

/** What maps a page, as an entry of its own, also where it is part of a larger one. */
export function smallEntryAt(mm: Mm, p: Page): Entry {
  const leaf = leafAt(mm, p)
  return isPresent(leaf.entry) || isHugePrivate(leaf)
    ? ((leaf.entry + (p - pageAt(leaf.level, leaf.index)) * NEXT_FRAME) as Entry)
    : leaf.entry
}

/** The entry of a level that is, or would be, on the way to a page; NONE where a level above is empty. */
export function entryAt(mm: Mm, level: Level, p: Page): Entry {
  return mm[level].get(indexAt(level, p)) as Entry
}

/** Is a 2 MiB entry there for the page, of the system's memory or of a device's? */
export const isHuge = (mm: Mm, p: Page): boolean => {
  const entry = entryAt(mm, 'pmd', p)
  return isPresent(entry) || isHugePrivate({ level: 'pmd', entry })
}
/** Is there a table of PTEs for the page? */
export const hasPteTable = (mm: Mm, p: Page): boolean => mm.pmd.get(indexAt('pmd', p)) === TABLE
/** Is there a table of PMDs for the page? */
export const hasPmdTable = (mm: Mm, p: Page): boolean => mm.pud.get(indexAt('pud', p)) === TABLE
export const isEmpty = (entry: number): boolean => entry === NONE
