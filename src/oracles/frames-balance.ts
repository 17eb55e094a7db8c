/**
 * Map counts are what the page tables say; nothing maps or caches a free frame; and a frame has as many references as
 * mappings and its page cache account for, plus those that somebody is known to hold just now.
 */
import { pfn } from '../memory/address.ts'
import { frameOf, isPresent, isSwap, slotOf, SPECIAL } from '../memory/entry.ts'
import { frameKind } from '../memory/frames.ts'
import { ZERO_PFN, type Memory } from '../memory/memory.ts'
import type { Table } from '../memory/table.ts'
import type { Oracle } from './oracle.ts'

/** How often each number occurs. */
type Counts = Map<number, number>
const count = (counts: Counts, n: number): unknown => counts.set(n, (counts.get(n) ?? 0) + 1)

function* entriesOf(table: Table): Generator<number> {
  for (const [first, n] of table.runs()) for (let i = 0; i < n; i++) yield table.get(first + i)
}

function counted(memory: Memory): { readonly mapped: Counts; readonly cached: Counts; readonly slots: Counts } {
  const [mapped, cached, slots]: [Counts, Counts, Counts] = [new Map(), new Map(), new Map()]
  for (const { pte } of Object.values(memory.mms)) {
    for (const entry of entriesOf(pte)) {
      if (isSwap(entry)) count(slots, slotOf(entry))
      else if (isPresent(entry) && (entry & SPECIAL) === 0) count(mapped, frameOf(entry))
    }
  }
  for (const { cache } of Object.values(memory.files)) {
    for (const entry of entriesOf(cache)) count(isSwap(entry) ? slots : cached, isSwap(entry) ? slotOf(entry) : frameOf(entry))
  }
  return { mapped, cached, slots }
}

/** For worlds in which nobody is inside the kernel: there, no reference is held but by mappings and page caches. */
export const framesBalance: Oracle = ({ world: { memory } }) => {
  const { frames, swap } = memory
  const { mapped, cached, slots } = counted(memory)
  const known = new Set([...mapped.keys(), ...cached.keys(), ...indices(frames.refs), ...indices(frames.maps), ...indices(frames.state)])
  known.delete(ZERO_PFN)
  for (const frame of known) {
    const [maps, refs, inTables] = [frames.maps.get(frame), frames.refs.get(frame), mapped.get(frame) ?? 0]
    if (maps !== inTables) return `frame ${frame} has map count ${maps}, and ${inTables} entries map it`
    const held = inTables + (cached.get(frame) ?? 0)
    if (refs !== held) return `frame ${frame} (${frameKind(frames, pfn(frame))}) has ${refs} references, and ${held} are accounted for`
  }
  for (const slot of new Set([...slots.keys(), ...indices(swap.refs)])) {
    if (swap.refs.get(slot) !== (slots.get(slot) ?? 0))
      return `swap slot ${slot} has ${swap.refs.get(slot)} references, and ${slots.get(slot) ?? 0} entries lead to it`
  }
  if (frames.refs.gap(2) !== frames.free) return `frame ${frames.free} is said to be the lowest free one, and ${frames.refs.gap(2)} is`
  return undefined
}

function* indices(table: Table): Generator<number> {
  for (const [first, n] of table.runs()) for (let i = 0; i < n; i++) yield first + i
}
