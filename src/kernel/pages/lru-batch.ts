/**
 * Batches of folios that wait to be moved between the lists of reclaim (mm/swap.c, mm/mlock.c). While a folio waits, the batch
 * has a reference to it, and who counts references finds one too many: a write to a page that is no longer shared copies it.
 *
 * New pages wait to be put on a list first. When their batch is full is not modelled, for other pages of the machine are in it
 * too: they wait until they are drained, or until a process is forked.
 */
import type { Pfn } from '../../memory/address.ts'
import type { Fact } from '../../memory/facts.ts'
import { ACTIVE, folioSize, frameKind, headOf, REFERENCED } from '../../memory/frames.ts'
import { batchOf, type Batched, type BatchName, type Memory } from '../../memory/memory.ts'
import { INDEX_LIMIT } from '../../memory/table.ts'
import { has, VM_LOCKED, VM_SPECIAL, type Vma } from '../../memory/vma.ts'
import type { Agenda, Rules } from '../agenda.ts'
import { overRuns } from './folio.ts'
import type { Profile } from '../profiles.ts'
import { isUnevictable } from './rmap.ts'

/** `lru_add_drain()`: whatever waits in any batch is moved. */
export const LRU_ADD_DRAIN: Agenda = [{ do: 'lru_add_drain' }]
/** What is unmapped may wait in a batch, with a reference: older kernels move it on first, so that it is free at once. */
export const zapDrain = ({ zapDrains }: Profile): Agenda => (zapDrains ? LRU_ADD_DRAIN : [])
export const drained = (memory: Memory): readonly Fact[] => (memory.batches.length > 0 || hasFresh(memory) ? [['drain', 'all']] : [])
const hasFresh = ({ frames }: Memory): boolean => frames.fresh.next(0, INDEX_LIMIT) < INDEX_LIMIT

/** A process that begins writes so much of its own memory that the batch of new pages is full, and emptied. */
export const overflowed = (memory: Memory): readonly Fact[] => (hasFresh(memory) ? [['drain', 'lru_add']] : [])

/** `folio_batch_add_and_move()`: a batch that is full is emptied, and one that a large folio was put into. */
export function batched({ batches, frames }: Memory, added: readonly Batched[], profile: Profile): readonly Fact[] {
  const waiting = new Map<BatchName, number>()
  const countOf = (name: BatchName): number => waiting.get(name) ?? 0
  for (const [kind] of batches) waiting.set(batchOf(kind), countOf(batchOf(kind)) + 1)
  return added.flatMap(([kind, folio]): readonly Fact[] => {
    const name = batchOf(kind)
    const count = countOf(name) + 1
    const full = count === profile.batchSize || folioSize(frames, folio) > 1
    waiting.set(name, full ? 0 : count)
    return full
      ? [
          ['batch', kind, folio],
          ['drain', name],
        ]
      : [['batch', kind, folio]]
  })
}

const isNewlyLocked = ({ batches }: Memory, folio: Pfn): boolean => batches.some(([kind, waits]) => kind === 'mlock_new' && waits === folio)

/** `folio_test_lru()`: is the folio on a list of reclaim already? */
export const isOnLru = (memory: Memory, folio: Pfn): boolean => memory.frames.fresh.get(folio) === 0 && !isNewlyLocked(memory, folio)

/** `folio_ref_count()`, with the reference that the batch of new pages has. */
export const refsWithBatches = (memory: Memory, folio: Pfn): number =>
  memory.frames.refs.get(folio) + (isOnLru(memory, folio) || isNewlyLocked(memory, folio) ? 0 : 1)

/** `mark_page_accessed()`: what is accessed a second time is to become active; what is new becomes so where it waits. */
export function markAccessed(memory: Memory, pages: readonly Pfn[], profile: Profile): readonly Fact[] {
  const { frames } = memory
  const changed = new Map<Pfn, number>()
  const active: Batched[] = []
  for (const head of pages.map(frame => headOf(frames, frame))) {
    const flags = changed.get(head) ?? frames.lru.get(head)
    if (frameKind(frames, head) !== 'anon') continue
    if ((flags & REFERENCED) === 0) changed.set(head, flags | REFERENCED)
    else if ((flags & ACTIVE) === 0 && !isUnevictable(memory, head)) {
      const isNew = !isOnLru(memory, head)
      changed.set(head, isNew ? ACTIVE : 0)
      if (!isNew) active.push(['lru_activate', head])
    }
  }
  const facts = [...new Set(changed.values())].flatMap(flags =>
    overRuns(
      [...changed.keys()].filter(head => changed.get(head) === flags),
      (first, count) => [['lru', first, count, flags]],
    ),
  )
  return [...facts, ...batched(memory, active, profile)]
}

/**
 * In an area that is locked, pages that begin or cease to be mapped wait to be moved to the list of those that are not
 * reclaimed, or away from it: `mlock_folio()`, `mlock_new_folio()`, `munlock_folio()`.
 */
export function mlocked(
  memory: Memory,
  vma: Vma,
  pages: readonly (readonly ['mlock' | 'mlock_new', Pfn])[],
  profile: Profile,
): readonly Fact[] {
  if (!has(vma, VM_LOCKED) || has(vma, VM_SPECIAL)) return []
  return batched(
    memory,
    pages.map(([kind, frame]) => [kind, headOf(memory.frames, frame)]),
    profile,
  )
}

export const lruBatchRules = {
  // Where nobody loses a reference, it is no step of its own.
  lru_add_drain: memory => (memory.batches.length > 0 ? { facts: drained(memory) } : { along: drained(memory) }),
} satisfies Partial<Rules>
