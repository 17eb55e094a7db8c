/**
 * Numbers of sequences, counted anew: two worlds whose numbers stand in the same order, and are odd in the same places,
 * behave the same for ever, and are to be one. So a loop that only counts on comes back to where it was.
 */
import type { Snapshot } from '../../system/actor.ts'
import type { Row } from './rows.ts'

/** What becomes of worlds whose actors have these numbers; found by the numbers of one actor after the other. */
interface Counting {
  readonly next: Counting[]
  /** undefined: all numbers are as small as they can be. */
  fresh?: { readonly numbers: ReadonlyMap<number, number> | undefined }
  /** By actor and snapshot: the snapshot with its new numbers. */
  readonly becomes: number[][]
}

const counting = (): Counting => ({ next: [], becomes: [] })

/** The numbers that a snapshot has, and a number for them. */
interface Own {
  readonly id: number
  readonly numbers: readonly number[]
}

export class Sequences {
  readonly #fields: ReadonlySet<string>
  readonly #actors: number
  readonly #snapshot: (actor: number, id: number) => Snapshot
  readonly #idOf: (actor: number, snapshot: Snapshot) => number
  /** By actor and snapshot; an actor without numbers has none in any. */
  readonly #own: Own[][]
  readonly #lists = new Map<string, number>([['', 0]])
  readonly #root = counting()

  constructor(
    fields: ReadonlySet<string>,
    actors: number,
    snapshot: (actor: number, id: number) => Snapshot,
    idOf: (actor: number, snapshot: Snapshot) => number,
  ) {
    this.#fields = fields
    this.#actors = actors
    this.#snapshot = snapshot
    this.#idOf = idOf
    this.#own = Array.from({ length: actors }, () => [])
  }

  /** Counts the numbers of the world at `at` anew, in place. */
  number(row: Row, at: number): void {
    let node = this.#root
    for (let i = 0; i < this.#actors; i++) {
      const id = row[at + i] as number
      const own = (this.#own[i] as Own[])[id] ?? this.#ownOf(i, id)
      node = node.next[own.id] ??= counting()
    }
    const { numbers } = (node.fresh ??= { numbers: this.#countedAnew(row, at) })
    if (numbers === undefined) return
    for (let i = 0; i < this.#actors; i++) {
      const id = row[at + i] as number
      row[at + i] = (node.becomes[i] ??= [])[id] ??= this.#renumbered(i, id, numbers)
    }
  }

  #ownOf(actor: number, id: number): Own {
    const numbers = numbersIn(this.#snapshot(actor, id).context, this.#fields)
    const text = numbers.join()
    const list = this.#lists.get(text) ?? this.#lists.size
    this.#lists.set(text, list)
    return ((this.#own[actor] as Own[])[id] = { id: list, numbers })
  }

  #countedAnew(row: Row, at: number): ReadonlyMap<number, number> | undefined {
    const all: number[] = []
    for (let i = 0; i < this.#actors; i++) all.push(...((this.#own[i] as Own[])[row[at + i] as number]?.numbers ?? []))
    return countedAnew(all)
  }

  #renumbered(actor: number, id: number, fresh: ReadonlyMap<number, number>): number {
    const own = (this.#own[actor] as Own[])[id]
    if (own === undefined || own.numbers.every(n => fresh.get(n) === n)) return id
    const { value, context } = this.#snapshot(actor, id)
    return this.#idOf(actor, { value, context: withNumbers(context, this.#fields, fresh) as object })
  }
}

/** What each number becomes: as small as their order and their parity allow; undefined if all are so already. */
function countedAnew(numbers: readonly number[]): ReadonlyMap<number, number> | undefined {
  const sorted = [...new Set(numbers)].toSorted((a, b) => a - b)
  const fresh = new Map<number, number>()
  let [before, after] = [0, 0]
  let changed = false
  for (const [i, n] of sorted.entries()) {
    after = i === 0 ? n % 2 : after + ((n - before) % 2 === 0 ? 2 : 1)
    before = n
    changed ||= after !== n
    fresh.set(n, after)
  }
  return changed ? fresh : undefined
}

/** Contexts are flat where numbers of sequences are, or have them in records and lists. */
function numbersIn(value: unknown, fields: ReadonlySet<string>): readonly number[] {
  if (!isPlain(value)) return []
  return Object.entries(value).flatMap(([key, of]) => (typeof of === 'number' ? (fields.has(key) ? [of] : []) : numbersIn(of, fields)))
}

function withNumbers(value: unknown, fields: ReadonlySet<string>, fresh: ReadonlyMap<number, number>): unknown {
  if (!isPlain(value)) return value
  if (Array.isArray(value)) return value.map(member => withNumbers(member, fields, fresh))
  return Object.fromEntries(
    Object.entries(value).map(([key, of]) => [
      key,
      typeof of === 'number' ? (fields.has(key) ? (fresh.get(of) ?? of) : of) : withNumbers(of, fields, fresh),
    ]),
  )
}

/** A record or a list; a table has no numbers of sequences. */
const isPlain = (value: unknown): value is object => typeof value === 'object' && value !== null && !('toJSON' in value)
