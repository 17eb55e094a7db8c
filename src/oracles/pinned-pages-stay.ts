/**
 * A page that `get_user_pages()` has pinned stays the process's own until it is put back: nobody moves it, copies it away or makes a
 * part of something else of it. For programs that do not themselves discard what they have pinned, and touch it again.
 */
import { page } from '../memory/address.ts'
import { frameOf, isSwap, NONE } from '../memory/entry.ts'
import { smallEntryAt } from '../memory/pagetable.ts'
import type { Span } from '../kernel/agenda.ts'
import type { Work } from '../kernel/advance.ts'
import type { Oracle } from './oracle.ts'

/** What an actor has pinned stands in its array, from the start of the call on: until it is put back, or while more is being taken. */
function pinning({ agenda = [] }: Partial<Work>): Span | undefined {
  for (const item of agenda) {
    if (item.do === 'put_pages' && item.take === 'pin') return item
    if ((item.do === 'gup_pte_range' || item.do === 'gup_fast_slow') && item.flags.take === 'pin') return item
  }
  return undefined
}

export const pinnedPagesStay: Oracle = ({ names, world: { actors, memory } }) => {
  for (const [i, { context }] of actors.entries()) {
    const work: Partial<Work> = context
    const pinned = pinning(work)
    const mm = pinned === undefined ? undefined : memory.mms[pinned.mm]
    if (pinned === undefined || mm === undefined || work.array === undefined) continue
    for (let p = pinned.start; p < pinned.end && work.array.get(p) !== 0; p = page(p + 1)) {
      const entry = smallEntryAt(mm, p)
      const [own, frame] = [frameOf(entry), work.array.get(p)]
      if (entry === NONE || own === frame) continue
      return `${names[i] ?? ''} has pinned frame ${frame} of page ${p}, where the process has ${isSwap(entry) ? 'swap' : `frame ${own}`}`
    }
  }
  return undefined
}
