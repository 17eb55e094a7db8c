/**
 * Which parts of a world a block of a log touches, so that a search need not read the others. Never too little: what is not
 * named here did not change. Where a fact changes more than it names (a last reference that goes frees a folio), so much is
 * taken to be touched.
 */
import { pageAt, PMD_PAGES, type Level } from '../memory/address.ts'
import { deviceFirst } from '../memory/memory.ts'
import { INDEX_LIMIT } from '../memory/table.ts'
import type { StepRecord } from './records.ts'

/** Touched as a whole (0), or these indices: from, end, from, end, … ascending. */
export type Touch = 0 | readonly number[]
type Columns = Readonly<Record<string, Readonly<Record<string, Touch>>>>

export interface Keys {
  /** Who acted, and what was done. */
  readonly by: readonly string[]
  readonly do: readonly string[]
  /** By actor: keys of its context, and `state`; of tables, the indices. */
  readonly actors: Columns
  /** By address space: its tables and areas; `large`: pages of large entries; `invalidated`: those that notifiers were told of. */
  readonly mms: Columns
  /** Frames, and the other parts of memory by name. */
  readonly rest: Readonly<Record<string, Touch>>
}

/** A part of a world that a search asks for. */
export type Key =
  | { readonly in: 'by'; readonly name: string }
  | { readonly in: 'do'; readonly name: string }
  | { readonly in: 'actors' | 'mms'; readonly name: string; readonly column?: string; readonly from?: number; readonly end?: number }
  | { readonly in: 'rest'; readonly name: string; readonly from?: number; readonly end?: number }

const own = <T>(of: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(of, name) ? of[name] : undefined)

/** May a block with these keys have changed this? */
export function mayTouch(keys: Keys, key: Key): boolean {
  if (key.in === 'by' || key.in === 'do') return keys[key.in].includes(key.name)
  if (key.in === 'rest') return meets(own(keys.rest, key.name), key)
  const columns = own(keys[key.in], key.name)
  if (columns === undefined) return false
  if (key.column === undefined || own(columns, '*') !== undefined) return true
  return meets(own(columns, key.column), key)
}

function meets(touch: Touch | undefined, { from = 0, end = Infinity }: { readonly from?: number; readonly end?: number }): boolean {
  if (touch === undefined || touch === 0) return touch === 0
  for (let i = 0; i < touch.length; i += 2) if ((touch[i] ?? 0) < end && from < (touch[i + 1] ?? 0)) return true
  return false
}

/** Ranges of indices, as they come. */
type Ranges = number[]
/** More ranges than these in one block are drawn together. */
const MOST = 64
/** Ranges that are kept before they are put in order. */
const HELD = 2048
const WHOLE: readonly number[] = [0, INDEX_LIMIT]

function add(ranges: Ranges, from: number, end: number): void {
  const last = ranges.length
  if (last > 0 && (ranges[last - 2] ?? 0) <= from && from <= (ranges[last - 1] ?? 0)) {
    if (end > (ranges[last - 1] ?? 0)) ranges[last - 1] = end
    return
  }
  ranges.push(from, end)
  if (last > HELD) ranges.splice(0, ranges.length, ...ordered(ranges))
}

/** In ascending order, none meeting another, and not too many. */
function ordered(ranges: Ranges): number[] {
  if (ranges.length <= 2) return ranges
  const pairs: [number, number][] = []
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i] ?? 0, ranges[i + 1] ?? 0])
  pairs.sort(([a], [b]) => a - b)
  for (let gap = 0; ; gap = gap * 2 + 1) {
    const merged: number[] = []
    for (const [from, end] of pairs) {
      const last = merged.length - 1
      if (last > 0 && from <= (merged[last] ?? 0) + gap) merged[last] = Math.max(merged[last] ?? 0, end)
      else merged.push(from, end)
    }
    if (merged.length <= 2 * MOST) return merged
  }
}

const touchWhole = (ranges: Ranges): void => add(ranges, 0, INDEX_LIMIT)

function rangesOf(columns: Map<string, Ranges>, column: string): Ranges {
  let ranges = columns.get(column)
  if (ranges === undefined) columns.set(column, (ranges = []))
  return ranges
}

class Collected {
  readonly #names = new Map<string, Map<string, Ranges>>()

  of(name: string): Map<string, Ranges> {
    let columns = this.#names.get(name)
    if (columns === undefined) this.#names.set(name, (columns = new Map<string, Ranges>()))
    return columns
  }

  column(name: string, column: string): Ranges {
    return rangesOf(this.of(name), column)
  }

  take(): Columns {
    const columns = Object.fromEntries(
      [...this.#names].map(([name, of]) => [name, Object.fromEntries([...of].map(([column, ranges]) => [column, touchOf(ranges)]))]),
    )
    this.#names.clear()
    return columns
  }
}

function touchOf(ranges: Ranges): Touch {
  const merged = ordered(ranges)
  return merged[0] === 0 && merged[1] === INDEX_LIMIT ? 0 : merged
}

type Upper = Exclude<Level, 'pte'>
const TABLES: ReadonlySet<string> = new Set(['pte', 'pmd', 'pud', 'pgd'])
const isObject = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null

/** Collects keys, step by step, from the first of a log on. */
export class KeyCollector {
  readonly #by = new Set<string>()
  readonly #do = new Set<string>()
  readonly #actors = new Collected()
  readonly #mms = new Collected()
  readonly #rest = new Collected()
  /** Folios that wait in batches: who empties those does not name them. */
  readonly #batched = new Set<number>()
  /** Frames that were heads of large folios. */
  readonly #large = new Set<number>()
  /** Frames that are new, until all that is new is drained. */
  readonly #fresh = new Set<number>()
  /** Entries above the last level that lead to pages. */
  readonly #pages = new Set<string>()
  #invalidates = false

