/** What a device's exclusive access leaves in a page table. */
import { kindOf } from '../../memory/entry.ts'

export const isExclusiveEntry = (entry: number): boolean => {
  const kind = kindOf(entry)
  return kind === '!excl-r' || kind === '!excl-w'
}
