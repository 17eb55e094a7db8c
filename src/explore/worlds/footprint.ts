/**
 * What a step reads and writes. It comes from the step itself: the actor whose step it is; each actor that it calls, written
 * if its snapshot changed, else read; the parts of memory that its facts changed; and those that its rule looked at, as
 * memory's own reading functions tell. Steps that touch nothing of each other's may change places.
 */
import { Table, watched as watchedTables } from '../../memory/table.ts'
import { offersFrom } from '../../system/step.ts'
import type { Space } from './space.ts'
import type { Step, Refusal } from './steps.ts'

/** Part of memory: a column, by its path, and entries [from, to) of it. */
export interface Cells {
  readonly column: string
  readonly from: number
  readonly to: number
}

export interface Footprint {
  /** Actors that are only asked. */
  readonly asks: ReadonlySet<number>
  readonly changes: ReadonlySet<number>
  readonly reads: readonly Cells[]
  readonly writes: readonly Cells[]
}

/** All of a column that is not an array of entries. */
const WHOLE = { from: 0, to: Infinity }
/** Which keys a record has. */
const KEYS = '*'

export class Footprints<M, F> {
  readonly #space: Space<M, F>
  readonly #known: Footprint[] = []
  /** By steps: 1 if they may change places, 2 if not. */
  readonly #pairs: number[][] = []

  constructor(space: Space<M, F>) {
    this.#space = space
  }

  of(step: Step<F>): Footprint {
    return (this.#known[step.n] ??= this.#made(step))
  }

  /** May two steps that can be taken in one world change places? */
  independent(a: Step<F>, b: Step<F>): boolean {
    if (a.source.by === b.source.by) return false
    const [low, high] = a.n < b.n ? [a, b] : [b, a]
    const row = (this.#pairs[low.n] ??= [])
    const known = (row[high.n] ??= isApart(this.of(a), this.of(b)) ? 1 : 2)
    return known === 1
  }

  /** What a refused call has looked at: who refused it, and all that came before. */
  ofRefusal({ source, before, callee }: Refusal<F>): Footprint {
    return {
      asks: new Set([...before.map(taken => taken.callee), callee]),
      changes: new Set([source.by]),
      reads: this.#reads(source),
      writes: [],
    }
  }

  #made(step: Step<F>): Footprint {
    const { source, calls } = step
    const changes = new Set([source.by, ...calls.filter(call => call.from !== call.to).map(call => call.callee)])
    const asks = new Set(calls.map(call => call.callee).filter(callee => !changes.has(callee)))
    const writes: Cells[] = []
    if (source.memory !== step.memory) differences(this.#space.memory(source.memory), this.#space.memory(step.memory), '', writes)
    return { asks, changes, reads: this.#reads(source, step), writes }
  }

  /** Asks the rule again, and watches what of memory it looks at. */
  #reads({ by, from, memory, budget, at }: Step<F>['source'], step?: Step<F>): readonly Cells[] {
    const space = this.#space
    const reads: Cells[] = []
    const columns = new Map<Table, Set<string>>()
    const seen = watchedRecord(space.memory(memory), '', columns, reads) as M
    const actor = space.model.system.actors[by] as (typeof space.model.system.actors)[number]
    const tableRead = (table: Table, start: number, end: number): void => {
      for (const column of columns.get(table) ?? []) reads.push({ column, from: start, to: end })
    }
    watchedTables(tableRead, () => {
      const offer = offersFrom(actor.kind, actor.name, space.snapshot(by, from), seen, budget)[at]
      if (step !== undefined) offer?.event(step.calls.map(call => call.reply))
    })
    return merged(reads)
  }
}

const isApart = (a: Footprint, b: Footprint): boolean => {
  for (const actor of a.changes) if (b.changes.has(actor) || b.asks.has(actor)) return false
  for (const actor of b.changes) if (a.asks.has(actor)) return false
  return !overlap(a.writes, b.writes) && !overlap(a.writes, b.reads) && !overlap(a.reads, b.writes)
}

/** Do two footprints, of whatever they are, touch each other? */
export const touch = (a: Footprint, b: Footprint): boolean => !isApart(a, b)

const overlap = (a: readonly Cells[], b: readonly Cells[]): boolean =>
  a.some(x => b.some(y => x.column === y.column && x.from < y.to && y.from < x.to))

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** A record that notes which of its columns are looked at; tables tell themselves which of their entries are. */
function watchedRecord(value: unknown, path: string, columns: Map<Table, Set<string>>, reads: Cells[]): unknown {
  if (!isRecord(value)) return value
  const read = (key: string): unknown => {
    const found = value[key]
    const column = `${path}/${key}`
    if (found instanceof Table) {
      const known = columns.get(found)
      if (known === undefined) columns.set(found, new Set([column]))
      else known.add(column)
      return found
    }
    // Of a record, that it is there; of anything else, all.
    reads.push({ column, ...WHOLE })
    return watchedRecord(found, column, columns, reads)
  }
  const keys = (): void => void reads.push({ column: `${path}/${KEYS}`, ...WHOLE })
  // Stands before an empty record: what a frozen one has, a proxy may not answer otherwise.
  return new Proxy<Record<string, unknown>>(
    {},
    {
      get: (_, key) => (typeof key === 'string' ? read(key) : undefined),
      has(_, key) {
        keys()
        return Reflect.has(value, key)
      },
      ownKeys() {
        keys()
        return Reflect.ownKeys(value)
      },
      getOwnPropertyDescriptor: (_, key) =>
        typeof key === 'string' && Object.hasOwn(value, key)
          ? { value: read(key), enumerable: true, configurable: true, writable: true }
          : undefined,
    },
  )
}

/** The columns in which two memories differ, and where in them. */
function differences(a: unknown, b: unknown, path: string, into: Cells[]): void {
  if (a === b) return
  if (a instanceof Table && b instanceof Table) {
    for (const [index, count] of a.changesTo(b)) into.push({ column: path, from: index, to: index + count })
    return
  }
  if (!isRecord(a) || !isRecord(b)) {
    into.push({ column: path, ...WHOLE })
    return
  }
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  if (keys.size !== Object.keys(a).length || keys.size !== Object.keys(b).length) into.push({ column: `${path}/${KEYS}`, ...WHOLE })
  for (const key of keys) differences(a[key], b[key], `${path}/${key}`, into)
}

/** Cells without those that others hold already. */
function merged(cells: readonly Cells[]): readonly Cells[] {
  const kept: Cells[] = []
  for (const cell of cells.toSorted((a, b) => (a.column < b.column ? -1 : a.column > b.column ? 1 : a.from - b.from))) {
    const last = kept.at(-1)
    if (last !== undefined && last.column === cell.column && cell.from <= last.to) {
      if (cell.to > last.to) kept[kept.length - 1] = { column: cell.column, from: last.from, to: cell.to }
    } else kept.push(cell)
  }
  return kept
}
