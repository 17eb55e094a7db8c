/**
 * How much of memory a log speaks of. A fact of a few bytes can fill a table, and so can the next: what all of them have
 * filled together is counted here, in parts of tables, so that no log takes more room than a world that could have run.
 */
import { PMD_PAGES } from '../memory/address.ts'
import { INDEX_LIMIT, type Run } from '../memory/table.ts'
import type { StepRecord } from './records.ts'
import { areRuns, isFields } from './shape.ts'

/** Entries of a table that are counted together. */
const PART = 4096
/** Parts that a world may have in all: 16 GiB with every column of their frames, and 256 MiB of ours. */
const MOST = 8192

const isIndex = (x: unknown): x is number => Number.isSafeInteger(x) && Number(x) >= 0 && Number(x) <= INDEX_LIMIT

/** Facts about a run of a table that has a name, and about single entries of one. */
const NAMED: ReadonlySet<string> = new Set(['pte', 'pmd', 'pud', 'pgd', 'tlb', 'blocks', 'promised', 'dax'])
const NAMED_ONE: ReadonlySet<string> = new Set(['cache'])
/** The columns of the frame table, and facts that write to all of them: where the frame stands, and how many there are. */
const COLUMNS = ['refs', 'maps', 'hugeMaps', 'state', 'content', 'anonVma', 'index', 'lru'] as const
const COLUMN: ReadonlySet<string> = new Set(COLUMNS)
const FRAMES: Readonly<Record<string, readonly [at: number, count: number]>> = {
  alloc: [1, 1],
  lock: [1, 1],
  folio: [1, PMD_PAGES],
  split: [1, PMD_PAGES],
  batch: [2, 1],
  'device-alloc': [2, 1],
  'device-folio': [2, PMD_PAGES],
}
const SLOTS: ReadonlySet<string> = new Set(['swap', 'swap-refs', 'swap-cache'])

export class Extent {
  readonly #parts = new Map<string, Set<number>>()
  #count = 0

  /** Takes a step in; false if there is no memory of which all that was told could be. */
  takes({ event, set, facts }: StepRecord): boolean {
    for (const fact of facts) if (!this.#fact(fact as readonly unknown[])) return false
    for (const key in event) if (!this.#tables(key, event[key])) return false
    for (const name in set) {
      const keys = set[name]?.[1]
      for (const key in keys) if (!this.#tables(`${name} ${key}`, keys[key])) return false
    }
    return true
  }

  /** The same of a whole world. */
  takesWorld(world: unknown): boolean {
    return this.#tables('', world)
  }

  #fact(fact: readonly unknown[]): boolean {
    const kind = String(fact[0])
    for (let i = 1; i < fact.length; i++) if (typeof fact[i] === 'object' && !this.#tables(`${kind} ${i}`, fact[i])) return false
    if (NAMED.has(kind)) return this.#run(`${kind} ${String(fact[1])}`, fact[2], fact[3])
    if (NAMED_ONE.has(kind)) return this.#run(`${kind} ${String(fact[1])}`, fact[2], 1)
    if (COLUMN.has(kind)) return this.#run(kind, fact[1], fact[2])
    if (SLOTS.has(kind)) return this.#run(kind, fact[1], 1)
    const frames = Object.hasOwn(FRAMES, kind) ? FRAMES[kind] : undefined
    return frames === undefined || COLUMNS.every(column => this.#run(column, fact[frames[0]], frames[1]))
  }

  /** The tables that stand in a value, wherever they do. */
  #tables(name: string, value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return true
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) {
        const element: unknown = value[i]
        if (typeof element === 'object' && !this.#tables(`${name} ${i}`, element)) return false
      }
      return true
    }
    if (!isFields(value)) return true
    const runs = value['$runs'] ?? value['$table']
    if (Array.isArray(runs)) return areRuns(runs) && (runs as readonly Run[]).every(([index, count]) => this.#run(name, index, count))
    for (const key in value) {
      const field = value[key]
      if (typeof field === 'object' && !this.#tables(name === '' ? key : `${name} ${key}`, field)) return false
    }
    return true
  }

  #run(name: string, from: unknown, count: unknown): boolean {
    if (!isIndex(from) || !isIndex(count) || from + count > INDEX_LIMIT) return false
    let parts = this.#parts.get(name)
    if (parts === undefined) this.#parts.set(name, (parts = new Set()))
    for (let part = Math.floor(from / PART); part * PART < from + count; part++) {
      if (parts.has(part)) continue
      parts.add(part)
      if (++this.#count > MOST) return false
    }
    return true
  }
}
