/** What a recorder would have seen of a world: page tables, results of calls, and frames numbered by first appearance. */
import { endAt, page, type Level, type Page, type Pfn } from '../memory/address.ts'
import { frameOf, isPresent, kindOf, NONE, PROTNONE, wordOf } from '../memory/entry.ts'
import { frameKind, isExclusive } from '../memory/frames.ts'
import type { Profile } from '../kernel/profiles.ts'
import { mmOf, type Frames, type Memory, type Mm, type MmName } from '../memory/memory.ts'
import { isHugePrivate, frameAt, leafAt } from '../memory/pagetable.ts'
import type { Table } from '../memory/table.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID, HMM_PFN_WRITE, mapOrder } from '../walker/hmm.ts'
import type { Row } from './recording.ts'

/** The recorder dumps these pages: its arena, and the first of a 1 GiB aligned one. */
const DUMPED: readonly (readonly [Page, Page])[] = [
  [page(0), page(4096)],
  [page(262144), page(262152)],
]

/** Frames as a recorder tells them: numbered from 1, in the order in which a step shows them, and by kind. */
export class FrameNumbers {
  readonly #profile: Profile

  constructor(profile: Profile) {
    this.#profile = profile
  }

  /** What a driver has made is a page like any other to the recorder; old kernels do not know one kind of DAX from the other. */
  kindOf(frames: Frames, frame: Pfn): string {
    const kind = frameKind(frames, frame)
    return kind === 'driver' ? 'file' : kind === 'devdax' && !this.#profile.tellsDevdax ? 'fsdax' : kind
  }
  readonly #numbers = new Map<number, number>()
  of(frame: number): number {
    const known = this.#numbers.get(frame)
    if (known !== undefined) return known
    this.#numbers.set(frame, this.#numbers.size + 1)
    return this.#numbers.size
  }
}

/** Kind and bits of a present entry, or what an absent one is. Of 1 GiB without any right, the kernel says that nothing is there. */
function whatOf(entry: number, frames: Frames, level: Level, numbers: FrameNumbers): string {
  if (entry === NONE) return 'none'
  if (!isPresent(entry))
    return kindOf(entry)
      .replace(/^!swap-x$/, '!swap')
      .replace(/^!excl-m$/, '!excl-w')
  if (level === 'pud' && (entry & PROTNONE) !== 0) return '!'
  const frame = frameOf(entry)
  const bits = wordOf(entry).slice(1)
  const kind = numbers.kindOf(frames, frame)
  return `${kind}:${inRecordedOrder(bits)}${kind === 'anon' && isExclusive(frames, frame) ? 'X' : ''}`
}
const inRecordedOrder = (bits: string): string => ['W', 'D', 'A', 'S', 'V', 'N'].filter(bit => bits.includes(bit)).join('')

interface MutableRow {
  first: number
  count: number
  level: number
  what: string
  frames: Pfn[]
}

/** The rows of a page table: pages that look alike and follow each other are one. */
export function rowsOf(memory: Memory, name: MmName, numbers: FrameNumbers): readonly Row[] {
  const mm = mmOf(memory, name)
  const rows: MutableRow[] = []
  const add = (first: number, count: number, level: number, what: string, frames: readonly Pfn[]): void => {
    const last = rows.at(-1)
    // A huge entry is a row of its own.
    if (last !== undefined && level <= 1 && last.first + last.count === first && last.level === level && last.what === what) {
      last.count += count
      last.frames.push(...frames)
    } else rows.push({ first, count, level, what, frames: [...frames] })
  }
  for (const [from, to] of DUMPED)
    for (const [start, end] of mappedParts(mm, from, to)) addPart(mm, memory.frames, start, end, numbers, add)
  return rows.map(({ first, count, level, what, frames }) =>
    frames.length === 0
      ? [first, count, level, what]
      : [first, count, level, what, level > 1 ? numbers.of(frames[0] ?? 0) : frames.map(f => numbers.of(f))],
  )
}

