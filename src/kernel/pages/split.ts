/** Large folios that fall apart: `split_huge_page_to_list()` (mm/huge_memory.c). */
import { page, PMD_PAGES, pmdStart, type Pfn } from '../../memory/address.ts'
import { frameOf, isMigration, present, type Entry } from '../../memory/entry.ts'
import { pte, type Fact } from '../../memory/facts.ts'
import { folioMapcount, isLarge, isLocked } from '../../memory/frames.ts'
import { mmOf, ZERO_PFN, type Memory } from '../../memory/memory.ts'
import { hasPmdTable } from '../../memory/pagetable.ts'
import { has, VM_LOCKED, vmaAt, type Vma } from '../../memory/vma.ts'
import { section, type Agenda, type Item, type Outcome, type Rules } from '../agenda.ts'
import { pageProt, special } from '../faults/faulting.ts'
import { overRuns } from './folio.ts'
import { hugeMigrationEntry, migrationEntries, restoredEntry } from './migration-entry.ts'
import { isPrivate, privateEntry } from './migrated.ts'
import { FOLIO_LOCK } from '../names.ts'
import { call } from '../offer.ts'
import type { Profile } from '../profiles.ts'
import { anonPlaces, type Place } from './rmap.ts'
import { splitHugePmd } from '../areas/vma.ts'

/** `try_to_migrate_one()`: the entries in one place become migration entries; an entry of 2 MiB is split first. */
function unmapIn(memory: Memory, { mm, start, end }: Place, head: Pfn, { migrateSplitsFirst }: Profile): Agenda {
  const migrate = { do: 'try_to_migrate', mm, start, end, folio: head } as const
  const range = { mm, event: 'CLEAR', start, end } as const
  if (!migrateSplitsFirst) return section(range, [{ do: 'split_huge_pmd', mm, page: pmdStart(start), folio: head, freeze: true }, migrate])
  const split = hasPmdTable(mmOf(memory, mm), start) ? splitHugePmd(mm, start, head, true) : []
  return [...split, ...section(range, [migrate])]
}

/** Whatever holds the folio is known, and nobody else does: `can_split_folio()`. */
const canSplit = (memory: Memory, head: Pfn, pins: number): boolean =>
  memory.frames.refs.get(head) === folioMapcount(memory.frames, head) + pins

/** `remove_migration_pte()` on a page that became small: newer kernels map what is zero to the zero page. */
function restored(memory: Memory, vma: Vma, entry: Entry, profile: Profile): Entry {
  const frame = frameOf(entry)
  if (isPrivate(memory, frame)) return privateEntry(entry, vma, frame)
  const zero = profile.splitMapsZeroPage && !has(vma, VM_LOCKED) && memory.frames.content.get(frame) === 0
  return zero ? present(pageProt(vma) | special(profile), ZERO_PFN) : restoredEntry(entry, vma, frame)
}

function remap(memory: Memory, item: Item<'remap_page'>, profile: Profile): Outcome {
  const facts: Fact[] = []
  const frames: Pfn[] = []
  for (const { mm, start, end } of anonPlaces(memory, item.folio)) {
    const { pte: table, vmas } = mmOf(memory, mm)
    for (let p = start; p < end; p = page(p + 1)) {
      const entry = table.get(p) as Entry
      const vma = vmaAt(vmas, p)
      if (!isMigration(entry) || frameOf(entry) < item.folio || frameOf(entry) >= item.folio + PMD_PAGES || vma === undefined) continue
      const after = restored(memory, vma, entry, profile)
      facts.push(pte(mm, p, after))
      if (frameOf(after) !== ZERO_PFN) frames.push(frameOf(after))
    }
  }
  const sorted = frames.toSorted((a, b) => a - b)
  const counted = overRuns([...new Set(sorted)], (first, count) => [
    ['refs', first, count, 1],
    ['maps', first, count, 1],
  ])
  // Frames that several processes map come more than once.
  const again = sorted
    .filter((frame, i) => sorted[i - 1] === frame)
    .flatMap((frame): readonly Fact[] => [
      ['refs', frame, 1, 1],
      ['maps', frame, 1, 1],
    ])
  return { facts: [['split', item.folio, 1], ...facts, ...counted, ...again] }
}

export const splitRules = {
  // The caller may hold references of its own (`pins`), and is told by what it goes on with.
  split_folio: (memory, { folio, pins, split, kept }) => {
    if (!isLarge(memory.frames, folio)) return { then: split }
    if (!canSplit(memory, folio, pins)) return { then: kept }
    if (isLocked(memory.frames, folio)) return { then: kept }
    return {
      facts: [
        ['refs', folio, 1, 1],
        ['lock', folio, true],
      ],
      then: [
        ...anonPlaces(memory, folio).map(place => ({ do: 'unmap_folio_in', folio, ...place }) as const),
        { do: 'remap_page', folio },
        { do: 'folio_unlock', folio },
        { do: 'put_split', folio },
        ...split,
      ],
    }
  },
  // One place after the other, until nothing maps the folio any more.
  unmap_folio_in: (memory, { folio, ...place }, { profile }) =>
    folioMapcount(memory.frames, folio) === 0 ? {} : { then: unmapIn(memory, place, folio, profile) },
  try_to_migrate: (memory, item, { profile }) => {
    const facts = [...migrationEntries(memory, item, profile).facts, ...hugeMigrationEntry(memory, item, profile)]
    return facts.length === 0 ? {} : { facts }
  },
  remap_page: (memory, item, { profile }) => remap(memory, item, profile),
  folio_unlock: (_, { folio }) => ({ facts: [['lock', folio, false]] }),
  folio_wait_locked: (memory, { folio }) =>
    isLocked(memory.frames, folio) ? { calls: [call(FOLIO_LOCK, 'folio_unlock', { folio })] } : {},
  // What nothing maps any more goes.
  put_split: (_, { folio }) => ({ facts: [['refs', folio, PMD_PAGES, -1]] }),
} satisfies Partial<Rules>
