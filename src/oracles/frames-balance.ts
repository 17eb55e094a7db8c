/**
 * Map counts are what the page tables say; nothing maps or caches a free frame; and a folio has as many references as
 * mappings, exclusive entries, its page cache, the blocks of a DAX file, the swap cache and batches account for. Nothing is locked or
 * on its way; page maps are held only while pages are being taken; the pool of 2 MiB pages has as many as are not in use.
 */
import { page, pfn, type Pfn } from '../memory/address.ts'
import { DEVMAP, frameOf, isMigration, isPresent, isSwap, kindOf, slotOf, type EntryKind } from '../memory/entry.ts'
import { hasPage } from '../memory/normal-page.ts'
import { frameFlags, frameKind, headOf, POOL } from '../memory/frames.ts'
import { POOL_PAGES, type Frames, type Memory, type Mm, type MmName } from '../memory/memory.ts'
import type { Oracle } from './oracle.ts'

/** How often each number occurs. */
type Counts = Map<number, number>
const count = (counts: Counts, n: number): unknown => counts.set(n, (counts.get(n) ?? 0) + 1)

/** What the tables and caches say: of each frame, who maps it and who has a reference; of each swap slot, who leads to it. */
interface Counted {
  readonly mapped: Counts
  readonly hugeMapped: Counts
  /** References, of a large folio at its head. */
  readonly held: Counts
  readonly slots: Counts
}

/** Entries that map a frame though the CPU cannot use it. */
const MAPS: ReadonlySet<EntryKind> = new Set<EntryKind>(['!devpriv-r', '!devpriv-w', '!excl-m'])
/** Entries that keep a reference, and map nothing. */
const HOLDS: ReadonlySet<EntryKind> = new Set<EntryKind>(['!excl-r', '!excl-w'])

/** The huge zero page is not counted, nor what its entry marks as DAX. */
function countHuge(frames: Frames, entry: number, hugeMapped: Counts, held: Counts): void {
  const counts = isPresent(entry) ? (entry & DEVMAP) === 0 && frameKind(frames, frameOf(entry)) !== 'zero' : MAPS.has(kindOf(entry))
  if (!counts) return
  count(hugeMapped, frameOf(entry))
  count(held, headOf(frames, frameOf(entry)))
}

/** The page tables of an address space, counted; or what must not stand in them. */
function countTables(frames: Frames, name: MmName, mm: Mm, { mapped, hugeMapped, held, slots }: Counted): string | undefined {
  for (const index of mm.pmd.indices()) countHuge(frames, mm.pmd.get(index), hugeMapped, held)
  for (const index of mm.pud.indices()) countHuge(frames, mm.pud.get(index), hugeMapped, held)
  for (const p of mm.pte.indices()) {
    const entry = mm.pte.get(p)
    if (isMigration(entry)) return `page ${page(p)} of ${name} is on its way from frame ${frameOf(entry)}, and nobody is moving it`
    if (isSwap(entry)) count(slots, slotOf(entry))
    const maps = isPresent(entry) ? hasPage(entry) : MAPS.has(kindOf(entry))
    if (maps) count(mapped, frameOf(entry))
    if (maps || HOLDS.has(kindOf(entry))) count(held, headOf(frames, frameOf(entry)))
  }
  return undefined
}

function countCaches({ files, frames, swap, batches }: Memory, { held, slots }: Counted): void {
  for (const { cache, blocks } of Object.values(files)) {
    for (const index of blocks.indices()) count(held, blocks.get(index))
    for (const index of cache.indices()) {
      const entry = cache.get(index)
      if (isSwap(entry)) count(slots, slotOf(entry))
      else count(held, headOf(frames, frameOf(entry)))
    }
  }
  for (const [, folio] of batches) count(held, folio)
  for (const slot of swap.cache.indices()) count(held, headOf(frames, pfn(swap.cache.get(slot))))
}

/** What is wrong with one frame. A frame of a large folio that is not its head has one reference, for being part of it. */
function wrongWith(frames: Frames, frame: Pfn, { mapped, hugeMapped, held }: Counted): string | undefined {
  if (frames.locked.get(frame) !== 0) return `frame ${frame} is locked, and nobody is there to unlock it`
  const [maps, inTables] = [frames.maps.get(frame), mapped.get(frame) ?? 0]
  if (maps !== inTables) return `frame ${frame} has map count ${maps}, and ${inTables} entries map it`
  const [hugeMaps, inHuge] = [frames.hugeMaps.get(frame), hugeMapped.get(frame) ?? 0]
  if (hugeMaps !== inHuge) return `frame ${frame} has a map count of ${hugeMaps} for 2 MiB, and ${inHuge} entries map that`
  const [refs, known] = [frames.refs.get(frame), headOf(frames, frame) === frame ? (held.get(frame) ?? 0) : 1]
  return refs === known ? undefined : `frame ${frame} (${frameKind(frames, frame)}) has ${refs} references, and ${known} are accounted for`
}

/** For worlds in which nobody is inside the kernel: there, no reference is held but by entries, caches and batches. */
export const framesBalance: Oracle = ({ world: { memory } }) => {
  const { frames, swap, mms, pool } = memory
  const counted: Counted = { mapped: new Map(), hugeMapped: new Map(), held: new Map(), slots: new Map() }
  for (const [name, mm] of Object.entries(mms)) {
    const wrong = countTables(frames, name, mm, counted)
    if (wrong !== undefined) return wrong
  }
  countCaches(memory, counted)
  const columns = [frames.refs, frames.maps, frames.hugeMaps, frames.state, frames.locked]
  const known = new Set([counted.mapped, counted.hugeMapped, counted.held].flatMap(c => [...c.keys()]))
  for (const column of columns) for (const frame of column.indices()) known.add(frame)
  for (const frame of known) {
    if (frameKind(frames, pfn(frame)) === 'zero') continue
    const wrong = wrongWith(frames, pfn(frame), counted)
    if (wrong !== undefined) return wrong
  }
  const { slots } = counted
  for (const slot of new Set([...slots.keys(), ...swap.refs.indices()])) {
    if (swap.refs.get(slot) !== (slots.get(slot) ?? 0))
      return `swap slot ${slot} has ${swap.refs.get(slot)} references, and ${slots.get(slot) ?? 0} entries lead to it`
  }
  const held = Object.entries(memory.pagemaps).find(([, refs]) => refs !== 0)
  if (held !== undefined) return `the page map of ${held[0]} has ${held[1]} references, and nobody is there to put them`
  const used = [...known].filter(frame => (frameFlags(frames, pfn(frame)) & POOL) !== 0).length
  if (pool.free + used !== POOL_PAGES) return `the pool has ${pool.free} free pages, and ${used} are in use, of ${POOL_PAGES}`
  if (frames.refs.gap(2) !== frames.free) return `frame ${frames.free} is said to be the lowest free one, and ${frames.refs.gap(2)} is`
  return undefined
}
