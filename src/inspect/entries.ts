/** Entries of page tables in words: the CPU's, and a device's. */
import type { Page } from '../memory/address.ts'
import { frameOf, isPresent, slotOf, isSwap, wordOf } from '../memory/entry.ts'
import { HUGE_ZERO_PFN, ZERO_PFN, type Memory, type MmName } from '../memory/memory.ts'
import { leafAt, smallEntryAt } from '../memory/pagetable.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID, HMM_PFN_WRITE } from '../walker/hmm.ts'

const frame = (n: number): string => (n === ZERO_PFN || n === HUGE_ZERO_PFN ? 'the zero page' : `#${n}`)

/** `#2 WDA`, `none`, `swap (slot 1)`; of a device's word, `#2 W`. */
export function entryInWords(entry: number, ofDevice = false): string {
  if (ofDevice) {
    const error = (entry & HMM_PFN_ERROR) === 0 ? '' : ' E'
    if ((entry & HMM_PFN_VALID) === 0) return entry === 0 ? 'none' : `not valid${error}`
    return `${frame(frameOf(entry))}${(entry & HMM_PFN_WRITE) === 0 ? '' : ' W'}${error}`
  }
  const word = wordOf(entry)
  if (word === 'none' || word === 'table') return word
  if (isPresent(entry)) return `${frame(frameOf(entry))} ${word.slice(1)}`.trimEnd()
  if (isSwap(entry)) return `${word.slice(1)} (slot ${slotOf(entry)})`
  return `${word.slice(1)} of ${frame(frameOf(entry))}`
}

const SIZES = { pte: '', pmd: ' (2 MiB)', pud: ' (1 GiB)', pgd: '' } as const

/** What the CPU maps at a page. */
export function mappedInWords(memory: Memory, mm: MmName, p: Page): string {
  const of = memory.mms[mm]
  if (of === undefined) return 'no address space'
  const leaf = leafAt(of, p)
  return `${entryInWords(smallEntryAt(of, p))}${isPresent(leaf.entry) ? SIZES[leaf.level] : ''}`
}
