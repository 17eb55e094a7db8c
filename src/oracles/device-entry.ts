/** What is wrong with what a device maps at a page, next to what the CPU does: for oracles, and for whoever shows or explains entries. */
import { frameOf, isMigration, isPresent, isWritable, kindOf } from '../memory/entry.ts'
import { MAPPED_ATOMIC } from '../kernel/test-hmm/dmirror-table.ts'
import { HMM_PFN_WRITE } from '../walker/hmm.ts'
import { isLent } from './oracle.ts'

/** Does the CPU's entry lead to a page, its own or one that it has lent? */
export const leads = (entry: number): boolean => isPresent(entry) || isLent(entry)

/** Not what the CPU's page table maps there, or has lent; a page that is on its way is nobody's until it has arrived. */
export const isStale = (word: number, entry: number): boolean => !isMigration(entry) && !(leads(entry) && frameOf(entry) === frameOf(word))

/** The device may write where the CPU may not, nor might if the page came back. */
export function writesTooMuch(word: number, entry: number): boolean {
  if (isMigration(entry) || (word & HMM_PFN_WRITE) === 0) return false
  return !(isPresent(entry) ? isWritable(entry) : kindOf(entry).endsWith('-w'))
}

export type Wrong = 'stale' | 'writes too much'

/** Of an entry that is both, that it is stale says more. What a device had to itself, and the CPU has back, it could write as well. */
export function wrongWith(word: number, entry: number): Wrong | undefined {
  if (word === 0) return undefined
  const isTakenBack = (word & MAPPED_ATOMIC) !== 0 && isPresent(entry)
  return isStale(word, entry) ? 'stale' : writesTooMuch(isTakenBack ? word | HMM_PFN_WRITE : word, entry) ? 'writes too much' : undefined
}
