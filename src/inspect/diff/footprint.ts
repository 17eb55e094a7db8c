/**
 * What a recorded step writes: actors that it changes, and ranges of memory. Two steps of different actors conflict if they
 * write one thing, unless both only count it up or down.
 *
 * What a step only read is not in its record, and need not be: where the order mattered to the reader, its own record differs.
 */
import { PMD_PAGES } from '../../memory/address.ts'
import type { Fact } from '../../memory/facts.ts'
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
  for (const fact of record.facts) ofFact(fact as Fact, emit)
}

function ofFact(fact: Fact, emit: Emit): void {
  switch (fact[0]) {
    case 'pte':
    case 'pmd':
    case 'pud':
    case 'pgd':
      return emit(`${fact[1]} ${fact[0]}`, fact[2], fact[2] + fact[3], fact[4] === 'table')
    case 'tlb':
      return emit(`${fact[1]} tlb`, fact[2], fact[2] + fact[3], false)
    case 'clear_bad':
      return emit(`${fact[1]} ${fact[2]}`, fact[3], fact[3] + 1, false)
    case 'vmas':
    case 'mm':
    case 'open':
      return emit(`${fact[1]} ${fact[0] === 'open' ? 'files' : 'vmas'}`, 0, 1, false)
    case 'alloc':
    case 'lock':
      return emit('frames', fact[1], fact[1] + 1, false)
    case 'folio':
    case 'split':
      return emit('frames', fact[1], fact[1] + PMD_PAGES, false)
    case 'refs':
    case 'maps':
    case 'hugeMaps':
      return emit('frames', fact[1], fact[1] + fact[2], true)
    case 'state':
    case 'content':
    case 'anonVma':
    case 'index':
    case 'lru':
      return emit('frames', fact[1], fact[1] + fact[2], false)
    case 'swap':
    case 'swap-cache':
      return emit('swap', fact[1], fact[1] + 1, false)
    case 'swap-refs':
      return emit('swap', fact[1], fact[1] + 1, true)
    case 'reserved':
      return emit('pool', 0, 1, true)
    case 'pagemap-kill':
      return emit(`pagemap ${fact[1]}`, 0, 1, false)
    case 'pagemap':
      return emit(`pagemap ${fact[1]}`, 0, 1, true)
    case 'promised':
    case 'blocks':
    case 'dax':
      return emit(`file ${fact[1]}`, fact[2], fact[2] + fact[3], false)
    case 'cache':
      return emit(`file ${fact[1]}`, fact[2], fact[2] + 1, false)
    case 'file':
    case 'size':
      return emit(`file ${fact[1]} itself`, 0, 1, false)
    case 'device':
    case 'device-alloc':
    case 'device-folio':
      return emit(`device ${fact[1]}`, 0, 1, false)
    case 'batch':
      return emit('batches', 0, 1, true)
    case 'drain':
      return emit('batches', 0, 1, false)
  }
}
