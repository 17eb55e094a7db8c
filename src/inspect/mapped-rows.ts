/** What the CPU and the devices map, row by row: as many pages at once as every column goes on evenly for, and no more. */
import { page, pageAt, PMD_PAGES, PUD_PAGES, type Page } from '../memory/address.ts'
import { isEmpty, leafAt, smallEntryAt } from '../memory/pagetable.ts'
import { frameOf, isPresent, NEXT_FRAME, TABLE } from '../memory/entry.ts'
import type { Mm } from '../memory/memory.ts'
import { wrongWith, type Wrong } from '../oracles/device-entry.ts'
import type { DeviceView } from '../oracles/oracle.ts'
import { evenRuns, joined, type Even } from './even.ts'

export interface Mapped {
  readonly from: Page
  readonly end: Page
  readonly cpu: Even
  readonly devices: readonly {
    readonly name: string
    readonly word: Even
    /** Of every page of the row. */
    readonly wrong: Wrong | undefined
  }[]
}

/** Runs that are looked at in one table. */
const RUNS = 4096

/** Pages in which nothing is mapped are left out. `beyond`: what is mapped from there on is too much to be looked at. */
export function mappedRows(of: Mm, devices: readonly DeviceView[]): { readonly rows: readonly Mapped[]; readonly beyond?: Page } {
  const spans = [smallSpans(evenRuns(of.pte)), largeSpans(of, 'pmd', PMD_PAGES), largeSpans(of, 'pud', PUD_PAGES)].concat(
    devices.map(d => smallSpans(evenRuns(d.table))),
  )
  const beyond = Math.min(...spans.map(({ beyond: from }) => from))
  const edges = [...new Set(spans.flatMap(s => s.edges))].filter(edge => edge < beyond).toSorted((a, b) => a - b)
  if (beyond < Infinity) edges.push(beyond)
  const rows: Mapped[] = []
  for (const [i, start] of edges.entries()) {
    const end = edges[i + 1]
    if (end === undefined) break
    for (const row of rowsWithin(of, devices, page(start), page(end))) {
      const last = rows.at(-1)
      const both = last === undefined ? undefined : joinedRows(of, last, row)
      if (both === undefined) rows.push(row)
      else rows[rows.length - 1] = both
    }
  }
  return { rows, ...(beyond < Infinity ? { beyond: page(beyond) } : {}) }
}

/** Where a column may begin to be otherwise, up to where it was looked at. */
interface Spans {
  readonly edges: readonly number[]
  readonly beyond: number
}

function smallSpans(runs: Iterable<Even>): Spans {
  const edges: number[] = []
  for (const { from, end } of runs) {
    if (edges.length >= 2 * RUNS) return { edges, beyond: from }
    edges.push(from, end)
  }
  return { edges, beyond: Infinity }
}

/** Entries that map, or lead to, 2 MiB or 1 GiB each. */
function largeSpans(of: Mm, level: 'pmd' | 'pud', size: number): Spans {
  const edges: number[] = []
  for (const [index, count, value, stride] of of[level].runs()) {
    const isTables = value === TABLE && stride === 0
    for (let i = index; i < index + count; i += isTables ? count : 1) {
      const from = pageAt(level, i)
      if (edges.length >= 2 * RUNS) return { edges, beyond: from }
      edges.push(from, from + (isTables ? count : 1) * size)
    }
  }
  return { edges, beyond: Infinity }
}

/** The rows of pages in which every column is even: one, unless what a device maps is right for some of them. */
function rowsWithin(of: Mm, devices: readonly DeviceView[], from: Page, end: Page): readonly Mapped[] {
  const cpu = evenAt(from, end, p => smallEntryAt(of, page(p)))
  const words = devices.map(({ name, table }) => ({ name, word: evenAt(from, end, p => table.get(p)) }))
  if (isEmpty(cpu.entry) && words.every(({ word }) => isEmpty(word.entry))) return []
  // Frames that go up and frames that go down, or stay, may be the same at one page.
  const meetings = words.flatMap(({ word }) => {
    const at = from + (frameOf(word.entry) - frameOf(cpu.entry)) / (cpu.step - word.step)
    return Number.isInteger(at) && at >= from && at < end ? [at, at + 1] : []
  })
  return [from, ...new Set(meetings.toSorted((a, b) => a - b)), end].flatMap((start, i, all) => {
    const stop = all[i + 1]
    if (stop === undefined || start >= stop) return []
    const column = (even: Even): Even => partOf(even, start, stop)
    const there = column(cpu)
    return [
      {
        from: page(start),
        end: page(stop),
        cpu: there,
        devices: words.map(({ name, word }) => ({ name, word: column(word), wrong: wrongWith(column(word).entry, there.entry) })),
      },
    ]
  })
}

function evenAt(from: number, end: number, entryAt: (p: number) => number): Even {
  const entry = entryAt(from)
  const step = end - from === 1 ? 0 : Math.sign(entryAt(from + 1) - entry)
  return { from, end, entry, step: step === 0 ? 0 : step > 0 ? 1 : -1 }
}

const partOf = ({ from: first, entry, step }: Even, from: number, end: number): Even => ({
  from,
  end,
  entry: entry + (from - first) * step * NEXT_FRAME,
  step: end - from === 1 ? 0 : step,
})

function joinedRows(of: Mm, a: Mapped, b: Mapped): Mapped | undefined {
  const cpu = joined(a.cpu, b.cpu)
  const alike = !isPresent(a.cpu.entry) || leafAt(of, a.from).level === leafAt(of, b.from).level
  if (cpu === undefined || !alike) return undefined
  const devices = a.devices.flatMap(({ name, word, wrong }, i) => {
    const other = b.devices[i]
    const both = other === undefined || other.wrong !== wrong ? undefined : joined(word, other.word)
    return both === undefined ? [] : [{ name, word: both, wrong }]
  })
  return devices.length === a.devices.length ? { from: a.from, end: b.end, cpu, devices } : undefined
}
