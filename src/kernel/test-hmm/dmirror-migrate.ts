/** The HMM test driver's part in migration (lib/test_hmm.c): where pages go, what is in them, and its own table. */
import { page, pfn, PMD_PAGES, type Pfn } from '../../memory/address.ts'
import { NEXT_FRAME } from '../../memory/entry.ts'
import type { Fact } from '../../memory/facts.ts'
import { isLarge, LARGE, stateWord } from '../../memory/frames.ts'
import { DEVICE_PAGES, mmOf, type DeviceMemory, type Memory } from '../../memory/memory.ts'
import { Table } from '../../memory/table.ts'
import { has, VM_READ, VM_WRITE, vmaAt } from '../../memory/vma.ts'
import { readLocked, type Item, type Migrated, type Migration, type Outcome, type Rules } from '../agenda.ts'
import { copied as contentsCopied, freeBlock, freeFrames } from '../pages/folio.ts'
import { BACKED, MAPPED_WRITE, tableEntry } from './dmirror-table.ts'
import { mayMigrate } from '../pages/migrate.ts'
import { isCompound, mayWrite, migrateFrame, migrates, migrateWord } from '../pages/migrate-words.ts'
import { ownerOf } from '../pages/migrated.ts'
import { mirrorName, mirrorNumber } from '../names.ts'
import { call } from '../offer.ts'
import type { Profile } from '../profiles.ts'

/** Frames of the device in the order in which it gives them out. */
function* deviceFrames({ first, given, freed }: DeviceMemory): Generator<Pfn> {
  yield* freed.toReversed()
  for (let i = DEVICE_PAGES - 1 - given; i >= 0; i--) yield pfn(first + i)
}

/** An aligned 2 MiB of the device of which it has given out nothing. */
function deviceBlock({ frames }: Memory, { first, given, freed }: DeviceMemory, taken: ReadonlySet<Pfn>): Pfn | undefined {
  for (let block: number = first; block + PMD_PAGES <= first + DEVICE_PAGES - given; block += PMD_PAGES) {
    const unused = frames.refs.next(block, block + PMD_PAGES) === block + PMD_PAGES
    if (unused && !taken.has(pfn(block)) && !freed.some(frame => headAbove(frame) === block)) return pfn(block)
  }
  return undefined
}
const headAbove = (frame: Pfn): Pfn => pfn(frame - (frame % PMD_PAGES))

/** `dmirror_migrate_alloc_and_copy()`: a page of the device for each that is to come, small or large, with the same in it. */
function toDevice(memory: Memory, { migration, src }: Migrated, profile: Profile): Outcome {
  const { mm, start, owner, who } = migration
  const device = memory.devices[owner]
  // A device without memory has no page for anything.
  if (device === undefined) return copied([], { migration, src, dst: src.map(() => 0) })
  const free = deviceFrames(device)
  const blocks = new Set<Pfn>()
  const facts: Fact[] = []
  const dst = src.map((w, i) => {
    if (!migrates(w)) return 0
    const from = migrateFrame(w)
    const vma = vmaAt(mmOf(memory, mm).vmas, page(start + i))
    const fills = vma !== undefined && has(vma, VM_WRITE) && !profile.holesComeReadOnly
    const write = from === 0 ? fills : mayWrite(w)
    if (isCompound(w)) {
      const to = deviceBlock(memory, device, blocks)
      if (to === undefined) return 0
      blocks.add(to)
      facts.push(['folio', to, stateWord(device.kind, LARGE), 1], ['device-folio', owner, to, mirrorNumber(who) + 1])
      if (from !== 0) facts.push(...contentsCopied(memory.frames, from, to, PMD_PAGES))
      return migrateWord(to, write, true)
    }
    const next = free.next()
    if (next.done === true) return 0
    const to = next.value
    facts.push(
      ['alloc', to, device.kind, 1, 0, from === 0 ? 0 : memory.frames.content.get(from), 0, 0],
      ['device-alloc', owner, to, mirrorNumber(who) + 1],
    )
    return migrateWord(to, write)
  })
  return copied(facts, { migration, src, dst })
}

/** `dmirror_devmem_fault_alloc_and_copy()`: a page of the system for each; the mirror forgets where it was. */
function toSystem(memory: Memory, { migration, src }: Migrated): Outcome {
  const free = freeFrames(memory.frames)
  const blocks = new Set<Pfn>()
  const smalls = new Set<Pfn>()
  const facts: Fact[] = []
  const erased: number[] = []
  const dst = src.map((w, i) => {
    const from = migrateFrame(w)
    if (from === 0 || !migrates(w)) return 0
    for (let j = 0; j < pagesIn(w); j++) erased.push(migration.start + i + j)
    if (isCompound(w)) {
      let to = freeBlock(memory.frames)
      while (blocks.has(to) || smalls.has(to)) to = freeBlock(memory.frames, to + PMD_PAGES)
      blocks.add(to)
      facts.push(['folio', to, stateWord('anon', LARGE), 1], ...contentsCopied(memory.frames, from, to, PMD_PAGES))
      return migrateWord(to, mayWrite(w), true)
    }
    let to = free.next().value as Pfn
    while (blocks.has(headAbove(to))) to = free.next().value as Pfn
    smalls.add(headAbove(to))
    facts.push(['alloc', to, 'anon', 1, 0, memory.frames.content.get(from), 0, 0])
    return migrateWord(to, mayWrite(w))
  })
  const calls = migration.way === 'evict' ? [] : erased.map(p => call(migration.who, 'xa_erase', { page: p }))
  return { ...copied(facts, { migration, src, dst }), ...(calls.length === 0 ? {} : { calls }) }
}
const pagesIn = (w: number): number => (isCompound(w) ? PMD_PAGES : 1)

