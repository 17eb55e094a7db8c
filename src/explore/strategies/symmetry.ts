/**
 * Symmetry: worlds that are the same but for which of several like actors is which are taken for one. An exchange moves the
 * actors' snapshots, and renames them where other contexts speak of them; lists of their names are taken for sets. What is alike
 * need not be actors: pages, or whatever else contexts speak of by name, are renamed alone.
 *
 * That actors are alike is said by whoever makes the model, and is not believed: among the first worlds, each exchange must
 * lead to a world with exchanged successors, and nothing may be wrong in one that is right in the other.
 */
import type { ActorName } from '../../system/actor.ts'
import type { World } from '../../system/world.ts'
import type { Alike, Deed, Model } from '../model.ts'
import { Reading } from '../worlds/reading.ts'
import type { Row } from '../worlds/rows.ts'
import type { Space } from '../worlds/space.ts'
import { Unsound, type Canonical, type Strategy } from '../strategy.ts'

/** Exchanges beyond which trying them all costs more than it saves. */
const MOST_EXCHANGES = 5040
/** Worlds with which the claim is tried. */
const TRIED = 256

/** A search through worlds up to exchanges; `Unsound` if the model claims none, or wrong ones. */
export function symmetric<M, F>(model: Model<M, F>, search: (canonical: Canonical) => Strategy): Strategy {
  const groups = (model.symmetry ?? []).filter(group => group.length > 1)
  if (groups.length === 0)
    throw new Unsound('no actors of this model are said to be alike, so there is nothing that --reduction symmetry could do')
  const exchanges = exchangesOf(groups)
  return {
    name: `${search(() => {}).name}, symmetry`,
    *search(space, judge, limits) {
      const orbits = new Orbits(space, exchanges)
      orbits.check()
      return yield* search((rows, at) => orbits.canonical(rows, at)).search(space, judge, limits)
    },
  }
}

type Exchange = ReadonlyMap<ActorName, ActorName>

/** Every way to exchange actors within their groups, but for the one that leaves all in place. */
function exchangesOf(groups: readonly Alike[]): readonly Exchange[] {
  let all: Exchange[] = [new Map()]
  for (const group of groups) {
    const orders = permutations(group.map((_, i) => i))
    if (all.length * orders.length > MOST_EXCHANGES)
      throw new Unsound(`${group.length} actors that are alike can be exchanged in too many ways; at most ${MOST_EXCHANGES} are tried`)
    all = all.flatMap(exchange =>
      orders.map(order => {
        const more = new Map(exchange)
        for (const [i, to] of order.entries())
          for (const [part, name] of (group[i] ?? []).entries()) more.set(name, group[to]?.[part] ?? name)
        return more
      }),
    )
  }
  return all.slice(1)
}

function permutations(items: readonly number[]): readonly (readonly number[])[] {
  if (items.length === 0) return [[]]
  return items.flatMap((first, i) => permutations(items.toSpliced(i, 1)).map(rest => [first, ...rest]))
}

/** What a property says of a world, or of the steps from it: the same number for worlds that it takes for alike. */
interface Judged {
  readonly name: string
  readonly of: (row: Row) => number
}

class Orbits<M, F> {
  readonly #space: Space<M, F>
  readonly #exchanges: readonly Exchange[]
  /** By exchange: the place from which each column comes; and by column and number there, the number it becomes. */
  readonly #sources: readonly Int32Array[]
  readonly #renamed: readonly number[][][]
  readonly #best: Row
  readonly #trial: Row

