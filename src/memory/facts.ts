/**
 * Facts: what a step changed in memory, as plain tuples that a log keeps, and `fold`, which applies them. Folding
 * decides nothing: replaying the facts of a log needs no rule of any kernel.
 *
 * Runs: where a fact has a count, it speaks of that many consecutive pages or frames; `step` is what is added to the
 * target from one entry to the next (1 for consecutive frames, 0 for one frame mapped everywhere).
 */
import { produce } from 'immer'
import { indexAt, pfn, slot, type Level, type Page, type Pfn, type Slot } from './address.ts'
import { entryOf, frameOf, NEXT_FRAME, NONE, TABLE, wordOf, type Entry } from './entry.ts'
import { stateOf } from './frames.ts'
import { emptyMm, type File, type FileName, type Memory, type MmName } from './memory.ts'
import { Table } from './table.ts'
import type { Vma } from './vma.ts'

export type Fact =
  /** The areas from the `at`-th on: `drop` of them are gone, these are there. */
  | readonly ['vmas', mm: MmName, at: number, drop: number, put: readonly Vma[]]
  /** Entries of a level of an address space's tables, from `index` on. */
  | readonly [Level, mm: MmName, index: number, count: number, word: string, target: number, step: number]
  /** Frames are taken, with their state, references, map count and content. */
  | readonly ['alloc', frame: Pfn, state: string, refs: number, maps: number, content: number]
  | readonly ['refs' | 'maps', frame: Pfn, count: number, change: number]
  | readonly ['state', frame: Pfn, state: string]
  | readonly ['content', frame: Pfn, content: number]
  /** A swap slot is taken, with one reference. */
  | readonly ['swap', slot: Slot, content: number]
  | readonly ['swap-refs', slot: Slot, change: number]
  /** A file is made, or, with null, gone. */
  | readonly ['file', name: FileName, file: Omit<File, 'cache'> | null]
  /** An entry of a file's page cache. */
  | readonly ['cache', name: FileName, index: number, word: string, target: number]

/** Entries of a run: those of consecutive frames from that of `entry` on, unless `step` is 0. */
export const entries = (level: Level, mm: MmName, index: number, count: number, entry: Entry, step = 0): Fact => [
  level,
  mm,
  index,
  count,
  wordOf(entry),
  frameOf(entry),
  step,
]
export const pte = (mm: MmName, page: Page, entry: Entry): Fact => entries('pte', mm, page, 1, entry)
export const cached = (name: FileName, index: number, entry: Entry): Fact => ['cache', name, index, wordOf(entry), frameOf(entry)]

/** The facts that make the tables above a page of a level exist: `pgd_alloc` … `pte_alloc`. */
export function tablesTo(memory: Memory, mm: MmName, page: Page, level: 'pmd' | 'pte'): readonly Fact[] {
  const tables = memory.mms[mm] ?? emptyMm
  const above: readonly Exclude<Level, 'pte'>[] = level === 'pte' ? ['pgd', 'pud', 'pmd'] : ['pgd', 'pud']
  return above.flatMap(l => (tables[l].get(indexAt(l, page)) === NONE ? [entries(l, mm, indexAt(l, page), 1, TABLE)] : []))
}

/** What a recipe may write to; tables are values in it. */
type Draft<T> = T extends Table | number | string ? T : { -readonly [K in keyof T]: Draft<T[K]> }

/** Memory after the facts. */
export function fold(memory: Memory, facts: readonly Fact[]): Memory {
  return produce<Memory, Draft<Memory>>(memory, draft => {
    for (const fact of facts) apply(draft, fact)
  })
}

function apply(draft: Draft<Memory>, fact: Fact): void {
  switch (fact[0]) {
    case 'vmas':
      return void mm(draft, fact[1]).vmas.splice(fact[2], fact[3], ...fact[4])
    case 'pgd':
    case 'pud':
    case 'pmd':
    case 'pte': {
      const [level, name, index, count, word, target, step] = fact
      const tables = mm(draft, name)
      tables[level] = tables[level].setRange(index, count, entryOf(word, target), step * NEXT_FRAME)
      return
    }
    case 'alloc': {
      const [, frame, state, refs, maps, content] = fact
      const { frames } = draft
      frames.refs = frames.refs.set(frame, refs)
      frames.state = frames.state.set(frame, stateOf(state))
      if (maps !== 0) frames.maps = frames.maps.set(frame, maps)
      if (content !== 0) frames.content = frames.content.set(frame, content)
      if (frame === frames.free) frames.free = pfn(frames.refs.gap(frame))
      return
    }
    case 'refs':
      return changeRefs(draft, fact[1], fact[2], fact[3])
    case 'maps': {
      const change = fact[3]
      draft.frames.maps = draft.frames.maps.update(fact[1], fact[2], maps => maps + change)
      return
    }
    case 'state':
      draft.frames.state = draft.frames.state.set(fact[1], stateOf(fact[2]))
      return
    case 'content':
      draft.frames.content = draft.frames.content.set(fact[1], fact[2])
      return
    case 'swap': {
      const { swap } = draft
      swap.refs = swap.refs.set(fact[1], 1)
      swap.content = swap.content.set(fact[1], fact[2])
      if (fact[1] === swap.free) swap.free = slot(swap.refs.gap(fact[1]))
      return
    }
    case 'swap-refs': {
      const { swap } = draft
      const refs = swap.refs.get(fact[1]) + fact[2]
      swap.refs = swap.refs.set(fact[1], refs)
      if (refs === 0) {
        swap.content = swap.content.set(fact[1], 0)
        swap.free = slot(Math.min(swap.free, fact[1]))
      }
      return
    }
    case 'file':
      if (fact[2] === null) delete draft.files[fact[1]]
      else draft.files[fact[1]] = { ...fact[2], cache: Table.empty }
      return
    case 'cache': {
      const [, name, index, word, target] = fact
      const file = draft.files[name]
      if (file === undefined) throw new Error(`a fact about file '${name}', which is not there`)
      file.cache = file.cache.set(index, entryOf(word, target))
    }
  }
}

/** Frames whose last reference goes are free, and are forgotten. */
function changeRefs(draft: Draft<Memory>, first: Pfn, count: number, change: number): void {
  const { frames } = draft
  let freed = false
  const refs = frames.refs.update(first, count, old => {
    freed ||= old + change === 0
    return old + change
  })
  frames.refs = refs
  if (!freed) return
  const unlessFree = (value: number, frame: number): number => (refs.get(frame) === 0 ? 0 : value)
  frames.state = frames.state.update(first, count, unlessFree)
  frames.content = frames.content.update(first, count, unlessFree)
  for (let f = first; f < first + count; f = pfn(f + 1)) if (refs.get(f) === 0) frames.free = pfn(Math.min(frames.free, f))
}

function mm(draft: Draft<Memory>, name: MmName): Draft<Memory['mms'][string]> {
  const known = draft.mms[name]
  if (known === undefined) throw new Error(`a fact about address space '${name}', which is not there`)
  return known
}
