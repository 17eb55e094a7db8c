/** Loads and stores of a program, as the CPU makes them: through the entry if it allows them, else by a page fault. */
import { page, type Page } from '../../memory/address.ts'
import {
  ACCESSED,
  DEVMAP,
  DIRTY,
  frameOf,
  isPresent,
  isWritable,
  NEXT_FRAME,
  present,
  PROTNONE,
  withFlags,
  wordOf,
  type Entry,
} from '../../memory/entry.ts'
import { entries, type Fact } from '../../memory/facts.ts'
import { mmOf, type Memory, type MmName } from '../../memory/memory.ts'
import { frameAt, leafAt } from '../../memory/pagetable.ts'
import { writableAtOnce } from '../../memory/tlb.ts'
import { contents } from '../pages/folio.ts'

/** A program reads pages [at, end). */
export interface Load {
  readonly do: 'load'
  readonly at: Page
  readonly end: Page
}
/** A program writes `value`, `value + 1`, … into pages [at, end). */
export interface Store {
  readonly do: 'store'
  readonly at: Page
  readonly end: Page
  readonly value: number
}
export type Access = Load | Store

/** What is left of an access whose pages before `at` are done. */
export const from = (access: Access, at: Page): Access =>
  access.do === 'load' ? { ...access, at } : { ...access, at, value: access.value + (at - access.at) }

export interface Accessed {
  readonly facts: readonly Fact[]
  /** What was loaded, a page each. */
  readonly values: readonly number[]
  /** Pages before it are done; one that is not needs a page fault first. */
  readonly at: Page
}

/** As much of an access as the page table allows, `budget` pages at most. The CPU marks entries as it goes. */
export function accessPages(memory: Memory, name: MmName, access: Access, budget: number): Accessed {
  const mm = mmOf(memory, name)
  const marks = access.do === 'store' ? ACCESSED | DIRTY : ACCESSED
  const facts: Fact[] = []
  const stored: (readonly [frame: number, value: number])[] = []
  const values: number[] = []
  const learnt: Learnt[] = []
  let marked = -1
  let at = access.at
  for (const until = Math.min(access.end, at + budget); at < until; at = page(at + 1)) {
    const known = mm.tlb.get(at)
    let frame = frameOf(known)
    if (!allows(known, access)) {
      const leaf = leafAt(mm, at)
      const { level, index, entry } = leaf
      if (!allows(entry, access)) break
      frame = frameAt(leaf, at)
      if ((entry & marks) !== marks && (level === 'pte' || marked !== index)) {
        facts.push(entries(level, name, index, 1, withFlags(entry, marks)))
        marked = index
      }
      if (level !== 'pte' && (entry & DEVMAP) !== 0) learnt.push([at, present(writableAtOnce(entry | marks), frame)])
    }
    if (access.do === 'load') values.push(memory.frames.content.get(frame))
    else stored.push([frame, access.value + (at - access.at)])
  }
  return { facts: [...facts, ...inTlb(name, learnt), ...contents(memory.frames, stored)], values, at }
}

/** May the CPU do this through an entry? */
const allows = (entry: number, access: Access): boolean =>
  isPresent(entry) && (entry & PROTNONE) === 0 && (access.do === 'load' || isWritable(entry))

type Learnt = readonly [at: Page, entry: Entry]

/** Runs of pages that lie beside one another, told as one. */
function inTlb(name: MmName, learnt: readonly Learnt[]): readonly Fact[] {
  const facts: Fact[] = []
  for (let i = 0; i < learnt.length;) {
    const [at, entry] = learnt[i] as Learnt
    let count = 1
    while (learnt[i + count]?.[0] === at + count && learnt[i + count]?.[1] === entry + count * NEXT_FRAME) count++
    facts.push(['tlb', name, at, count, wordOf(entry), frameOf(entry), 1])
    i += count
  }
  return facts
}
