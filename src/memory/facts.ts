/**
 * Facts: what a step changed in memory, as plain tuples that a log keeps, and `fold`, which applies them. Folding
 * decides nothing: replaying the facts of a log needs no rule of any kernel.
 *
 * Runs: where a fact has a count, it speaks of that many consecutive pages or frames; `step` is what is added to the
 * target from one entry to the next (1 for consecutive frames, 0 for one frame mapped everywhere).
 */
import { produce } from 'immer'
import { indexAt, pfn, PMD_PAGES, slot, type Level, type Page, type Pfn, type Slot } from './address.ts'
import { entryOf, frameOf, NEXT_FRAME, NONE, TABLE, wordOf, type Entry } from './entry.ts'
import { EXCLUSIVE, FLAGS, LARGE, stateOf } from './frames.ts'
import { DEVICE_PAGES, emptyMm, type DeviceMemory, type File, type FileName, type Memory, type MmName } from './memory.ts'
import { Table } from './table.ts'
import type { Vma } from './vma.ts'

export type Fact =
  /** The areas from the `at`-th on: `drop` of them are gone, these are there. */
  | readonly ['vmas', mm: MmName, at: number, drop: number, put: readonly Vma[]]
  /** Frames are locked or no longer (`PG_locked`): who wants to know them waits. */
  | readonly ['lock', frame: Pfn, locked: boolean]
  /** Memory of a device is there, all of it free. */
  | readonly ['device', device: string, kind: DeviceMemory['kind'], first: Pfn]
  /** A frame of it is taken, for a mirror. */
  | readonly ['device-alloc', device: string, frame: Pfn, mirror: number]
  /** What a process has open. */
  | readonly ['open', mm: MmName, files: readonly FileName[]]
  /** An address space is made, empty, or is gone. */
  | readonly ['mm', mm: MmName, there: boolean]
  /** Entries of a level of an address space's tables, from `index` on. */
  | readonly [Level, mm: MmName, index: number, count: number, word: string, target: number, step: number]
  /** A frame is taken, with its state, references, map count and content, and its place in reverse mappings. */
  | readonly ['alloc', frame: Pfn, state: string, refs: number, maps: number, content: number, anonVma: number, index: number]
  /** 512 frames are taken as one folio. */
  | readonly ['folio', head: Pfn, state: string, refs: number]
  | readonly ['refs' | 'maps' | 'hugeMaps', frame: Pfn, count: number, change: number]
  | readonly ['state', frame: Pfn, count: number, state: string]
  /** What frames contain, or where they belong: `step` is added from one to the next. */
  | readonly ['content' | 'anonVma' | 'index', frame: Pfn, count: number, value: number, step: number]
  /** A large folio falls apart: its frames have these references each. */
  | readonly ['split', head: Pfn, refs: number]
  /** A swap slot is taken, with one reference. */
  | readonly ['swap', slot: Slot, content: number]
  | readonly ['swap-refs', slot: Slot, change: number]
  /** The frame that the swap cache has for a slot; 0 for none. */
  | readonly ['swap-cache', slot: Slot, frame: Pfn]
  /** A file is made, or, with null, gone. */
  | readonly ['file', name: FileName, file: Omit<File, 'cache'> | null]
  /** A file's size, in bytes. */
  | readonly ['size', name: FileName, bytes: number]
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
type Draft<T> = T extends Table | Vma | number | string | null ? T : { -readonly [K in keyof T]: Draft<T[K]> }

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
    case 'lock': {
      const { frames } = draft
      frames.locked = frames.locked.set(fact[1], fact[2] ? 1 : 0)
      return
    }
    case 'device':
      draft.devices[fact[1]] = { kind: fact[2], first: fact[3], given: 0, freed: [], mirrors: Table.empty }
      return
    case 'device-alloc': {
      const device = draft.devices[fact[1]]
      if (device === undefined) throw new Error(`a fact about device '${fact[1]}', which is not there`)
      if (device.freed.at(-1) === fact[2]) device.freed.pop()
      else device.given++
      device.mirrors = device.mirrors.set(fact[2], fact[3])
      return
    }
    case 'open':
      mm(draft, fact[1]).open = [...fact[2]]
      return
    case 'mm':
      if (fact[2]) draft.mms[fact[1]] = { ...emptyMm, vmas: [], open: [] }
      else delete draft.mms[fact[1]]
      return
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
      const [, frame, state, refs, maps, content, anonVma, index] = fact
      const { frames } = draft
      frames.refs = frames.refs.set(frame, refs)
      frames.state = frames.state.set(frame, stateOf(state))
      if (maps !== 0) frames.maps = frames.maps.set(frame, maps)
      if (content !== 0) frames.content = frames.content.set(frame, content)
      if (anonVma !== 0) {
        frames.anonVma = frames.anonVma.set(frame, anonVma)
        frames.index = frames.index.set(frame, index)
      }
      if (frame === frames.free) frames.free = pfn(frames.refs.gap(frame))
      return
    }
    case 'folio': {
      const [, head, state, refs] = fact
      const { frames } = draft
      frames.refs = frames.refs.setRange(head, PMD_PAGES, 1, 0).set(head, refs)
      // Its other frames are of the same kind, and have flags of their own.
      frames.state = frames.state.setRange(head, PMD_PAGES, stateOf(state) & ~FLAGS, 0).set(head, stateOf(state))
      if (head === frames.free) frames.free = pfn(frames.refs.gap(head))
      return
    }
    case 'split': {
      const { frames } = draft
      const state = frames.state.get(fact[1]) & ~LARGE
      frames.refs = frames.refs.setRange(fact[1], PMD_PAGES, fact[2], 0)
      frames.state = frames.state.update(fact[1], PMD_PAGES, (own, frame) => (frame === fact[1] ? state : (state & ~EXCLUSIVE) | own))
      return
    }
    case 'refs':
      return changeRefs(draft, fact[1], fact[2], fact[3])
    case 'maps':
    case 'hugeMaps': {
      const change = fact[3]
      draft.frames[fact[0]] = draft.frames[fact[0]].update(fact[1], fact[2], maps => maps + change)
      return
    }
    case 'state': {
      const { frames } = draft
      frames.state = frames.state.setRange(fact[1], fact[2], stateOf(fact[3]), 0)
      return
    }
    case 'content':
    case 'anonVma':
    case 'index': {
      const [column, frame, count, value, step] = fact
      draft.frames[column] = draft.frames[column].setRange(frame, count, value, step)
      return
    }
    case 'swap': {
      const { swap } = draft
      swap.refs = swap.refs.set(fact[1], 1)
      swap.content = swap.content.set(fact[1], fact[2])
      if (fact[1] === swap.free) swap.free = slot(nextFreeSlot(swap, fact[1]))
      return
    }
    case 'swap-refs': {
      const { swap } = draft
      swap.refs = swap.refs.set(fact[1], swap.refs.get(fact[1]) + fact[2])
      return freeSlot(swap, fact[1])
    }
    case 'swap-cache': {
      const { swap } = draft
      swap.cache = swap.cache.set(fact[1], fact[2])
      return freeSlot(swap, fact[1])
    }
    case 'file':
      if (fact[2] === null) delete draft.files[fact[1]]
      else draft.files[fact[1]] = { ...fact[2], cache: Table.empty }
      return
    case 'size':
      fileIn(draft, fact[1]).size = fact[2]
      return
    case 'cache': {
      const [, name, index, word, target] = fact
      const file = fileIn(draft, name)
      file.cache = file.cache.set(index, entryOf(word, target))
    }
  }
}

