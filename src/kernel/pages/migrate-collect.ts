/**
 * `migrate_vma_collect()` (mm/migrate_device.c): which pages of a range are to go, and what is done so that they can. What is
 * collected stands in the page table as migration entries, and its folios are locked.
 */
import { indexAt, page, type Page, type Pfn, PMD_PAGES, pmdEnd, pmdStart } from '../../memory/address.ts'
import { DIRTY, type Entry, frameOf, isMigration, isPresent, isWritable, kindOf, NONE, TABLE } from '../../memory/entry.ts'
import { hasPage } from '../../memory/normal-page.ts'
import { entries, type Fact, pte } from '../../memory/facts.ts'
import { frameKind, headOf, isLarge, isLocked } from '../../memory/frames.ts'
import { type Memory, mmOf, ZERO_PFN } from '../../memory/memory.ts'
import { entryAt, isHuge } from '../../memory/pagetable.ts'
import { unflushed } from '../../memory/tlb.ts'
import { isAnonymous, type Vma, vmaAt } from '../../memory/vma.ts'
import type { Agenda, Item, Migration, Outcome, Scene } from '../agenda.ts'
import { splitHugePmd } from '../areas/vma.ts'
import type { Profile } from '../profiles.ts'
import { dirtied } from './folio.ts'
import { LRU_ADD_DRAIN } from './lru-batch.ts'
import { COMPOUND, MIGRATE, MIGRATE_WRITE, migrates, migrateWord, REST, word } from './migrate-words.ts'
import { ownerOf } from './migrated.ts'
import { migrationEntry } from './migration-entry.ts'

/** Is the page what is to be collected, and does it lie where it is collected from? */
function selected(memory: Memory, { select, owner }: Migration, frame: Pfn): boolean {
  const kind = frameKind(memory.frames, frame)
  if (kind === 'devpriv') return select === 'private' && ownerOf(memory, frame) === owner
  if (kind === 'devcoh') return select === 'coherent' && ownerOf(memory, frame) === owner
  return select === 'system' && (kind === 'anon' || kind === 'file')
}
/** What collecting one entry comes to. */
interface Collected {
  readonly word: number
  readonly facts: readonly Fact[]
}
const SKIPPED: Collected = { word: 0, facts: [] }
const flushesLate = ({ bugs }: Profile): boolean => bugs.includes('collectFlushesLate')

function collectPte(memory: Memory, migration: Migration, vma: Vma, p: Page, profile: Profile): Collected {
  const { frames } = memory
  const entry = mmOf(memory, migration.mm).pte.get(p) as Entry
  if (entry === NONE) return isAnonymous(vma) ? { word: MIGRATE, facts: [] } : SKIPPED
  const zero = isPresent(entry) && frameOf(entry) === ZERO_PFN
  if (zero) return migration.select === 'system' ? { word: MIGRATE, facts: [] } : SKIPPED
  if (isPresent(entry) ? !hasPage(entry) : !kindOf(entry).startsWith('!devpriv')) return SKIPPED
  const frame = frameOf(entry)
  if (!selected(memory, migration, frame) || isLarge(frames, frame) || isLocked(frames, frame)) return SKIPPED
  const write = isPresent(entry) ? isWritable(entry) : kindOf(entry) === '!devpriv-w'
  return {
    word: word(frame, MIGRATE | (write ? MIGRATE_WRITE : 0)),
    facts: [
      pte(migration.mm, p, migrationEntry(memory, entry, profile)),
      ...(flushesLate(profile) ? unflushed(migration.mm, p, entry) : []),
      ['lock', frame, true],
      ...(isPresent(entry) && (entry & DIRTY) !== 0 && !profile.bugs.includes('collectForgetsDirt') ? dirtied(memory, frame) : []),
      // The reference of the mapping becomes that of collecting.
      ['maps', frame, 1, -1],
    ],
  }
}

/** The large folio of which a small entry maps a part, if that is to be collected: it is split first. */
function largeAt(memory: Memory, migration: Migration, p: Page): Pfn | undefined {
  const entry = mmOf(memory, migration.mm).pte.get(p)
  const maps = isPresent(entry) ? hasPage(entry) : kindOf(entry).startsWith('!devpriv')
  if (!maps || !selected(memory, migration, frameOf(entry)) || !isLarge(memory.frames, frameOf(entry))) return undefined
  return headOf(memory.frames, frameOf(entry))
}

