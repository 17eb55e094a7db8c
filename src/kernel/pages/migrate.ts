/**
 * `migrate_vma_setup()`, `_pages()`, `_finalize()` (mm/migrate_device.c): pages move between the system and a device while
 * the process has them mapped. What is collected stands in the page table as migration entries, and its folios are locked;
 * words say what became of each page.
 */
import { indexAt, page, pfn, type Page, type Pfn } from '../../memory/address.ts'
import {
  absent,
  DIRTY,
  frameOf,
  isPresent,
  isWritable,
  kindOf,
  NONE,
  present,
  SPECIAL,
  TABLE,
  WRITE,
  type Entry,
} from '../../memory/entry.ts'
import { pte, tablesTo, type Fact } from '../../memory/facts.ts'
import { EXCLUSIVE, frameKind, headOf, isAnon, isLarge, isLocked } from '../../memory/frames.ts'
import { fileOf, mmOf, ZERO_PFN, type Memory } from '../../memory/memory.ts'
import { entryAt } from '../../memory/pagetable.ts'
import { has, isAnonymous, linearIndex, VM_HUGETLB, VM_SPECIAL, VM_WRITE, vmaAt, type Vma } from '../../memory/vma.ts'
import { section, type Agenda, type Item, type Migration, type Outcome, type Rules } from '../agenda.ts'
import { pageProt } from '../faults/faulting.ts'
import { dirtied, flagged } from './folio.ts'
import { isPrivate, movedState, ownerOf, restoreEntries } from './migrated.ts'
import { migrationEntry } from './migration-entry.ts'
import { LRU_ADD_DRAIN } from './lru-batch.ts'
import type { Profile } from '../profiles.ts'
import { anonPlaces, filePlaces, type Place } from './rmap.ts'
import { slotCaching, uncached } from '../faults/swapcache.ts'
import { splitHugePmd } from '../areas/vma.ts'

/** A word: the frame (none: a hole), whether it may be written, and whether it is still to be migrated. */
export const MIGRATE = 1
export const MIGRATE_WRITE = 2
const word = (frame: number, flags: number): number => frame * 4 + flags
export const migrateFrame = (w: number): Pfn => pfn(Math.floor(w / 4))
export const migrates = (w: number): boolean => (w & MIGRATE) !== 0
export const mayWrite = (w: number): boolean => (w & MIGRATE_WRITE) !== 0
export const migrateWord = (frame: Pfn, write: boolean): number => word(frame, MIGRATE | (write ? MIGRATE_WRITE : 0))

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

function collectPte(memory: Memory, migration: Migration, vma: Vma, p: Page, profile: Profile): Collected {
  const { frames } = memory
  const entry = mmOf(memory, migration.mm).pte.get(p) as Entry
  if (entry === NONE) return isAnonymous(vma) ? { word: MIGRATE, facts: [] } : SKIPPED
  const zero = isPresent(entry) && frameOf(entry) === ZERO_PFN
  if (zero) return migration.select === 'system' ? { word: MIGRATE, facts: [] } : SKIPPED
  if (isPresent(entry) ? (entry & SPECIAL) !== 0 : !kindOf(entry).startsWith('!devpriv')) return SKIPPED
  const frame = frameOf(entry)
  if (!selected(memory, migration, frame) || isLarge(frames, frame) || isLocked(frames, frame)) return SKIPPED
  const write = isPresent(entry) ? isWritable(entry) : kindOf(entry) === '!devpriv-w'
  return {
    word: word(frame, MIGRATE | (write ? MIGRATE_WRITE : 0)),
    facts: [
      pte(migration.mm, p, migrationEntry(memory, entry, profile)),
      ['lock', frame, true],
      ...(isPresent(entry) && (entry & DIRTY) !== 0 ? dirtied(memory, frame) : []),
      // The reference of the mapping becomes that of collecting.
      ['maps', frame, 1, -1],
    ],
  }
}

/** `migrate_vma_collect_pmd()`: `budget` entries of a table; large folios are split first. */
function collect(memory: Memory, item: Item<'migrate_vma_collect'>, budget: number, profile: Profile): Outcome {
  const { migration, src } = item
  const { mm: name, end } = migration
  const at = page(migration.start + src.length)
  const mm = mmOf(memory, name)
  const vma = vmaAt(mm.vmas, at)
  if (at >= end || vma === undefined) return ended(item)
  const pmd = entryAt(mm, 'pmd', at)
  if (isPresent(pmd)) return collectHuge(memory, item, at, frameOf(pmd))
  if (pmd !== TABLE) {
    const stop = Math.min(end, (indexAt('pmd', at) + 1) * 512)
    return { then: [{ ...item, src: [...src, ...Array.from({ length: stop - at }, () => (isAnonymous(vma) ? MIGRATE : 0))] }] }
  }
  const facts: Fact[] = []
  const words: number[] = []
  const stop = Math.min(end, at + budget, (indexAt('pmd', at) + 1) * 512)
  for (let p = at; p < stop; p = page(p + 1)) {
    const collected = collectPte(memory, migration, vma, p, profile)
    words.push(collected.word)
    facts.push(...collected.facts)
  }
  const then: Agenda = [{ ...item, src: [...src, ...words] }]
  return facts.length === 0 ? { then } : { facts, then, cut: stop === at + budget }
}

