/** Entries of page tables in words: the CPU's, and a device's. */
import type { Page } from '../memory/address.ts'
import { frameOf, isPresent, slotOf, isSwap, wordOf } from '../memory/entry.ts'
import type { Memory, MmName } from '../memory/memory.ts'
import { leafAt, smallEntryAt } from '../memory/pagetable.ts'
import type { Table } from '../memory/table.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID, HMM_PFN_WRITE } from '../walker/hmm.ts'
import { evenRuns, isZero, isZeroPage, type Even } from './even.ts'
import { pages } from './pages.ts'

/** `#2`; of several pages that each have the next, `#2–5`, or the one before, `#5 down to #2`. */
function frames(first: number, { from, end, step }: Span): string {
  if (isZero(first)) return 'the zero page'
  const last = first + (end - 1 - from) * step
  return first === last ? `#${first}` : step > 0 ? `#${first}–${last}` : `#${first} down to #${last}`
}
const slots = (first: number, { from, end, step }: Span): string => {
  const last = first + (end - 1 - from) * step
  return first === last ? `slot ${first}` : step > 0 ? `slots ${first}–${last}` : `slots ${first} down to ${last}`
}
type Span = Omit<Even, 'entry'>
const ONE: Span = { from: 0, end: 1, step: 0 }

/** `#2 WDA`, `none`, `swap (slot 1)`; of a device's word, `#2 W`. Of several pages, `of`, if it is not their first alone. */
export function entryInWords(entry: number, ofDevice = false, of: Span = ONE): string {
  const shared = of.step === 0 && of.end - of.from > 1 && !isZeroPage(entry) ? ' each' : ''
  if (ofDevice) {
    const error = (entry & HMM_PFN_ERROR) === 0 ? '' : ' E'
    if ((entry & HMM_PFN_VALID) === 0) return entry === 0 ? 'none' : `not valid${error}`
    return `${frames(frameOf(entry), of)}${(entry & HMM_PFN_WRITE) === 0 ? '' : ' W'}${error}${shared}`
  }
  const word = wordOf(entry)
  if (word === 'none' || word === 'table') return word
  if (isPresent(entry)) return `${`${frames(frameOf(entry), of)} ${word.slice(1)}`.trimEnd()}${shared}`
  if (isSwap(entry)) return `${word.slice(1)} (${slots(slotOf(entry), of)})`
  return `${word.slice(1)} of ${frames(frameOf(entry), of)}`
}

/** What a table holds, by the name that it has where it stands: entries, a device's words (and what walks have found), or numbers. */
export type Column = 'entries' | 'words' | 'numbers'
const ENTRIES: ReadonlySet<string> = new Set(['pte', 'pmd', 'pud', 'pgd', 'tlb'])
const WORDS: ReadonlySet<string> = new Set(['table', 'array'])
export const columnOf = (name: string): Column => (ENTRIES.has(name) ? 'entries' : WORDS.has(name) ? 'words' : 'numbers')

/** What a table has at these indices: `16–17 = #2–3 WDA, 19 = #9 A`. */
export function tableInWords(table: Table, column: Column, from?: number, end?: number): string {
  const told: string[] = []
  for (const [first, stop, what] of column === 'numbers' ? numbers(table, from, end) : entries(table, column, from, end)) {
    if (told.length === MOST) return `${told.join(', ')}, …`
    told.push(`${pages(first, stop)} = ${what}`)
  }
  return told.length === 0 ? 'none' : told.join(', ')
}
/** Runs that are told one by one. */
const MOST = 12

type Told = readonly [from: number, end: number, what: string]

function* entries(table: Table, column: 'entries' | 'words', from?: number, end?: number): Generator<Told> {
  for (const even of evenRuns(table, from, end)) yield [even.from, even.end, entryInWords(even.entry, column === 'words', even)]
}

function* numbers(table: Table, from?: number, end?: number): Generator<Told> {
  for (const [first, count, value, stride] of table.runs(from, end))
    if (stride === 0) yield [first, first + count, String(value)]
    else for (let i = 0; i < count; i++) yield [first + i, first + i + 1, String(value + i * stride)]
}

const SIZES = { pte: '', pmd: ' (2 MiB)', pud: ' (1 GiB)', pgd: '' } as const

/** What the CPU maps at a page, or at several, where that goes on evenly. */
export function mappedInWords(memory: Memory, mm: MmName, p: Page, span?: Span): string {
  const of = memory.mms[mm]
  if (of === undefined) return 'no address space'
  const leaf = leafAt(of, p)
  return `${entryInWords(smallEntryAt(of, p), false, span)}${isPresent(leaf.entry) ? SIZES[leaf.level] : ''}`
}
