/** Loads and stores of a program, as the CPU makes them: through the entry if it allows them, else by a page fault. */
import { page, type Page } from '../memory/address.ts'
import { ACCESSED, DIRTY, frameOf, isPresent, isWritable, PROTNONE, withFlags } from '../memory/entry.ts'
import { entries, type Fact } from '../memory/facts.ts'
import { mmOf, type Memory, type MmName } from '../memory/memory.ts'

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
  const { pte } = mmOf(memory, name)
  const marks = access.do === 'store' ? ACCESSED | DIRTY : ACCESSED
  const facts: Fact[] = []
  const values: number[] = []
  let at = access.at
  for (const until = Math.min(access.end, at + budget); at < until; at = page(at + 1)) {
    const entry = pte.get(at)
    if (!isPresent(entry) || (entry & PROTNONE) !== 0 || (access.do === 'store' && !isWritable(entry))) break
    const frame = frameOf(entry)
    if ((entry & marks) !== marks) facts.push(entries('pte', name, at, 1, withFlags(entry, marks)))
    const content = memory.frames.content.get(frame)
    if (access.do === 'load') values.push(content)
    else if (content !== access.value + (at - access.at)) facts.push(['content', frame, access.value + (at - access.at)])
  }
  return { facts, values, at }
}
