/**
 * Page table entries, as numbers below 2^31 so that tables stay arrays of small integers:
 *
 *   30 ……………………… 8 │ 7 … 1 │ 0
 *   frame or slot    │ flags │ 1      present: W D A S V N below, in this order from bit 1
 *   frame or slot    │ kind  │ 0      not present: one of KINDS; 0 as a whole is none
 *
 * An entry of a PMD or PUD table that is present maps a huge page; `table` leads to the table below. In facts and in
 * logs entries are words: `PWDA` with a frame, `!swap` with a slot, `table`, `none`.
 */
import { pfn, slot, type Pfn, type Slot } from './address.ts'

declare const brand: unique symbol
export type Entry = number & { readonly [brand]: 'entry' }

export const PRESENT = 1
export const WRITE = 2
export const DIRTY = 4
export const ACCESSED = 8
/** No struct page to be looked for behind it: the zero page, and raw frames. */
export const SPECIAL = 16
export const DEVMAP = 32
/** Mapped without any right: `mprotect(PROT_NONE)`. The kernel calls it present all the same. */
export const PROTNONE = 64

const LETTERS = ['P', 'W', 'D', 'A', 'S', 'V', 'N']
const KINDS = [
  'none',
  'table',
  '!swap',
  '!migr-r',
  '!migr-w',
  '!devpriv-r',
  '!devpriv-w',
  '!excl-r',
  '!excl-w',
  '!hwpoison',
  '!marker',
  // What a dump does not show: that no other address space had the page, and what a page on its way was marked with.
  '!swap-x',
  '!migr-x',
  '!migr-rD',
  '!migr-wD',
  '!migr-xD',
  '!migr-rA',
  '!migr-wA',
  '!migr-xA',
  '!migr-rDA',
  '!migr-wDA',
  '!migr-xDA',
  // An exclusive entry of newer kernels: it stays a mapping, and whether it may write is asked when it ends.
  '!excl-m',
] as const
export type AbsentKind = (typeof KINDS)[number]
export type EntryKind = AbsentKind | 'present'

const TARGET = 8
/** What is added to an entry to lead to the next frame. */
export const NEXT_FRAME = 1 << TARGET
const LOW = NEXT_FRAME - 1

export const NONE = 0 as Entry
export const TABLE = (1 << 1) as Entry

/** A present entry. */
export const present = (flags: number, frame: Pfn): Entry => (PRESENT | flags | (frame << TARGET)) as Entry
export const swapEntry = (s: Slot, exclusive: boolean): Entry => absent(exclusive ? '!swap-x' : '!swap', s)
/** An entry that is not present, of a kind that leads to a frame or slot. */
export const absent = (kind: AbsentKind, target: number): Entry => ((KINDS.indexOf(kind) << 1) | (target << TARGET)) as Entry

export const isPresent = (e: number): boolean => (e & PRESENT) !== 0
export const isWritable = (e: number): boolean => (e & WRITE) !== 0
/** What an entry is that is not present; `present` if it is. */
export const kindOf = (e: number): EntryKind => (isPresent(e) ? 'present' : (KINDS[(e & LOW) >>> 1] ?? 'none'))
export const isSwap = (e: number): boolean => {
  const kind = kindOf(e)
  return kind === '!swap' || kind === '!swap-x'
}
export const frameOf = (e: number): Pfn => pfn(e >>> TARGET)
export const slotOf = (e: number): Slot => slot(e >>> TARGET)
export const withFlags = (e: number, flags: number): Entry => (e | flags) as Entry
export const withoutFlags = (e: number, flags: number): Entry => (e & ~flags) as Entry

const words = Array.from({ length: LOW + 1 }, (_, low) =>
  (low & PRESENT) === 0 ? (KINDS[low >>> 1] ?? 'none') : LETTERS.filter((_letter, bit) => ((low >>> bit) & 1) === 1).join(''),
)
const lows = new Map<string, number>(words.map((word, low) => [word, low]))
// Kinds that do not exist read as 'none'; none itself is 0.
lows.set('none', 0)

/** The flags or the kind of an entry, as a word. */
export const wordOf = (e: number): string => words[e & LOW] ?? 'none'

/** The entry that a word and a frame or slot make; throws on a word that is none. */
export function entryOf(word: string, target: number): Entry {
  const low = lows.get(word)
  if (low === undefined) throw new RangeError(`'${word}' is no page table entry`)
  return (low | (target << TARGET)) as Entry
}

const MIGRATION = new Set(words.flatMap((word, low) => (word.startsWith('!migr') ? [low] : [])))
/** Of a page on its way from one frame to another. */
export const isMigration = (e: number): boolean => MIGRATION.has(e & LOW)

/** The kind of an entry whose right to write is gone; of a page on its way, whether it stays exclusive is said along. */
export function readOnlyKind(kind: EntryKind, migration: '!migr-x' | '!migr-r'): AbsentKind | undefined {
  if (kind === '!devpriv-w') return '!devpriv-r'
  if (kind === '!excl-w') return '!excl-r'
  return kind.startsWith('!migr-w') || (migration === '!migr-r' && kind.startsWith('!migr-x'))
    ? (kind.replace(/^!migr-./, migration) as AbsentKind)
    : undefined
}
