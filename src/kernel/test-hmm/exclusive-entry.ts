/** What a device's exclusive access leaves in a page table. */
import { kindOf } from '../../memory/entry.ts'

export const isExclusiveEntry = (entry: number): boolean => kindOf(entry).startsWith('!excl')

/** Does an entry that is not present count as a mapping of its page? Device-private pages do, and of exclusive ones the newer kind. */
export function countsAsMapping(entry: number): boolean {
  const kind = kindOf(entry)
  return kind.startsWith('!devpriv') || kind === '!excl-m'
}
