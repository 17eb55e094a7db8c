/**
 * What a recorded step writes: actors that it changes, and ranges of memory. Two steps of different actors conflict if they
 * write one thing, unless both only count it up or down.
 *
 * What a step only read is not in its record, and need not be: where the order mattered to the reader, its own record differs.
 */
import type { Fact } from '../../memory/facts.ts'
import { writes } from '../../memory/writes.ts'
import type { StepRecord } from '../../log/records.ts'

/** Called with a space (an actor, a table, the frames) and the part of it that is written: [from, to). */
export type Emit = (space: string, from: number, to: number, counts: boolean) => void

/** Keys of contexts that are counters: one up and one down are the same in any order. */
const COUNTERS: ReadonlySet<string> = new Set(['readers', 'active_invalidate_ranges'])

export function footprint(record: StepRecord, emit: Emit): void {
  for (const name in record.set) {
    if (name === record.by) continue
    const keys = Object.keys(record.set[name]?.[1] ?? {})
    emit(`actor ${name}`, 0, 1, keys.length > 0 && keys.every(key => COUNTERS.has(key)))
  }
  for (const fact of record.facts)
    writes(fact as Fact, (part, name, from, to, counts) => emit(name === '' ? part : `${name} ${part}`, from, to, counts))
}