function nextFreeSlot(swap: Draft<Memory['swap']>, from: number): number {
  let at = swap.refs.gap(from)
  while (swap.cache.get(at) !== 0) at = swap.refs.gap(at + 1)
  return at
}

/** A slot is free once no entry leads to it and the swap cache has nothing for it. */
function freeSlot(swap: Draft<Memory['swap']>, at: Slot): void {
  if (swap.refs.get(at) !== 0 || swap.cache.get(at) !== 0) return
  swap.content = swap.content.set(at, 0)
  swap.free = slot(Math.min(swap.free, at))
}

/** A frame of a device goes back to the device, and is the next that it gives out. */
function giveBack(draft: Draft<Memory>, frame: Pfn): void {
  for (const device of Object.values(draft.devices)) {
    if (frame < device.first || frame >= device.first + DEVICE_PAGES) continue
    device.freed.push(frame)
    device.mirrors = device.mirrors.set(frame, 0)
  }
}

/** Folios whose last reference goes are free, and are forgotten. */
function changeRefs(draft: Draft<Memory>, first: Pfn, count: number, change: number): void {
  const { frames } = draft
  let freed = false
  frames.refs = frames.refs.update(first, count, old => {
    freed ||= old + change === 0
    return old + change
  })
  if (!freed) return
  let lowest: number = frames.free
  for (let f: number = first; f < first + count; f++) {
    if (frames.refs.get(f) !== 0) continue
    lowest = Math.min(lowest, f)
    giveBack(draft, pfn(f))
    if ((frames.state.get(f) & LARGE) !== 0) frames.refs = frames.refs.setRange(f, PMD_PAGES, 0, 0)
  }
  const { refs } = frames
  const end = (frames.state.get(first) & LARGE) === 0 ? count : PMD_PAGES
  const unlessFree = (value: number, frame: number): number => (refs.get(frame) === 0 ? 0 : value)
  for (const column of ['state', 'content', 'anonVma', 'index'] as const) frames[column] = frames[column].update(first, end, unlessFree)
  frames.free = pfn(lowest)
}

function fileIn(draft: Draft<Memory>, name: FileName): Draft<File> {
  const file = draft.files[name]
  if (file === undefined) throw new Error(`a fact about file '${name}', which is not there`)
  return file
}

function mm(draft: Draft<Memory>, name: MmName): Draft<Memory['mms'][string]> {
  const known = draft.mms[name]
  if (known === undefined) throw new Error(`a fact about address space '${name}', which is not there`)
  return known
}