/** `migrate_vma_collect_pmd()`: `budget` entries of a table; large folios are split first. */
export function collect(memory: Memory, item: Item<'migrate_vma_collect'>, { budget, profile }: Scene): Outcome {
  const { migration, src } = item
  const { mm: name, end } = migration
  const at = page(migration.start + src.length)
  const mm = mmOf(memory, name)
  const vma = vmaAt(mm.vmas, at)
  if (at >= end || vma === undefined) return { then: ended(item, profile) }
  const pmd = entryAt(mm, 'pmd', at)
  if (isHuge(mm, at)) return collectHuge(memory, item, at, pmd, profile)
  if (pmd !== TABLE) return { then: [{ ...item, src: [...src, ...holeWords(at, end, isAnonymous(vma) && !isMigration(pmd), profile)] }] }
  const facts: Fact[] = []
  const words: number[] = []
  const stop = Math.min(end, at + budget, (indexAt('pmd', at) + 1) * PMD_PAGES)
  for (let p = at; p < stop; p = page(p + 1)) {
    const large = profile.migratesLarge ? largeAt(memory, migration, p) : undefined
    if (large !== undefined) {
      const [head, behind] = [large, Math.min(end, (indexAt('pmd', at) + 1) * PMD_PAGES)]
      const kept: Agenda = [{ ...item, src: [...src, ...words, ...Array.from({ length: behind - p }, () => 0)] }]
      const split: Agenda = [{ do: 'split_folio', folio: head, pins: 0, split: [{ ...item, src: [...src, ...words] }], kept }]
      return facts.length === 0 ? { then: split } : { facts, then: split }
    }
    const collected = collectPte(memory, migration, vma, p, profile)
    words.push(collected.word)
    facts.push(...collected.facts)
  }
  const next = { ...item, src: [...src, ...words] }
  const then = stop < end ? [next] : ended(next, profile)
  return facts.length === 0 ? { then } : { facts, then, cut: stop === at + budget }
}

/** `migrate_vma_collect_hole()`: words for what has nothing up to the end of its block; for a whole block, one. */
function holeWords(at: Page, end: Page, fills: boolean, { migratesLarge }: Profile): readonly number[] {
  const count = Math.min(end, pmdEnd(at)) - at
  if (fills && migratesLarge && count === PMD_PAGES) return [MIGRATE | COMPOUND, ...REST]
  return Array.from({ length: count }, () => (fills ? MIGRATE : 0))
}

/**
 * `migrate_vma_collect_huge_pmd()`: a 2 MiB entry in the way. Where large folios migrate, its folio is collected whole, if all
 * of it is to go, and the huge zero page is a hole. Else they are split; or the pages stay.
 */
function collectHuge(memory: Memory, item: Item<'migrate_vma_collect'>, at: Page, pmd: Entry, profile: Profile): Outcome {
  const { migration, src } = item
  const { mm, end } = migration
  const frame = frameOf(pmd)
  const { frames } = memory
  const words = (fills: boolean): Agenda => [{ ...item, src: [...src, ...holeWords(at, end, fills, profile)] }]
  const zero = frameKind(frames, frame) === 'zero'
  if (!profile.migratesLarge) {
    if (zero) return { then: [...splitHugePmd(mm, at), item] }
    return { then: [{ do: 'split_folio', folio: headOf(frames, frame), pins: 0, split: [item], kept: words(false) }] }
  }
  if (zero) return { then: words(migration.select === 'system') }
  if (!selected(memory, migration, frame) || isLocked(frames, frame)) return { then: words(false) }
  if (at !== pmdStart(at) || end < pmdEnd(at))
    return { then: [{ do: 'split_folio', folio: frame, pins: 0, split: [item], kept: words(false) }] }
  const write = isPresent(pmd) ? isWritable(pmd) : kindOf(pmd) === '!devpriv-w'
  return {
    facts: [
      entries('pmd', mm, indexAt('pmd', at), 1, migrationEntry(memory, pmd, profile)),
      ['lock', frame, true],
      ...(isPresent(pmd) && (pmd & DIRTY) !== 0 ? dirtied(memory, frame) : []),
      ['hugeMaps', frame, 1, -1],
    ],
    then: [{ ...item, src: [...src, migrateWord(frame, write, true), ...REST] }],
  }
}

/** The section ends, and then what was collected is taken from everybody else. */
const ended = ({ migration, src }: Item<'migrate_vma_collect'>, profile: Profile): Agenda => [
  ...(flushesLate(profile) ? ([{ do: 'flush_tlb_range', mm: migration.mm, start: migration.start, end: migration.end }] as const) : []),
  { do: 'invalidate_range_end', range: migrateRange(migration, migration.start) },
  ...(src.some(migrates) ? LRU_ADD_DRAIN : []),
  { do: 'migrate_device_unmap', migration, src, at: 0 },
]

export const migrateRange = ({ mm, end, owner }: Migration, start: Page): Item<'invalidate_range_end'>['range'] => ({
  mm,
  event: 'MIGRATE',
  start,
  end,
  blockable: true,
  owner,
})
