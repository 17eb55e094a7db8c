/** What takes a page's place: its state, and the entries that lead to it, in the system's frames or in a device's. */
import { indexAt, page, type Pfn } from '../../memory/address.ts'
import { absent, frameOf, isMigration, kindOf, type Entry } from '../../memory/entry.ts'
import { entries, pte, type Fact } from '../../memory/facts.ts'
import { EXCLUSIVE, FOLIO_DIRTY, folioSize, frameFlags, frameKind, isAnon, LARGE, stateWord } from '../../memory/frames.ts'
import { DEVICE_PAGES, mmOf, type Memory } from '../../memory/memory.ts'
import { has, VM_WRITE, vmaAt, type Vma } from '../../memory/vma.ts'
import { flagged } from './folio.ts'
import { restoredEntry } from './migration-entry.ts'
import type { Profile } from '../profiles.ts'
import type { Place } from './rmap.ts'

/** The device that a frame of device memory belongs to: `page->pgmap->owner`. */
export function ownerOf(memory: Memory, frame: Pfn): string | undefined {
  return Object.entries(memory.devices).find(([, { first }]) => frame >= first && frame < first + DEVICE_PAGES)?.[0]
}

/** All entries that were made for a page lead to it, or to the one that takes its place: `remove_migration_ptes()`. */
export function restoreEntries(
  memory: Memory,
  frame: Pfn,
  to: Pfn,
  places: readonly Place[],
  facts: readonly Fact[],
  profile: Profile,
): readonly Fact[] {
  const all: Fact[] = [...facts]
  let count = 0
  let exclusive = false
  let huge = 0
  for (const { mm, start, end } of places) {
    const { pte: table, pmd: upper, vmas } = mmOf(memory, mm)
    const whole = upper.get(indexAt('pmd', start)) as Entry
    const area = vmaAt(vmas, start)
    if (isMigration(whole) && frameOf(whole) === frame && area !== undefined) {
      const entry = isPrivate(memory, to) ? privateEntry(whole, area, to) : restoredEntry(whole, area, to)
      all.push(entries('pmd', mm, indexAt('pmd', start), 1, entry))
      exclusive ||= !kindOf(whole).startsWith('!migr-r')
      huge++
      continue
    }
    for (let p = start; p < end; p = page(p + 1)) {
      const entry = table.get(p) as Entry
      const vma = vmaAt(vmas, p)
      if (!isMigration(entry) || frameOf(entry) !== frame || vma === undefined) continue
      all.push(pte(mm, p, isPrivate(memory, to) ? privateEntry(entry, vma, to) : restoredEntry(entry, vma, to)))
      exclusive ||= !kindOf(entry).startsWith('!migr-r')
      count++
    }
  }
  if (count + huge === 0) return all
  if (count > 0) all.push(['maps', to, 1, count])
  if (huge > 0) all.push(['hugeMaps', to, 1, huge])
  all.push(['refs', to, 1, count + huge])
  if (exclusive && profile.tracksExclusive && isAnon(memory.frames, to)) all.push(...flagged(memory.frames, to, EXCLUSIVE))
  return all
}

export const isPrivate = (memory: Memory, frame: Pfn): boolean => {
  const owner = ownerOf(memory, frame)
  return owner !== undefined && memory.devices[owner]?.kind === 'devpriv'
}
export const privateEntry = (entry: Entry, vma: Vma, to: Pfn): Entry =>
  absent(kindOf(entry).startsWith('!migr-w') && has(vma, VM_WRITE) ? '!devpriv-w' : '!devpriv-r', to)

/**
 * The state that a page takes over from the one whose place it takes. That it was freed lazily is lost: nobody clears the
 * flags of a device's pages, so each of them counts as swap-backed once it was, and what comes back from it too.
 */
export const movedState = (memory: Memory, from: Pfn, to: Pfn): readonly Fact[] => {
  const { frames } = memory
  const flags = frameFlags(frames, from) & (FOLIO_DIRTY | LARGE)
  const size = folioSize(frames, from)
  return [
    ['state', to, 1, stateWord(frameKind(frames, to), flags)],
    ['anonVma', to, size, frames.anonVma.get(from), 0],
    ['index', to, size, frames.index.get(from), 1],
    ...(frames.lru.get(from) === 0 ? [] : ([['lru', to, 1, frames.lru.get(from)]] as const)),
  ]
}
