/**
 * A question about worlds whose answer is kept by what it read: the fields of contexts, the states of machines, memory.
 * Worlds that agree in those have the same answer, and most worlds agree with one that was asked about before.
 */
import type { Snapshot } from '../../system/actor.ts'
import type { World } from '../../system/world.ts'
import { timesAgain } from './again.ts'
import type { Interner } from './intern.ts'
import { NotDeterministic } from '../model.ts'
import type { Row } from './rows.ts'

/** What a reading has to know of a space. */
export interface Readable {
  readonly width: number
  readonly names: readonly string[]
  readonly interner: Interner
  snapshot(actor: number, id: number): Snapshot
  memory(id: number): unknown
}

/** Part of a world: a field of an actor's context, the state of its machine (''), or memory (the last column). */
interface Place {
  readonly column: number
  readonly field: string
  /** By number in the column: what is in that place, as a small number. */
  readonly values: number[]
  readonly dense: Map<number, number>
}
interface Node<T> {
  place?: Place
  readonly next: Node<T>[]
  answer?: { readonly is: T }
}

/** A property that looks at something besides what it is shown. */
export const cheating = (name: string): NotDeterministic =>
  new NotDeterministic(`'${name}' looks at something besides the world: asked twice about the same, it does not do the same`)

const STATE = ''
/** All keys of a context. */
const KEYS = '*'

export class Reading<T> {
  readonly #space: Readable
  readonly #name: string
  readonly #ask: (world: World<unknown>) => T
  readonly #root: Node<T> = { next: [] }
  readonly #places = new Map<string, Place>()
  #asked = 0

  /** `name`: of the property whose question it is. */
  constructor(space: Readable, name: string, ask: (world: World<unknown>) => T) {
    this.#space = space
    this.#name = name
    this.#ask = ask
  }

  /** How often the question itself was asked. */
  get asked(): number {
    return this.#asked
  }

  /** The columns of a world that it was ever seen to read, as keys of column and field. */
  get reads(): ReadonlyMap<string, Place> {
    return this.#places
  }

  at(row: Row, at = 0): T {
    let node = this.#root
    for (;;) {
      const { place } = node
      if (place === undefined) break
      const id = row[at + place.column] as number
      const value = place.values[id] ?? this.#valueOf(place, id)
      node = node.next[value] ??= { next: [] }
    }
    return node.answer === undefined ? this.#answer(row, at) : node.answer.is
  }

  /** Would the answer notice that a column went from one number to another? */
  notices(column: number, from: number, to: number): boolean {
    for (const place of this.#places.values()) {
      if (place.column !== column) continue
      const [a, b] = [place.values[from] ?? this.#valueOf(place, from), place.values[to] ?? this.#valueOf(place, to)]
      if (a !== b) return true
    }
    return false
  }

  #answer(row: Row, at: number): T {
    this.#asked++
    const read: Place[] = []
    const note = (column: number, field: string): void => {
      const place = this.#place(column, field)
      if (!read.includes(place)) read.push(place)
    }
    const answer = this.#ask(this.#watched(row, at, note))
    const seen = read.length
    for (let times = timesAgain(this.#asked); times > 0; times--)
      if (this.#ask(this.#watched(row, at, note)) !== answer || read.length !== seen) throw cheating(this.#name)
    let node = this.#root
    for (const place of read) {
      node.place ??= place
      if (node.place !== place || node.answer !== undefined) throw cheating(this.#name)
      const id = row[at + place.column] as number
      node = node.next[place.values[id] ?? this.#valueOf(place, id)] ??= { next: [] }
    }
    if (node.place !== undefined) throw cheating(this.#name)
    node.answer ??= { is: answer }
    if (node.answer.is !== answer) throw cheating(this.#name)
    return answer
  }

  #place(column: number, field: string): Place {
    const key = `${column}.${field}`
    let place = this.#places.get(key)
    if (place === undefined) {
      place = { column, field, values: [], dense: new Map() }
      this.#places.set(key, place)
    }
    return place
  }

  #valueOf(place: Place, id: number): number {
    const { column, field, dense } = place
    const of = column === this.#space.width - 1 ? id : this.#space.interner.id(this.#read(column, field, id))
    let value = dense.get(of)
    if (value === undefined) {
      value = dense.size
      dense.set(of, value)
    }
    place.values[id] = value
    return value
  }

  #read(column: number, field: string, id: number): unknown {
    const { value, context } = this.#space.snapshot(column, id)
    if (field === STATE) return value
    return field === KEYS ? Object.keys(context) : (context as Readonly<Record<string, unknown>>)[field]
  }

  /** The world, noting what is looked at. */
  #watched(row: Row, at: number, note: (column: number, field: string) => void): World<unknown> {
    const space = this.#space
    const last = space.width - 1
    const actors = space.names.map((_, i): Snapshot => {
      const { value, context } = space.snapshot(i, row[at + i] as number)
      const seen = new Proxy(context, {
        get: (target, key, receiver) => {
          if (typeof key === 'string') note(i, key)
          return Reflect.get(target, key, receiver) as unknown
        },
        has: (target, key) => {
          note(i, KEYS)
          return Reflect.has(target, key)
        },
        ownKeys: target => {
          note(i, KEYS)
          return Reflect.ownKeys(target)
        },
      })
      return {
        get value() {
          note(i, STATE)
          return value
        },
        context: seen,
      }
    })
    return {
      get memory() {
        note(last, STATE)
        return space.memory(row[at + last] as number)
      },
      actors,
    }
  }
}
