/**
 * Which parts of a world a block of a log touches, so that a search need not read the others. Never too little: what is not
 * named here did not change. Where a fact changes more than it names (a last reference that goes frees a folio), so much is
 * taken to be touched.
 */
import { pageAt, PMD_PAGES, type Level } from '../memory/address.ts'
import { deviceFirst } from '../memory/memory.ts'
import type { Pairs } from './parts.ts'
import type { Told } from './told.ts'
import { add, meets, rangesOf, touchOf, touchWhole, type Ranges, type Touch } from './touch.ts'

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

/** May a block with these keys have changed this? Keys that are none, as somebody wrote them, rule nothing out. */
export function mayTouch(keys: Keys, key: Key): boolean {
  try {
    return touches(keys, key)
  } catch {
    return true
  }
}

function touches(keys: Keys, key: Key): boolean {
  if (key.in === 'by' || key.in === 'do') return keys[key.in].includes(key.name)
  if (key.in === 'rest') return meets(own(keys.rest, key.name), key)
  const columns = own(keys[key.in], key.name)
  if (columns === undefined) return false
  if (key.column === undefined || own(columns, '*') !== undefined) return true
  return meets(own(columns, key.column), key)
}

/** What became of an actor in a block: what changes most often stands by itself. */
interface Acted {
  acts: boolean
  state: boolean
  agenda: boolean
  program: boolean
  readonly columns: Map<string, Ranges>
}

const isTouched = ({ state, agenda, program, columns }: Acted): boolean => state || agenda || program || columns.size > 0

function touchedBy({ state, agenda, program, columns }: Acted): Readonly<Record<string, Touch>> {
  const touched: [string, Touch][] = []
  for (const [column, ranges] of columns) touched.push([column, touchOf(ranges)])
  if (state) touched.push(['state', 0])
  if (agenda) touched.push(['agenda', 0])
  if (program) touched.push(['program', 0])
  return Object.fromEntries(touched)
}

/** Keys of a context, with their changes as they are told. */
function touchKeys(columns: Map<string, Ranges>, { keys, values, count }: Pairs): void {
  for (let i = 0; i < count; i++) {
    const ranges = rangesOf(columns, keys[i] ?? '')
    const told = values[i]
    const runs = isObject(told) ? told['$runs'] : undefined
    if (!Array.isArray(runs)) touchWhole(ranges)
    else for (const [index, length] of runs as (readonly number[])[]) add(ranges, index ?? 0, (index ?? 0) + (length ?? 0))
  }
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
    const all: [string, Readonly<Record<string, Touch>>][] = []
    for (const [name, columns] of this.#names) {
      const touched: [string, Touch][] = []
      for (const [column, ranges] of columns) touched.push([column, touchOf(ranges)])
      all.push([name, Object.fromEntries(touched)])
    }
    this.#names.clear()
    return Object.fromEntries(all)
  }
}

type Upper = Exclude<Level, 'pte'>
const isObject = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null

/** Collects keys, step by step, from the first of a log on. */
export class KeyCollector {
  readonly #actors = new Map<string, Acted>()
  /** What was done; does that tell notifiers of ranges? */
  readonly #do = new Map<string, boolean>()
  readonly #mms = new Collected()
  #frames: Ranges = []
  /** Other parts of memory. */
  readonly #parts = new Set<string>()
  /** Folios that wait in batches: who empties those does not name them. */
  readonly #batched = new Set<number>()
  /** Frames that were heads of large folios. */
  readonly #large = new Set<number>()
  /** Frames that are new, until all that is new is drained. */
  readonly #fresh = new Set<number>()
  /** Entries above the last level that lead to pages, by address space and level. */
  readonly #pages = new Map<string, Ranges>()

  step({ by, do: what, to, then, next, own, set, facts }: Told): void {
    const actor = this.#actor(by)
    actor.acts = true
    if (to.isThere) actor.state = true
    if (then.isThere) actor.agenda = true
    if (next.isThere) actor.program = true
    touchKeys(actor.columns, own)
    for (let i = 0; i < set.count; i++) {
      const became = set.of[i]
      if (became === undefined) continue
      const other = this.#actor(became.name)
      if (became.state !== 0) other.state = true
      touchKeys(other.columns, became.keys)
    }
    let invalidates = this.#do.get(what)
    if (invalidates === undefined) this.#do.set(what, (invalidates = what.endsWith('invalidate_range_start')))
    if (invalidates && then.isThere) this.#invalidated(then.value)
    if (facts.isThere) for (const fact of facts.value as readonly (readonly unknown[])[]) this.#fact(fact)
  }

