/** `fold`: memory after facts. It decides nothing: replaying the facts of a log needs no rule of any kernel. */
import { produce } from 'immer'
import { pfn, PMD_PAGES, slot, type Pfn, type Slot } from './address.ts'
import { daxEntryOf, isDevdax } from './dax.ts'
import { entryOf, NEXT_FRAME, NONE } from './entry.ts'
import { ACTIVE, EXCLUSIVE, FLAGS, frameKind, LARGE, POOL, stateOf } from './frames.ts'
import {
  batchOf,
  DEVICE_PAGES,
  deviceFirst,
  emptyMm,
  type Batched,
  type BatchKind,
  type File,
  type FileLock,
  type FileName,
  type Memory,
  type MmName,
} from './memory.ts'
import { Table } from './table.ts'
import { flushed } from './tlb.ts'
import type { Vma } from './vma.ts'
import type { Fact } from './facts.ts'

/** What a recipe may write to; tables are values in it. */
type Draft<T> = T extends Table | Vma | Batched | number | string | null ? T : { -readonly [K in keyof T]: Draft<T[K]> }

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
    case 'device-folio': {
      const device = draft.devices[fact[1]]
      if (device === undefined) throw new Error(`a fact about device '${fact[1]}', which is not there`)
      device.mirrors = device.mirrors.setRange(fact[2], PMD_PAGES, fact[3], 0)
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
      const entry = entryOf(word, target)
      if (tables.tlb !== Table.empty) tables.tlb = flushed(tables.tlb, tables[level], level, index, count, entry)
      tables[level] = tables[level].setRange(index, count, entry, step * NEXT_FRAME)
      return
    }
    case 'clear_bad': {
      const [, name, level, index] = fact
      const tables = mm(draft, name)
      tables[level] = tables[level].set(index, NONE)
      return
    }
    case 'tlb': {
      const [, name, page, count, word, frame, step] = fact
      const tables = mm(draft, name)
      tables.tlb = tables.tlb.setRange(page, count, entryOf(word, frame), step * NEXT_FRAME)
      return
    }
    case 'alloc': {
      const [, frame, state, refs, maps, content, anonVma, index] = fact
      const { frames } = draft
      frames.refs = frames.refs.set(frame, refs)
      frames.state = frames.state.set(frame, stateOf(state))
      if (maps !== 0) frames.maps = frames.maps.set(frame, maps)
      if (content !== frames.content.get(frame)) frames.content = frames.content.set(frame, content)
      if (anonVma !== 0) {
        frames.anonVma = frames.anonVma.set(frame, anonVma)
        frames.index = frames.index.set(frame, index)
      }
      if (frameKind(frames, frame) === 'anon') frames.fresh = frames.fresh.set(frame, 1)
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
      // Folios are made of the first 2 MiB that are free.
      if (head < deviceFirst(0)) frames.freeBlock = pfn(Math.max(frames.freeBlock, head + PMD_PAGES))
      if ((stateOf(state) & POOL) !== 0) draft.pool.free--
      return
    }
    case 'split': {
      const { frames } = draft
      const state = frames.state.get(fact[1]) & ~LARGE
      frames.refs = frames.refs.setRange(fact[1], PMD_PAGES, fact[2], 0)
      if (frames.lru.get(fact[1]) !== 0) frames.lru = frames.lru.setRange(fact[1], PMD_PAGES, frames.lru.get(fact[1]), 0)
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
    case 'reserved':
      draft.pool.reserved += fact[1]
      return
    case 'promised': {
      const [, name, index, count, promised] = fact
      draft.pool.promised[name] = (draft.pool.promised[name] ?? Table.empty).setRange(index, count, promised, 0)
      return
    }
    case 'file':
      if (fact[2] === null) {
        delete draft.files[fact[1]]
        delete draft.pool.promised[fact[1]]
      } else draft.files[fact[1]] = { ...fact[2], cache: Table.empty, blocks: Table.empty, dax: Table.empty }
      return
    case 'fget':
      return countOn(fileIn(draft, fact[1]), 'calls', fact[2])
    case 'file-lock':
      return countOn(fileIn(draft, fact[1]), fact[2], fact[3])
    case 'release':
      fileIn(draft, fact[1]).released = true
      return
    case 'size':
      fileIn(draft, fact[1]).size = fact[2]
      return
    case 'cache': {
      const [, name, index, word, target] = fact
      const file = fileIn(draft, name)
      file.cache = file.cache.set(index, entryOf(word, target))
      return
    }
    case 'blocks': {
      const [, name, index, count, frame] = fact
      const file = fileIn(draft, name)
      file.blocks = file.blocks.setRange(index, count, frame, frame === 0 ? 0 : 1)
      return
    }
    case 'dax': {
      const [, name, index, count, word] = fact
      const file = fileIn(draft, name)
      file.dax = file.dax.setRange(index, count, daxEntryOf(word), 0)
      return
    }
    case 'lru': {
      const { frames } = draft
      frames.lru = frames.lru.setRange(fact[1], fact[2], fact[3], 0)
      return
    }
    case 'batch':
      draft.batches.push([fact[1], fact[2]])
      return changeRefs(draft, fact[2], 1, 1)
    case 'drain': {
      const [, name] = fact
      const gone = draft.batches.filter(([kind]) => name === 'all' || batchOf(kind) === name)
      draft.batches = draft.batches.filter(batched => !gone.includes(batched))
      for (const batched of gone) moveOn(draft, batched)
      if (name === 'all' || name === 'lru_add') draft.frames.fresh = Table.empty
      return
    }
    case 'pagemap':
      draft.pagemaps[fact[1]] = (draft.pagemaps[fact[1]] ?? 0) + fact[2]
      return
    case 'pagemap-kill':
      draft.killed = [...(draft.killed ?? []), fact[1]]
  }
}