  step({ by, do: what, set, facts }: StepRecord): void {
    this.#by.add(by)
    this.#do.add(what)
    this.#invalidates = what.endsWith('invalidate_range_start')
    for (const name in set) {
      const told = set[name]
      if (told === undefined) continue
      const keys = told[1]
      const columns = this.#actors.of(name)
      if (told[0] !== 0) touchWhole(rangesOf(columns, 'state'))
      for (const key in keys) this.#key(rangesOf(columns, key), key, keys[key])
    }
    for (const fact of facts) this.#fact(fact as readonly unknown[])
  }

  /** A key of an actor's context, with its change as it is written. */
  #key(ranges: Ranges, key: string, told: unknown): void {
    if (!isObject(told)) return touchWhole(ranges)
    const runs = told['$runs']
    if (!Array.isArray(runs)) touchWhole(ranges)
    else for (const [index, count] of runs as (readonly number[])[]) add(ranges, index ?? 0, (index ?? 0) + (count ?? 0))
    if (this.#invalidates && key === 'agenda') this.#invalidated(told)
  }

  #invalidated(told: Readonly<Record<string, unknown>>): void {
    const list = told['$list']
    if (!Array.isArray(list)) return
    for (const item of list as readonly unknown[]) {
      const range = isObject(item) ? item['range'] : undefined
      if (!isObject(range)) continue
      add(this.#mms.column(String(range['mm']), 'invalidated'), Number(range['start']), Number(range['end']))
    }
  }

  #fact(fact: readonly unknown[]): void {
    const kind = String(fact[0])
    const name = fact[1] as string
    const number = fact[1] as number
    const count = fact[2] as number
    if (TABLES.has(kind)) {
      add(this.#mms.column(name, kind), count, count + (fact[3] as number))
      if (kind !== 'pte') this.#upper(kind as Upper, name, count, fact[3] as number, String(fact[4]))
      return
    }
    switch (kind) {
      case 'vmas':
      case 'open':
        return add(this.#mms.column(name, kind), 0, INDEX_LIMIT)
      case 'tlb':
        return add(this.#mms.column(name, kind), count, count + (fact[3] as number))
      case 'mm':
      case 'clear_bad':
        return add(this.#mms.column(name, '*'), 0, INDEX_LIMIT)
      case 'refs':
        return this.#refs(number, count)
      case 'maps':
      case 'hugeMaps':
      case 'state':
      case 'content':
      case 'anonVma':
      case 'index':
      case 'lru':
        return this.#frames(number, count)
      case 'alloc':
        this.#fresh.add(number)
        return this.#frames(number, 1)
      case 'lock':
        return this.#frames(number, 1)
      case 'folio':
        this.#large.add(number)
        this.#frames(number, PMD_PAGES)
        return this.#whole('pool')
      case 'split':
        return this.#frames(number, PMD_PAGES)
      case 'batch':
        this.#batched.add(count)
        this.#frames(count, 1)
        return this.#whole('batches')
      case 'drain':
        for (const frame of this.#batched) this.#refs(frame, 1)
        if (name === 'all') this.#batched.clear()
        for (const frame of this.#fresh) this.#frames(frame, 1)
        this.#fresh.clear()
        return this.#whole('batches')
      case 'file':
        this.#whole('files')
        return this.#whole('pool')
      case 'size':
      case 'cache':
      case 'blocks':
      case 'dax':
        return this.#whole('files')
      case 'device':
      case 'device-alloc':
      case 'device-folio':
        return this.#whole('devices')
      case 'swap':
      case 'swap-refs':
      case 'swap-cache':
        return this.#whole('swap')
      case 'reserved':
      case 'promised':
        return this.#whole('pool')
      case 'pagemap':
        return this.#whole('pagemaps')
      case 'pagemap-kill':
        return this.#whole('killed')
      default:
        return this.#whole('*')
    }
  }

  /** Entries of an upper level: what a page is mapped by changes where they lead, or led, to pages. */
  #upper(level: Upper, mm: string, index: number, count: number, word: string): void {
    const leads = word !== 'table' && word !== 'none'
    for (let i = index; i < index + count; i++) {
      const entry = `${mm} ${level} ${i}`
      if (!leads && !this.#pages.has(entry)) continue
      this.#pages.add(entry)
      const [from, end] = [pageAt(level, i), pageAt(level, i + 1)]
      add(this.#mms.column(mm, 'large'), from, end)
      add(this.#mms.column(mm, 'tlb'), from, end)
    }
  }

  /** A folio whose last reference goes is forgotten, and goes back to where it came from. */
  #refs(first: number, count: number): void {
    const large = this.#large.has(first)
    this.#frames(first, large ? PMD_PAGES : count)
    if (large) this.#whole('pool')
    if (first >= deviceFirst(0)) this.#whole('devices')
  }

  #frames(first: number, count: number): void {
    add(this.#rest.column('', 'frames'), first, first + count)
  }

  #whole(part: string): void {
    const ranges = this.#rest.column('', part)
    if (ranges.length === 0) ranges.push(...WHOLE)
  }

  /** The keys since they were last taken. */
  take(): Keys {
    const keys = {
      by: [...this.#by].toSorted(),
      do: [...this.#do].toSorted(),
      actors: this.#actors.take(),
      mms: this.#mms.take(),
      rest: this.#rest.take()[''] ?? {},
    }
    this.#by.clear()
    this.#do.clear()
    return keys
  }
}