  #actor(name: string): Acted {
    let actor = this.#actors.get(name)
    if (actor === undefined) {
      actor = { acts: false, state: false, agenda: false, program: false, columns: new Map() }
      this.#actors.set(name, actor)
    }
    return actor
  }

  /** Items of an agenda that tell notifiers of ranges. */
  #invalidated(list: unknown): void {
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
    switch (kind) {
      case 'pte':
      case 'tlb':
        return add(this.#mms.column(name, kind), count, count + (fact[3] as number))
      case 'pmd':
      case 'pud':
      case 'pgd':
        add(this.#mms.column(name, kind), count, count + (fact[3] as number))
        return this.#upper(kind, name, count, fact[3] as number, String(fact[4]))
      case 'vmas':
      case 'open':
        return touchWhole(this.#mms.column(name, kind))
      case 'mm':
      case 'clear_bad':
        return touchWhole(this.#mms.column(name, '*'))
      case 'refs':
        return this.#refs(number, count)
      case 'maps':
      case 'hugeMaps':
      case 'state':
      case 'content':
      case 'anonVma':
      case 'index':
      case 'lru':
        return this.#touchFrames(number, count)
      case 'alloc':
        this.#fresh.add(number)
        return this.#touchFrames(number, 1)
      case 'lock':
        return this.#touchFrames(number, 1)
      case 'folio':
        this.#large.add(number)
        this.#touchFrames(number, PMD_PAGES)
        return this.#whole('pool')
      case 'split':
        return this.#touchFrames(number, PMD_PAGES)
      case 'batch':
        this.#batched.add(count)
        this.#touchFrames(count, 1)
        return this.#whole('batches')
      case 'drain':
        for (const frame of this.#batched) this.#refs(frame, 1)
        if (name === 'all') this.#batched.clear()
        for (const frame of this.#fresh) this.#touchFrames(frame, 1)
        this.#fresh.clear()
        return this.#whole('batches')
      case 'file':
        this.#whole('files')
        return this.#whole('pool')
      case 'size':
      case 'fget':
      case 'release':
      case 'file-lock':
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
    const pages = rangesOf(this.#pages, `${mm} ${level}`)
    const end = index + count
    if (word !== 'table' && word !== 'none') add(pages, index, end)
    else if (!meets(pages, { from: index, end })) return
    add(this.#mms.column(mm, 'large'), pageAt(level, index), pageAt(level, end))
    add(this.#mms.column(mm, 'tlb'), pageAt(level, index), pageAt(level, end))
  }

  /** A folio whose last reference goes is forgotten, and goes back to where it came from. */
  #refs(first: number, count: number): void {
    const large = this.#large.has(first)
    this.#touchFrames(first, large ? PMD_PAGES : count)
    if (large) this.#whole('pool')
    if (first >= deviceFirst(0)) this.#whole('devices')
  }

  #touchFrames(first: number, count: number): void {
    add(this.#frames, first, first + count)
  }

  #whole(part: string): void {
    this.#parts.add(part)
  }

  /** The keys since they were last taken. */
  take(): Keys {
    const by: string[] = []
    const actors: [string, Readonly<Record<string, Touch>>][] = []
    for (const [name, actor] of this.#actors) {
      if (actor.acts) by.push(name)
      if (isTouched(actor)) actors.push([name, touchedBy(actor)])
    }
    const rest: [string, Touch][] = this.#frames.length === 0 ? [] : [['frames', touchOf(this.#frames)]]
    for (const part of this.#parts) rest.push([part, 0])
    const keys = {
      by,
      do: [...this.#do.keys()],
      actors: Object.fromEntries(actors),
      mms: this.#mms.take(),
      rest: Object.fromEntries(rest),
    }
    this.#frames = []
    this.#parts.clear()
    this.#actors.clear()
    this.#do.clear()
    return keys
  }
}