/** A 2 MiB entry in the way: of the huge zero page it is split, of a folio the folio is; or its pages stay. */
function collectHuge(memory: Memory, item: Item<'migrate_vma_collect'>, at: Page, frame: Pfn): Outcome {
  const { migration, src } = item
  if (frameKind(memory.frames, frame) === 'zero') return { then: [...splitHugePmd(migration.mm, at), item] }
  const stop = Math.min(migration.end, (indexAt('pmd', at) + 1) * 512)
  const skipped: Agenda = [{ ...item, src: [...src, ...Array.from({ length: stop - at }, () => 0)] }]
  return { then: [{ do: 'split_folio', folio: headOf(memory.frames, frame), pins: 0, split: [item], kept: skipped }] }
}

/** The section ends, and then what was collected is taken from everybody else. */
const ended = ({ migration, src }: Item<'migrate_vma_collect'>): Outcome => ({
  then: [
    { do: 'invalidate_range_end', range: migrateRange(migration, migration.start) },
    ...(src.some(migrates) ? LRU_ADD_DRAIN : []),
    { do: 'migrate_device_unmap', migration, src, at: 0 },
  ],
})

const migrateRange = ({ mm, end, owner }: Migration, start: Page): Item<'invalidate_range_end'>['range'] => ({
  mm,
  event: 'MIGRATE',
  start,
  end,
  blockable: true,
  owner,
})

/** Where a page may be mapped besides. */
function placesOf(memory: Memory, { mm }: Migration, frame: Pfn, p: Page): readonly Place[] {
  if (isAnon(memory.frames, frame)) return anonPlaces(memory, frame)
  const vma = vmaAt(mmOf(memory, mm).vmas, p)
  return vma === undefined ? [] : filePlaces(memory, vma.file, linearIndex(vma, p), 1)
}

/** References that nobody who is known to has one holds: `migrate_vma_check_page()`. */
function isUsed(memory: Memory, { faultPage }: Migration, frame: Pfn): boolean {
  const { frames, swap } = memory
  const cached = frameKind(frames, frame) === 'file' || slotCaching(swap, frame) !== undefined ? 1 : 0
  const expected = 1 + (frame === faultPage ? 1 : 0) + cached
  return frames.refs.get(frame) - expected > frames.maps.get(frame)
}

/** `migrate_device_unmap()`: page by page, whoever else maps it loses it; a page that cannot be had is given back. */
function unmapNext(memory: Memory, item: Item<'migrate_device_unmap'>): Outcome {
  const { migration, src, at } = item
  const w = src[at]
  if (w === undefined) return { then: [{ do: 'dmirror_alloc_and_copy', migration, src, dst: [] }] }
  const frame = migrateFrame(w)
  const next: Agenda = [{ ...item, at: at + 1 }]
  if (frame === 0 || !migrates(w)) return { then: next }
  if (memory.frames.maps.get(frame) > 0) {
    const places = placesOf(memory, migration, frame, page(migration.start + at))
    return {
      then: [
        ...places.map(place => ({ do: 'try_to_migrate_in', folio: frame, ...place }) as const),
        { do: 'migrate_check_page', migration, src, at },
      ],
    }
  }
  return { then: [{ do: 'migrate_check_page', migration, src, at }] }
}

/** `migrate_device_pages()`: each page moves; holes are filled in a section of their own, from the first on. */
function pages(memory: Memory, item: Item<'migrate_device_pages'>): Outcome {
  const { migration, src, dst } = item
  const words = [...src]
  const facts: Fact[] = []
  const holes: number[] = []
  for (const [i, w] of src.entries()) {
    const [from, to] = [migrateFrame(w), migrateFrame(dst[i] ?? 0)]
    if (to === 0) words[i] = w & ~MIGRATE
    else if (from === 0) {
      if (migrates(w)) holes.push(i)
    } else if (migrates(w)) {
      const slot = slotCaching(memory.swap, from)
      const moves = isAnon(memory.frames, from) && (slot === undefined || memory.swap.refs.get(slot) === 0)
      if (moves) facts.push(...movedState(memory, from, to), ...(slot === undefined ? [] : uncached(slot, from)))
      else words[i] = w & ~MIGRATE
    }
  }
  const finish: Agenda = [{ do: 'dmirror_finalize_and_map', migration, src: words, dst }]
  const first = holes[0]
  if (first === undefined) return facts.length === 0 ? { then: finish } : { facts, then: finish }
  const fill: Agenda = [
    {
      do: 'invalidate_range_start',
      range: migrateRange(migration, page(migration.start + first)),
      body: [{ do: 'migrate_vma_insert_page', migration, src: words, dst, holes, first }],
      open: true,
    },
  ]
  return facts.length === 0 ? { then: fill } : { facts, then: fill }
}