/** Flags of the `lru` column with which a folio leaves a batch. */
const MOVED: Readonly<Record<BatchKind, (flags: number) => number>> = {
  lru_lazyfree: () => 0,
  lru_deactivate: () => 0,
  lru_activate: flags => flags | ACTIVE,
  mlock: flags => flags,
  mlock_new: flags => flags,
}

/** A folio leaves its batch. */
function moveOn(draft: Draft<Memory>, [kind, folio]: Batched): void {
  const { frames } = draft
  const [flags, moved] = [frames.lru.get(folio), MOVED[kind](frames.lru.get(folio))]
  if (moved !== flags) frames.lru = frames.lru.set(folio, moved)
  changeRefs(draft, folio, 1, -1)
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

/** A frame of a device goes back to the device, and is the next that it gives out; a large folio is a free block again. */
function giveBack(draft: Draft<Memory>, frame: Pfn): void {
  const large = (draft.frames.state.get(frame) & LARGE) !== 0
  for (const device of Object.values(draft.devices)) {
    if (frame < device.first || frame >= device.first + DEVICE_PAGES) continue
    if (!large) device.freed.push(frame)
    device.mirrors = device.mirrors.setRange(frame, large ? PMD_PAGES : 1, 0, 0)
  }
}

/** Folios whose last reference goes are free, and are forgotten. */
function changeRefs(draft: Draft<Memory>, first: Pfn, count: number, change: number): void {
  const { frames } = draft
  let freed = false
  frames.refs = frames.refs.update(first, count, old => {
    freed ||= old + change === 0 && !isDevdax(first)
    return old + change
  })
  if (!freed) return
  let lowest: number = frames.free
  let lowestBlock: number = frames.freeBlock
  for (let f: number = first; f < first + count; f++) {
    if (frames.refs.get(f) !== 0) continue
    lowest = Math.min(lowest, f)
    lowestBlock = Math.min(lowestBlock, f - (f % PMD_PAGES))
    giveBack(draft, pfn(f))
    if ((frames.state.get(f) & LARGE) !== 0) frames.refs = frames.refs.setRange(f, PMD_PAGES, 0, 0)
    if ((frames.state.get(f) & POOL) !== 0) draft.pool.free++
  }
  const { refs } = frames
  const end = (frames.state.get(first) & LARGE) === 0 ? count : PMD_PAGES
  const unlessFree = (value: number, frame: number): number => (refs.get(frame) === 0 ? 0 : value)
  for (const column of ['state', 'content', 'anonVma', 'index', 'lru', 'fresh'] as const)
    frames[column] = frames[column].update(first, end, unlessFree)
  frames.free = pfn(lowest)
  frames.freeBlock = pfn(Math.min(frames.freeBlock, lowestBlock))
}

function fileIn(draft: Draft<Memory>, name: FileName): Draft<File> {
  const file = draft.files[name]
  if (file === undefined) throw new Error(`a fact about file '${name}', which is not there`)
  return file
}

/** What is absent while it is 0. */
function countOn(file: Draft<File>, what: 'calls' | FileLock, change: number): void {
  const now = (file[what] ?? 0) + change
  if (now === 0) delete file[what]
  else file[what] = now
}

function mm(draft: Draft<Memory>, name: MmName): Draft<Memory['mms'][string]> {
  const known = draft.mms[name]
  if (known === undefined) throw new Error(`a fact about address space '${name}', which is not there`)
  return known
}
