/** The HMM test driver's part in migration (lib/test_hmm.c): where pages go, what is in them, and its own table. */
import { page, pfn, type Pfn } from '../../memory/address.ts'
import type { Fact } from '../../memory/facts.ts'
import { DEVICE_PAGES, mmOf, type DeviceMemory, type Memory } from '../../memory/memory.ts'
import { Table } from '../../memory/table.ts'
import { has, VM_READ, VM_WRITE, vmaAt } from '../../memory/vma.ts'
import { readLocked, type At, type Folio, type Item, type Migrated, type Migration, type Outcome, type Rules } from '../agenda.ts'
import { batchEnd } from './dmirror.ts'
import { freeFrames } from '../pages/folio.ts'
import { BACKED, MAPPED_WRITE, tableEntry } from './dmirror-table.ts'
import { mayMigrate, mayWrite, migrateFrame, migrates, migrateWord } from '../pages/migrate.ts'
import { ownerOf } from '../pages/migrated.ts'
import { mirrorName, mirrorNumber } from '../names.ts'
import { call } from '../offer.ts'

/** Frames of the device in the order in which it gives them out. */
function* deviceFrames({ first, given, freed }: DeviceMemory): Generator<Pfn> {
  yield* freed.toReversed()
  for (let i = DEVICE_PAGES - 1 - given; i >= 0; i--) yield pfn(first + i)
}

/** `dmirror_migrate_alloc_and_copy()`: a page of the device for each that is to come, with the same in it. */
function toDevice(memory: Memory, { migration, src }: Migrated): Outcome {
  const { mm, start, owner, who } = migration
  const device = memory.devices[owner]
  if (device === undefined) throw new Error(`no device '${owner}'`)
  const free = deviceFrames(device)
  const facts: Fact[] = []
  const dst = src.map((w, i) => {
    if (!migrates(w)) return 0
    const next = free.next()
    if (next.done === true) return 0
    const from = migrateFrame(w)
    const to = next.value
    facts.push(
      ['alloc', to, device.kind, 1, 0, from === 0 ? 0 : memory.frames.content.get(from), 0, 0],
      ['device-alloc', owner, to, mirrorNumber(who) + 1],
    )
    const vma = vmaAt(mmOf(memory, mm).vmas, page(start + i))
    return migrateWord(to, from === 0 ? vma !== undefined && has(vma, VM_WRITE) : mayWrite(w))
  })
  return copied(facts, { migration, src, dst })
}

/** `dmirror_devmem_fault_alloc_and_copy()`: a page of the system for each; the mirror forgets where it was. */
function toSystem(memory: Memory, { migration, src }: Migrated): Outcome {
  const free = freeFrames(memory.frames)
  const facts: Fact[] = []
  const erased: number[] = []
  const dst = src.map((w, i) => {
    const from = migrateFrame(w)
    if (from === 0 || !migrates(w)) return 0
    const to = free.next().value as Pfn
    facts.push(['alloc', to, 'anon', 1, 0, memory.frames.content.get(from), 0, 0])
    erased.push(migration.start + i)
    return migrateWord(to, mayWrite(w))
  })
  const calls = migration.way === 'evict' ? [] : erased.map(p => call(migration.who, 'xa_erase', { page: p }))
  return { ...copied(facts, { migration, src, dst }), ...(calls.length === 0 ? {} : { calls }) }
}

const copied = (facts: readonly Fact[], migrated: Migrated): Outcome => {
  const then = [{ do: 'migrate_device_pages', ...migrated }] as const
  return facts.length === 0 ? { then } : { facts, then }
}

/** `dmirror_migrate_finalize_and_map()`: what has come is in the mirror's table, as the page that backs it. */
function finalize(memory: Memory, { migration, src, dst }: Migrated, cpages: number): Outcome {
  const finish = [{ do: 'migrate_device_finalize', migration, src, dst }] as const
  if (migration.way !== 'to device') {
    const moved = src.filter(w => migrateFrame(w) !== 0 && migrates(w)).length
    return { then: finish, ...(migration.way === 'to system' ? { out: { cpages: cpages + moved } } : {}) }
  }
  const { start, who, owner } = migration
  const backed = memory.devices[owner]?.kind === 'devpriv' ? BACKED : 0
  let entries = Table.empty
  for (const [i, d] of dst.entries()) {
    if (!migrates(src[i] ?? 0) || migrateFrame(d) === 0) continue
    entries = entries.set(start + i, tableEntry(migrateFrame(d), backed | (mayWrite(d) ? MAPPED_WRITE : 0)))
  }
  const stored = call(who, 'xa_store', { start, end: start + src.length, entries })
  return { calls: [call(who, 'mutex_lock'), stored, call(who, 'mutex_unlock')], then: finish }
}

/** One area's part of at most 64 pages after the other. */
function batch(memory: Memory, item: Item<'dmirror_migrate_batch'>): Outcome {
  const { do: _, ...rest } = item
  const { who, mm, device, at, end, way } = item
  if (at >= end) return {}
  const vma = vmaAt(mmOf(memory, mm).vmas, at)
  if (vma === undefined || !has(vma, VM_READ) || !mayMigrate(memory, vma)) return { fail: 'EINVAL' }
  const stop = page(Math.min(batchEnd(at, end), vma.end))
  const select = way === 'to device' ? 'system' : memory.devices[device]?.kind === 'devcoh' ? 'coherent' : 'private'
  const migration: Migration = { mm, start: at, end: stop, select, owner: device, faultPage: pfn(0), who, way }
  return {
    then: [
      { do: 'migrate_vma_setup', migration },
      { do: 'dmirror_migrate_batch', ...rest, at: stop },
    ],
  }
}

/** `dmirror_devmem_fault()`: the CPU wants a page that a device has. It comes back alone. */
function devmemFault(memory: Memory, { mm, page: at, folio }: At & Folio): Outcome {
  const owner = ownerOf(memory, folio)
  const device = owner === undefined ? undefined : memory.devices[owner]
  if (owner === undefined || device === undefined) throw new Error(`frame ${folio} is of no device`)
  const who = mirrorName(device.mirrors.get(folio) - 1)
  const migration: Migration = { mm, start: at, end: page(at + 1), select: 'private', owner, faultPage: folio, who, way: 'fault' }
  return {
    facts: [['refs', folio, 1, 1]],
    then: [
      { do: 'migrate_vma_setup', migration },
      { do: 'put_page', folio },
    ],
  }
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
  dmirror_migrate_batch: (memory, item) => batch(memory, item),
  dmirror_alloc_and_copy: (memory, item) => (item.migration.way === 'to device' ? toDevice(memory, item) : toSystem(memory, item)),
  dmirror_finalize_and_map: (memory, item, { out }) => finalize(memory, item, out['cpages'] ?? 0),
  dmirror_devmem_fault: (memory, item) => devmemFault(memory, item),
  put_page: (_, { folio }) => ({ facts: [['refs', folio, 1, -1]] }),
} satisfies Partial<Rules>