/** `migrate_vma_insert_page()`: a page where there was none, or the zero page. */
function insert(memory: Memory, item: Item<'migrate_vma_insert_page'>, profile: Profile): Outcome {
  const { migration, src, dst, holes } = item
  const [i, ...rest] = holes
  const { mm: name, start } = migration
  if (i === undefined) {
    return {
      then: [
        { do: 'invalidate_range_end', range: migrateRange(migration, page(start + item.first)) },
        { do: 'dmirror_finalize_and_map', migration, src, dst },
      ],
    }
  }
  const p = page(start + i)
  const mm = mmOf(memory, name)
  const vma = vmaAt(mm.vmas, p)
  const pmd = entryAt(mm, 'pmd', p)
  const old = mm.pte.get(p)
  const free = old === NONE || (isPresent(old) && frameOf(old) === ZERO_PFN)
  const next = (words: readonly number[]): Agenda => [{ ...item, src: words, holes: rest }]
  if (vma === undefined || isPresent(pmd) || !free) return { then: next(src.with(i, 0)) }
  if (vma.anonVma === 0) return { then: [{ do: 'anon_vma_prepare', mm: name, page: p }, item] }
  const to = migrateFrame(dst[i] ?? 0)
  const write = has(vma, VM_WRITE)
  const entry = isPrivate(memory, to)
    ? absent(write ? '!devpriv-w' : '!devpriv-r', to)
    : present(pageProt(vma) | (write ? WRITE | DIRTY : 0), to)
  return {
    facts: [
      ...tablesTo(memory, name, p, 'pte'),
      ['maps', to, 1, 1],
      ['refs', to, 1, 1],
      ...(profile.tracksExclusive ? flagged(memory.frames, to, EXCLUSIVE) : []),
      ['anonVma', to, 1, vma.anonVma, 0],
      ['index', to, 1, linearIndex(vma, p), 0],
      pte(name, p, entry),
    ],
    then: next(src),
  }
}

/** `migrate_device_finalize()` on one page: entries lead to where it is now; locks and references of the way are given up. */
function finalizeOne(memory: Memory, migration: Migration, w: number, d: number, i: number, profile: Profile): readonly Fact[] {
  const [from, to] = [migrateFrame(w), migrateFrame(d)]
  if (from === 0) return to === 0 ? [] : [['refs', to, 1, -1]]
  const goes = migrates(w) && to !== 0
  const places = placesOf(memory, migration, from, page(migration.start + i))
  const restored = restoreEntries(memory, from, goes ? to : from, places, [], profile)
  return [...restored, ['lock', from, false], ['refs', from, 1, -1], ...(to === 0 ? [] : ([['refs', to, 1, -1]] as const))]
}

/** May `migrate_vma_setup()` look at this area at all? */
export const mayMigrate = (memory: Memory, vma: Vma): boolean =>
  !has(vma, VM_HUGETLB | VM_SPECIAL) && (isAnonymous(vma) || !/^(dax|devdax)$/.test(fileOf(memory, vma.file).kind))

export const migrateRules = {
  migrate_vma_setup: (_, { migration }) => ({
    then: [
      {
        do: 'invalidate_range_start',
        range: migrateRange(migration, migration.start),
        body: [{ do: 'migrate_vma_collect', migration, src: [] }],
        open: true,
      },
    ],
  }),
  migrate_vma_collect: (memory, item, { budget, profile }) => collect(memory, item, budget, profile),
  migrate_device_unmap: (memory, item) => unmapNext(memory, item),
  try_to_migrate_in: (memory, { mm, start, end, folio }) =>
    memory.frames.maps.get(folio) === 0
      ? {}
      : { then: section({ mm, event: 'CLEAR', start, end }, [{ do: 'try_to_migrate', mm, start, end, folio }]) },

  migrate_check_page: (memory, { migration, src, at }, { profile }) => {
    const frame = migrateFrame(src[at] ?? 0)
    const next = (words: readonly number[]): Agenda => [{ do: 'migrate_device_unmap', migration, src: words, at: at + 1 }]
    if (memory.frames.maps.get(frame) === 0 && !isUsed(memory, migration, frame)) return { then: next(src) }
    const places = placesOf(memory, migration, frame, page(migration.start + at))
    const facts = restoreEntries(memory, frame, frame, places, [['lock', frame, false]], profile)
    return { facts: [...facts, ['refs', frame, 1, -1]], then: next(src.with(at, 0)) }
  },

  migrate_device_pages: (memory, item) => pages(memory, item),
  migrate_vma_insert_page: (memory, item, { profile }) => insert(memory, item, profile),
  migrate_device_finalize: (memory, { migration, src, dst }, { profile }) => {
    const facts = src.flatMap((w, i) => finalizeOne(memory, migration, w, dst[i] ?? 0, i, profile))
    return facts.length === 0 ? {} : { facts }
  },
} satisfies Partial<Rules>
