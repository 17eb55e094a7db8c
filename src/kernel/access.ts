/** Loads and stores of a program, as the CPU makes them: through the entry if it allows them, else by a page fault. */
import { page, type Page } from '../memory/address.ts'
import { ACCESSED, DIRTY, isPresent, isWritable, PROTNONE, withFlags } from '../memory/entry.ts'
import { entries, type Fact } from '../memory/facts.ts'
import { mmOf, type Memory, type MmName } from '../memory/memory.ts'
import { frameAt, leafAt } from '../memory/pagetable.ts'
import { contents } from './folio.ts'

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
  let marked = -1
  let at = access.at
  for (const until = Math.min(access.end, at + budget); at < until; at = page(at + 1)) {
    const leaf = leafAt(mm, at)
    const { level, index, entry } = leaf
    if (!isPresent(entry) || (entry & PROTNONE) !== 0 || (access.do === 'store' && !isWritable(entry))) break
    const frame = frameAt(leaf, at)
    if ((entry & marks) !== marks && (level === 'pte' || marked !== index)) {
      facts.push(entries(level, name, index, 1, withFlags(entry, marks)))
      marked = index
    }
    if (access.do === 'load') values.push(memory.frames.content.get(frame))
    else stored.push([frame, access.value + (at - access.at)])
  }
  return { facts: [...facts, ...contents(memory.frames, stored)], values, at }
}