  constructor(space: Space<M, F>, exchanges: readonly Exchange[]) {
    this.#space = space
    this.#exchanges = exchanges
    const spoken = wordsIn(space.names.map((_, i) => space.snapshot(i, space.start[i] as number).context))
    this.#sources = exchanges.map(exchange => {
      const sources = Int32Array.from(space.names, (_, i) => i)
      for (const [from, to] of exchange) {
        const [a, b] = [space.names.indexOf(from), space.names.indexOf(to)]
        if (a >= 0 && b >= 0) sources[b] = a
        else if (a >= 0 || b >= 0 || !spoken.has(from))
          throw new Unsound(`'${a < 0 ? from : to}' is said to be like others: there is no such actor, and none that speaks of it at first`)
      }
      return sources
    })
    this.#renamed = exchanges.map(() => space.names.map(() => []))
    this.#best = new Int32Array(space.width)
    this.#trial = new Int32Array(space.width)
  }

  /** The least of the worlds that a world can be exchanged for, in its place. */
  canonical(rows: Row, at: number): void {
    const last = this.#space.width - 1
    const best = this.#best
    for (let i = 0; i < last; i++) best[i] = rows[at + i] as number
    for (let x = 0; x < this.#sources.length; x++) {
      const sources = this.#sources[x] as Int32Array
      // 0: the same so far; -1: less than the best, which it replaces.
      let order = 0
      for (let i = 0; i < last; i++) {
        const from = sources[i] as number
        const id = this.#rename(x, from, i, rows[at + from] as number)
        if (order === 0) {
          if (id > (best[i] as number)) break
          if (id < (best[i] as number)) order = -1
        }
        if (order !== 0) best[i] = id
      }
    }
    for (let i = 0; i < last; i++) rows[at + i] = best[i] as number
  }

  #rename(exchange: number, from: number, to: number, id: number): number {
    const known = (this.#renamed[exchange] as number[][])[from] as number[]
    return (known[id] ??= this.#renameNow(exchange, from, to, id))
  }

  #renameNow(exchange: number, from: number, to: number, id: number): number {
    const { value, context } = this.#space.snapshot(from, id)
    return this.#space.idOf(to, { value, context: renamed(context, this.#exchanges[exchange] as Exchange) as object })
  }

  #exchanged(exchange: number, row: Row): Row {
    const sources = this.#sources[exchange] as Int32Array
    const other = row.slice()
    for (const [i, from] of sources.entries()) other[i] = this.#rename(exchange, from, i, row[from] as number)
    return other
  }

  /** Tries the claim with the first worlds, breadth first. */
  check(): void {
    const space = this.#space
    const { width } = space
    const oracles = space.model.properties.flatMap((property): readonly Judged[] => {
      const { name } = property
      switch (property.kind) {
        case 'always': {
          const wrong = new Reading(space, name, world => property.wrong(world as World<M>) === undefined)
          return [{ name, of: row => (wrong.at(row) ? 1 : 0) }]
        }
        case 'sometimes':
        case 'finally': {
          const holds = new Reading(space, name, world => property.holds(world as World<M>) !== false)
          return [{ name, of: row => (holds.at(row) ? 1 : 0) }]
        }
        case 'step':
          return [{ name, of: row => this.#steps(row).filter(deed => property.wrong(deed) !== undefined).length }]
        default:
          return []
      }
    })
    const seen = new Set<string>([space.start.join()])
    const queue: Row[] = [space.start]
    for (const row of queue) {
      const next = this.#successors(row)
      for (let x = 0; x < this.#exchanges.length; x++) {
        const other = this.#exchanged(x, row)
        const differs = this.#successors(other).join(' ') !== next.join(' ')
        const judged = oracles.find(({ of }) => of(row) !== of(other))
        if (differs || judged !== undefined) throw new Unsound(this.#why(x, judged?.name))
      }
      const n = space.expand(row)
      for (let k = 0; k < n && queue.length < TRIED; k++) {
        const found = space.nexts.slice(k * width, (k + 1) * width)
        if (seen.has(found.join())) continue
        seen.add(found.join())
        queue.push(found)
      }
    }
  }

  #steps(row: Row): readonly Deed[] {
    const n = this.#space.expand(row)
    return this.#space.steps.slice(0, n).map(step => this.#space.deedOf(step))
  }

  /** What the successors of a world are taken for, in order. */
  #successors(row: Row): readonly string[] {
    const { width } = this.#space
    const n = this.#space.expand(row)
    return Array.from({ length: n }, (_, k) => {
      this.#trial.set(this.#space.nexts.subarray(k * width, (k + 1) * width))
      this.canonical(this.#trial, 0)
      return this.#trial.join()
    }).toSorted()
  }

  #why(exchange: number, property: string | undefined): string {
    const moved = [...(this.#exchanges[exchange] as Exchange)].filter(([from, to]) => from !== to).map(([from, to]) => `${from} for ${to}`)
    const what = property === undefined ? 'what can happen next is not the same' : `'${property}' does not say the same`
    return `actors that are said to be alike are not: with ${moved.join(', ')}, ${what}`
  }
}

/** The words in values, also those by which their parts are named. */
function wordsIn(value: unknown, words = new Set<string>()): ReadonlySet<string> {
  if (typeof value === 'string') words.add(value)
  else if (Array.isArray(value)) for (const member of value) wordsIn(member, words)
  else if (typeof value === 'object' && value !== null && !('toJSON' in value))
    for (const [key, of] of Object.entries(value)) wordsIn(of, words.add(key))
  return words
}

/** A value with the names in it exchanged. */
function renamed(value: unknown, exchange: Exchange): unknown {
  if (typeof value === 'string') return exchange.get(value) ?? value
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value
  if (Array.isArray(value)) {
    const list = value.map(member => renamed(member, exchange))
    const isSet = list.length > 0 && value.every(member => typeof member === 'string' && exchange.has(member))
    return isSet ? list.map(String).toSorted() : list
  }
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [exchange.get(key) ?? key, renamed(of, exchange)]))
}
