/**
 * `migrate_vma_setup()`, `_pages()`, `_finalize()` (mm/migrate_device.c): pages move between the system and a device while
 * the process has them mapped. What is collected stands in the page table as migration entries, and its folios are locked;
 * words say what became of each page.
 */
import { indexAt, page, type Page, type Pfn, PMD_PAGES } from '../../memory/address.ts'
import { absent, DIRTY, frameOf, isPresent, NONE, present, WRITE } from '../../memory/entry.ts'
import { entries, pte, tablesTo, type Fact } from '../../memory/facts.ts'
import { EXCLUSIVE, folioMapcount, frameKind, isAnon } from '../../memory/frames.ts'
import { fileOf, HUGE_ZERO_PFN, type Memory, mmOf, ZERO_PFN } from '../../memory/memory.ts'
import { entryAt, isHuge } from '../../memory/pagetable.ts'
import { has, isAnonymous, linearIndex, VM_HUGETLB, VM_SPECIAL, VM_WRITE, type Vma, vmaAt } from '../../memory/vma.ts'
import { type Agenda, type Item, type Migration, type Outcome, type Rules, section } from '../agenda.ts'
import { pageProt } from '../faults/faulting.ts'
import { slotCaching, uncached } from '../faults/swapcache.ts'
import { splitHugePmd } from '../areas/vma.ts'
import type { Profile } from '../profiles.ts'
import { flagged } from './folio.ts'
import { collect, migrateRange } from './migrate-collect.ts'
import { isCompound, MIGRATE, migrateFrame, migrates } from './migrate-words.ts'
import { isPrivate, movedState, restoreEntries } from './migrated.ts'
import { anonPlaces, filePlaces, type Place } from './rmap.ts'

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
  return frames.refs.get(frame) - expected > folioMapcount(frames, frame)
}

/** `migrate_device_unmap()`: page by page, whoever else maps it loses it; a page that cannot be had is given back. */
function unmapNext(memory: Memory, item: Item<'migrate_device_unmap'>): Outcome {
  const { migration, src, at } = item
  const w = src[at]
  if (w === undefined) return { then: [{ do: 'dmirror_alloc_and_copy', migration, src, dst: [] }] }
  const frame = migrateFrame(w)
  const next: Agenda = [{ ...item, at: at + 1 }]
  if (frame === 0 || !migrates(w)) return { then: next }
  if (folioMapcount(memory.frames, frame) > 0) {
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
  const zero = frameOf(pmd) === HUGE_ZERO_PFN
  const whole = isCompound(dst[i] ?? 0)
  if (vma === undefined || (whole ? pmd !== NONE && !zero : (isHuge(mm, p) && !zero) || !free)) return { then: next(src.with(i, 0)) }
  if (zero && !whole) return { then: [...splitHugePmd(name, p), item] }
  if (vma.anonVma === 0) return { then: [{ do: 'anon_vma_prepare', mm: name, page: p }, item] }
  const to = migrateFrame(dst[i] ?? 0)
  const write = has(vma, VM_WRITE)
  const entry = isPrivate(memory, to)
    ? absent(write ? '!devpriv-w' : '!devpriv-r', to)
    : present(pageProt(vma) | (write ? WRITE | DIRTY : 0), to)
  return {
    facts: [
      ...tablesTo(memory, name, p, whole ? 'pmd' : 'pte'),
      [whole ? 'hugeMaps' : 'maps', to, 1, 1],
      ['refs', to, 1, 1],
      ...(profile.tracksExclusive ? flagged(memory.frames, to, EXCLUSIVE) : []),
      ['anonVma', to, whole ? PMD_PAGES : 1, vma.anonVma, 0],
      ['index', to, whole ? PMD_PAGES : 1, linearIndex(vma, p), 1],
      whole ? entries('pmd', name, indexAt('pmd', p), 1, entry) : pte(name, p, entry),
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
  migrate_vma_collect: (memory, item, scene) => collect(memory, item, scene),
  migrate_device_unmap: (memory, item) => unmapNext(memory, item),
  try_to_migrate_in: (memory, { mm, start, end, folio }) =>
    folioMapcount(memory.frames, folio) === 0
      ? {}
      : { then: section({ mm, event: 'CLEAR', start, end }, [{ do: 'try_to_migrate', mm, start, end, folio }]) },

  migrate_check_page: (memory, { migration, src, at }, { profile }) => {
    const frame = migrateFrame(src[at] ?? 0)
    const next = (words: readonly number[]): Agenda => [{ do: 'migrate_device_unmap', migration, src: words, at: at + 1 }]
    const used = isUsed(memory, migration, frame) && !profile.bugs.includes('migratesPinned')
    if (folioMapcount(memory.frames, frame) === 0 && !used) return { then: next(src) }
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