const copied = (facts: readonly Fact[], migrated: Migrated): Outcome => {
  const then = [{ do: 'migrate_device_pages', ...migrated }] as const
  return facts.length === 0 ? { then } : { facts, then }
}

/** `dmirror_migrate_finalize_and_map()`: what has come is in the mirror's table, as the page that backs it. */
function finalize(memory: Memory, { migration, src, dst }: Migrated, cpages: number): Outcome {
  const finish = [{ do: 'migrate_device_finalize', migration, src, dst }] as const
  if (migration.way !== 'to device') {
    const moved = src.reduce((sum, w) => sum + (migrateFrame(w) !== 0 && migrates(w) ? pagesIn(w) : 0), 0)
    return { then: finish, ...(migration.way === 'to system' ? { out: { cpages: cpages + moved } } : {}) }
  }
  const { start, who, owner } = migration
  const backed = memory.devices[owner]?.kind === 'devpriv' ? BACKED : 0
  let entries = Table.empty
  for (const [i, d] of dst.entries()) {
    if (!migrates(src[i] ?? 0) || migrateFrame(d) === 0) continue
    const entry = tableEntry(migrateFrame(d), backed | (mayWrite(d) ? MAPPED_WRITE : 0))
    entries = entries.setRange(start + i, pagesIn(d), entry, NEXT_FRAME)
  }
  const stored = call(who, 'xa_store', { start, end: start + src.length, entries })
  return { calls: [call(who, 'mutex_lock'), stored, call(who, 'mutex_unlock')], then: finish }
}

/** One area's part of so many pages after the other. */
function batch(memory: Memory, item: Item<'dmirror_migrate_batch'>, { migratesBy }: Profile): Outcome {
  const { do: _, ...rest } = item
  const { who, mm, device, at, end, way } = item
  if (at >= end) return {}
  const vma = vmaAt(mmOf(memory, mm).vmas, at)
  if (vma === undefined || !has(vma, VM_READ) || !mayMigrate(memory, vma)) return { fail: 'EINVAL' }
  const stop = page(Math.min(at + migratesBy, end, vma.end))
  const select = way === 'to device' ? 'system' : memory.devices[device]?.kind === 'devcoh' ? 'coherent' : 'private'
  const migration: Migration = { mm, start: at, end: stop, select, owner: device, faultPage: pfn(0), who, way }
  return {
    then: [
      { do: 'migrate_vma_setup', migration },
      { do: 'dmirror_migrate_batch', ...rest, at: stop },
    ],
  }
}

/**
 * `dmirror_devmem_fault()`: the CPU wants a page that a device has. It comes back alone, or with all that its entry maps. What
 * is part of a large folio is split off on the way.
 */
function devmemFault(memory: Memory, { mm, page: at, folio, pages }: Item<'dmirror_devmem_fault'>, { bugs }: Profile): Outcome {
  const owner = ownerOf(memory, folio)
  const device = owner === undefined ? undefined : memory.devices[owner]
  if (owner === undefined || device === undefined) throw new Error(`frame ${folio} is of no device`)
  const who = mirrorName(device.mirrors.get(folio) - 1)
  // The driver finds its file by the page (`zone_device_data`): of a page that is free, that leads to the next free one.
  if (memory.frames.refs.get(folio) === 0 || memory.files[who] === undefined) return { fail: 'oops: dmirror_devmem_fault' }
  const held = (pages > 1 || !isLarge(memory.frames, folio)) && !bugs.includes('privateFaultUnreferenced')
  const faultPage = held ? folio : pfn(0)
  const migration: Migration = { mm, start: at, end: page(at + pages), select: 'private', owner, faultPage, who, way: 'fault' }
  const setup = { do: 'migrate_vma_setup', migration } as const
  return held ? { facts: [['refs', folio, 1, 1]], then: [setup, { do: 'put_page', folio }] } : { then: [setup] }
}

export const dmirrorMigrateRules = {
  dmirror_migrate_to_device: (_, { who, mm, device, start, end }) => ({
    then: [
      ...readLocked(mm, [{ do: 'dmirror_migrate_batch', who, mm, device, at: start, end, way: 'to device' }]),
      // What the driver returns is read through its own table: it says so if something did not come.
      { do: 'dmirror_do', who, mm, device, start, at: start, end, access: 'read', value: 0, faults: null },
    ],
  }),
  dmirror_migrate_to_system: (_, { who, mm, device, start, end }) => ({
    out: { cpages: 0, faults: 0 },
    then: readLocked(mm, [{ do: 'dmirror_migrate_batch', who, mm, device, at: start, end, way: 'to system' }]),
  }),
  dmirror_migrate_batch: (memory, item, { profile }) => batch(memory, item, profile),
  dmirror_alloc_and_copy: (memory, item, { profile }) =>
    item.migration.way === 'to device' ? toDevice(memory, item, profile) : toSystem(memory, item),
  dmirror_finalize_and_map: (memory, item, { out }) => finalize(memory, item, out['cpages'] ?? 0),
  dmirror_devmem_fault: (memory, item, { profile }) => devmemFault(memory, item, profile),
  put_page: (_, { folio }) => ({ facts: [['refs', folio, 1, -1]] }),
} satisfies Partial<Rules>