const mappedParts = (mm: Mm, from: Page, to: Page): readonly (readonly [Page, Page])[] =>
  mm.vmas.filter(v => v.start < to && from < v.end).map(v => [page(Math.max(v.start, from)), page(Math.min(v.end, to))])

const LEVEL = { pte: 1, pmd: 2, pud: 3 } as const

function addPart(
  mm: Mm,
  frames: Frames,
  start: Page,
  end: Page,
  numbers: FrameNumbers,
  add: (first: number, count: number, level: number, what: string, frames: readonly Pfn[]) => void,
): void {
  for (let p = start; p < end;) {
    const leaf = leafAt(mm, p)
    const { level, entry } = leaf
    const stop = endAt(level === 'pte' ? 'pmd' : level, p, end)
    if (level !== 'pgd' && level !== 'pte' && (isPresent(entry) || isHugePrivate(leaf))) {
      add(p, stop - p, LEVEL[level], whatOf(entry, frames, level, numbers), [frameAt(leaf, p)])
      p = stop
      continue
    }
    const next = level === 'pte' ? page(mm.pte.next(p, stop)) : stop
    if (next > p) add(p, next - p, 0, 'none', [])
    p = next
    if (next >= stop) continue
    const small = mm.pte.get(next)
    add(next, 1, 1, whatOf(small, frames, 'pte', numbers), isPresent(small) || leadsToFrame(small) ? [frameOf(small)] : [])
    p = page(next + 1)
  }
}

/** Entries that are not present, and lead to a frame all the same. */
const leadsToFrame = (entry: number): boolean => /^!(migr|devpriv|excl)/.test(kindOf(entry))

/** Run-length pairs [count, value]. */
export function runLengths(values: readonly number[]): readonly (readonly [number, number])[] {
  const runs: [number, number][] = []
  for (const value of values) {
    const last = runs.at(-1)
    if (last?.[1] === value) last[0]++
    else runs.push([1, value])
  }
  return runs
}

/** A word of the array of `hmm_range_fault()`, told apart; only valid words have frames. */
export interface PfnWord {
  readonly flags: string
  readonly order: number
  readonly frame: Pfn | null
}
function pfnWord(word: number): PfnWord {
  const flags = `${(word & HMM_PFN_VALID) === 0 ? '' : 'V'}${(word & HMM_PFN_WRITE) === 0 ? '' : 'W'}${(word & HMM_PFN_ERROR) === 0 ? '' : 'E'}`
  return { flags, order: mapOrder(word), frame: (word & HMM_PFN_VALID) === 0 ? null : frameOf(word) }
}

/** The array of `hmm_range_fault()`: runs of [count, flags, order, frames]. */
export function pfnRuns(array: Table, start: Page, end: Page, numbers: FrameNumbers, read = pfnWord): readonly unknown[] {
  const runs: [number, string, number, (number | number[])?][] = []
  for (let p = start; p < end; p = page(p + 1)) {
    const { flags, order, frame } = read(array.get(p))
    const last = runs.at(-1)
    if (last !== undefined && last[1] === flags && last[2] === order && (last[3] !== undefined) === (frame !== null && frame !== 0)) {
      last[0]++
      if (Array.isArray(last[3])) last[3].push(numbers.of(frame ?? 0))
    } else if (frame !== null && frame !== 0) runs.push([1, flags, order, order > 0 ? numbers.of(frame) : [numbers.of(frame)]])
    else runs.push([1, flags, order])
  }
  return runs
}

/** Pages that GUP got: [kind, frame]. */
export function pagesOf(
  memory: Memory,
  array: Table,
  start: Page,
  count: number,
  numbers: FrameNumbers,
): readonly (readonly [string, number])[] {
  return Array.from({ length: count }, (_, i) => {
    const frame = array.get(start + i) as Pfn
    return [numbers.kindOf(memory.frames, frame), numbers.of(frame)]
  })
}
