/** Migration entries: what stands in a page table while a page is on its way; whoever comes by waits (mm/migrate.c). */
import { indexAt, page, type Page, type Pfn } from '../../memory/address.ts'
import {
  absent,
  ACCESSED,
  DIRTY,
  frameOf,
  isPresent,
  isWritable,
  kindOf,
  present,
  WRITE,
  type Entry,
  type EntryKind,
} from '../../memory/entry.ts'
import { entries, pte, type Fact } from '../../memory/facts.ts'
import { hasPage } from '../../memory/normal-page.ts'
import { folioSize, headOf, isAnon, isExclusive } from '../../memory/frames.ts'
import { mmOf, type Memory, type MmName } from '../../memory/memory.ts'
import { entryAt, isHuge } from '../../memory/pagetable.ts'
import { has, VM_WRITE, type Vma } from '../../memory/vma.ts'
import { pageProt } from '../faults/faulting.ts'
import type { Profile } from '../profiles.ts'
import { countsAsMapping } from '../test-hmm/exclusive-entry.ts'
import { dirtied, hugeUnmapped, unmapped } from './folio.ts'

type Migration = Extract<EntryKind, `!migr-${string}`>

/** The migration entry in place of one that maps a page: it remembers write, exclusive, and in newer kernels young and dirty. */
export function migrationEntry(memory: Memory, entry: Entry, { migrationKeepsMarks }: Profile): Entry {
  const frame = frameOf(entry)
  const writable = isPresent(entry) ? isWritable(entry) : kindOf(entry) === '!devpriv-w'
  const exclusive = isAnon(memory.frames, frame) && isExclusive(memory.frames, frame)
  const base = writable ? '!migr-w' : exclusive ? '!migr-x' : '!migr-r'
  const marks = isPresent(entry) && migrationKeepsMarks ? `${(entry & DIRTY) === 0 ? '' : 'D'}${(entry & ACCESSED) === 0 ? '' : 'A'}` : ''
  return absent(`${base}${marks}` as Migration, frame)
}

/** The entry of `frame` that comes back in place of a migration entry. */
export function restoredEntry(entry: Entry, vma: Vma, frame: Pfn): Entry {
  const word = kindOf(entry)
  const write = word.startsWith('!migr-w') && has(vma, VM_WRITE) ? WRITE : 0
  const young = word.endsWith('A') ? ACCESSED : 0
  const dirty = /D/.test(word) ? DIRTY : 0
  return present((pageProt(vma) & ~(ACCESSED | WRITE)) | write | young | dirty, frame)
}

/** Entries of a folio in [start, end) become migration entries, and no longer count as mappings. */
export function migrationEntries(
  memory: Memory,
  { mm, start, end, folio }: { readonly mm: MmName; readonly start: Page; readonly end: Page; readonly folio: Pfn },
  profile: Profile,
): { readonly facts: readonly Fact[]; readonly frames: readonly Pfn[] } {
  const table = mmOf(memory, mm).pte
  const facts: Fact[] = []
  const frames: Pfn[] = []
  const last = folio + folioSize(memory.frames, folio)
  for (let p = page(table.next(start, end)); p < end; p = page(table.next(p + 1, end))) {
    const entry = table.get(p) as Entry
    const frame = frameOf(entry)
    const maps = isPresent(entry) ? hasPage(entry) : countsAsMapping(entry)
    if (!maps || frame < folio || frame >= last) continue
    facts.push(pte(mm, p, migrationEntry(memory, entry, profile)))
    frames.push(frame)
    if (isPresent(entry) && (entry & DIRTY) !== 0) facts.push(...dirtied(memory, headOf(memory.frames, frame)))
  }
  return { facts: [...facts, ...unmapped(memory.frames, frames)], frames }
}

/** `set_pmd_migration_entry()`: the same for an entry of 2 MiB that maps the folio whole. */
export function hugeMigrationEntry(
  memory: Memory,
  { mm, start, folio }: { readonly mm: MmName; readonly start: Page; readonly folio: Pfn },
  profile: Profile,
): readonly Fact[] {
  const entry = entryAt(mmOf(memory, mm), 'pmd', start)
  if (!isHuge(mmOf(memory, mm), start) || frameOf(entry) !== folio) return []
  const dirty = isPresent(entry) && (entry & DIRTY) !== 0 ? dirtied(memory, folio) : []
  return [entries('pmd', mm, indexAt('pmd', start), 1, migrationEntry(memory, entry, profile)), ...hugeUnmapped(folio), ...dirty]
}
