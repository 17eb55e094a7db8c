/** What a recorder would have seen of a world: page tables, results of calls, and frames numbered by first appearance. */
import { page, type Page, type Pfn } from '../memory/address.ts'
import { frameOf, isPresent, kindOf, NONE, wordOf } from '../memory/entry.ts'
import { frameKind, isExclusive } from '../memory/frames.ts'
import { mmOf, type Frames, type Memory, type Mm, type MmName } from '../memory/memory.ts'
import type { Table } from '../memory/table.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID, HMM_PFN_WRITE } from '../walker/hmm.ts'
import type { Row } from './recording.ts'

/** The recorder dumps these pages: its arena, and the first of a 1 GiB aligned one. */
const DUMPED: readonly (readonly [Page, Page])[] = [
  [page(0), page(4096)],
  [page(262144), page(262152)],
]

/** Frames as the recordings number them: from 1, in the order in which a step shows them. */
export class FrameNumbers {
  readonly #numbers = new Map<number, number>()
  of(frame: number): number {
    const known = this.#numbers.get(frame)
    if (known !== undefined) return known
    this.#numbers.set(frame, this.#numbers.size + 1)
    return this.#numbers.size
  }
}

/** Kind and bits of a present entry, or what an absent one is. */
function whatOf(entry: number, frames: Frames): string {
  if (entry === NONE) return 'none'
  if (!isPresent(entry)) return kindOf(entry)
  const frame = frameOf(entry)
  const bits = wordOf(entry).slice(1)
  return `${frameKind(frames, frame)}:${inRecordedOrder(bits)}${isExclusive(frames, frame) ? 'X' : ''}`
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
    if (last !== undefined && last.first + last.count === first && last.level === level && last.what === what) {
      last.count += count
      last.frames.push(...frames)
    } else rows.push({ first, count, level, what, frames: [...frames] })
  }
  for (const [from, to] of DUMPED) for (const [start, end] of mappedParts(mm, from, to)) addPart(mm, memory.frames, start, end, add)
  return rows.map(({ first, count, level, what, frames }) =>
    frames.length === 0 ? [first, count, level, what] : [first, count, level, what, frames.map(f => numbers.of(f))],
  )
}

const mappedParts = (mm: Mm, from: Page, to: Page): readonly (readonly [Page, Page])[] =>
  mm.vmas.filter(v => v.start < to && from < v.end).map(v => [page(Math.max(v.start, from)), page(Math.min(v.end, to))])

function addPart(
  mm: Mm,
  frames: Frames,
  start: Page,
  end: Page,
  add: (first: number, count: number, level: number, what: string, frames: readonly Pfn[]) => void,
): void {
  for (let p: number = start; p < end;) {
    const next = mm.pte.next(p, end)
    if (next > p) add(p, next - p, 0, 'none', [])
    if (next >= end) return
    const entry = mm.pte.get(next)
    add(next, 1, 1, whatOf(entry, frames), isPresent(entry) ? [frameOf(entry)] : [])
    p = next + 1
  }
}

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

/** The array of `hmm_range_fault()`: runs of [count, flags, order, frames]; only valid words have frames. */
export function pfnRuns(array: Table, start: Page, end: Page, numbers: FrameNumbers): readonly unknown[] {
  const runs: [number, string, number, number[]?][] = []
  for (let p = start; p < end; p = page(p + 1)) {
    const word = array.get(p)
    const flags = `${(word & HMM_PFN_VALID) === 0 ? '' : 'V'}${(word & HMM_PFN_WRITE) === 0 ? '' : 'W'}${(word & HMM_PFN_ERROR) === 0 ? '' : 'E'}`
    const frame = frameOf(word)
    const framed = (word & HMM_PFN_VALID) !== 0 && frame !== 0
    const last = runs.at(-1)
    if (last !== undefined && last[1] === flags && (last[3] !== undefined) === framed) {
      last[0]++
      last[3]?.push(numbers.of(frame))
    } else runs.push(framed ? [1, flags, 0, [numbers.of(frame)]] : [1, flags, 0])
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
    return [frameKind(memory.frames, frame), numbers.of(frame)]
  })
}
