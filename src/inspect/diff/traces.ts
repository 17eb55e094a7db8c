/**
 * Two runs as traces: what counts is what each actor does and is told, and in which order steps that conflict come. Steps
 * of different actors that do not conflict may come in any order: runs that differ in nothing else are the same.
 */
import type { StepRecord } from '../../log/records.ts'
import { initialWorld } from '../../system/world.ts'
import type { LinuxSystem, LinuxWorld } from '../linux.ts'
import { footprint } from './footprint.ts'
import { matched, type Match, type Own } from './matching.ts'

/** The steps of a run. */
export interface Run {
  readonly steps: readonly StepRecord[]
  /** The world in which the first of them is taken; without it, the one in which the system begins. */
  readonly begin?: LinuxWorld
}
export const beginOf = (system: LinuxSystem, { begin }: Run): LinuxWorld => begin ?? initialWorld(system)

/** A step of an actor: the so-manieth of its own in the first run, and in the second, from 0 on. */
export interface Place {
  readonly by: string
  readonly a: number
  readonly b: number
}

/** Two steps that conflict and come in this order in the first run, in the other order in the second. */
export interface Reversal {
  readonly first: Place
  readonly second: Place
  /** What both write: `actor mm0.registry`, `mm0 pte`. */
  readonly on: string
}

/** The first step of an actor that is not the same in both runs. */
export interface Divergence {
  readonly place: Place
  /** The steps; undefined: the actor has none any more. */
  readonly a: StepRecord | undefined
  readonly b: StepRecord | undefined
}

export interface TraceDifference {
  /** At most a few, in the order of the second run. */
  readonly reversals: readonly Reversal[]
  /** Actors that do not do the same; in the order of the first run. */
  readonly divergences: readonly Divergence[]
  /** How many steps of the first run have a partner that is the same. */
  readonly common: number
  /** Of these, how many stand at another place. */
  readonly moved: number
}

/** Cells in which an order differs, and pairs in each, that are looked at. */
const MOST_CELLS = 32
const MOST_PAIRS = 4

/** The steps of each actor, as places in the run. */
export function byActor({ steps }: Run): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>()
  for (const [i, { by }] of steps.entries()) {
    const own = places.get(by)
    if (own === undefined) places.set(by, [i])
    else own.push(i)
  }
  return places
}

const ownOf = (run: Run, by: string, places: readonly number[]): Own => ({
  steps: places.map(i => run.steps[i] as StepRecord),
  changes: run.steps.filter(step => step.set[by] !== undefined),
})

/** How two runs differ: in nothing, if there is neither a reversal nor a divergence. */
export function traceDifference(a: Run, b: Run): TraceDifference {
  const [ofA, ofB] = [byActor(a), byActor(b)]
  const pairs: Pair[] = []
  const divergences: Divergence[] = []
  let common = 0
  for (const by of new Set([...ofA.keys(), ...ofB.keys()])) {
    const [x, y] = [ofA.get(by) ?? [], ofB.get(by) ?? []]
    const matches = matched(by, ownOf(a, by, x), ownOf(b, by, y))
    for (const match of matches) pairs.push({ by, match, inA: placesOf(x, match.a), inB: placesOf(y, match.b) })
    const [i, j] = [matches.at(-1)?.a[1] ?? 0, matches.at(-1)?.b[1] ?? 0]
    common += i
    if (i < x.length || j < y.length) divergences.push({ place: { by, a: i, b: j }, a: a.steps[x[i] ?? -1], b: b.steps[y[j] ?? -1] })
  }
  const { reversals, moved } = reversalsOf(a, b, pairs)
  const numberOf = ({ a: s, b: t }: Divergence): number => s?.n ?? t?.n ?? 0
  return { reversals, divergences: divergences.toSorted((x, y) => numberOf(x) - numberOf(y)), common, moved }
}

/** What an actor does in both runs, and where in each. */
interface Pair {
  readonly by: string
  readonly match: Match
  readonly inA: readonly number[]
  readonly inB: readonly number[]
}

const placesOf = (places: readonly number[], [from, to]: readonly [number, number]): readonly number[] => places.slice(from, to)

/** Numbers for the parts of spaces that no access divides. */
class Cells {
  readonly #names: string[] = []
  readonly #index: ReadonlyMap<number, number>[] = []
  readonly #spaces = new Map<string, number>()
  /** Of each step, its writes in fours: space, from, to, and whether it only counts. */
  readonly #writes = new Map<StepRecord, readonly number[]>()

  constructor(runs: readonly Run[]) {
    const ends: Set<number>[] = []
    for (const { steps } of runs) for (const step of steps) if (!this.#writes.has(step)) this.#note(step, ends)
    const names = [...this.#spaces.keys()]
    for (const [space, of] of ends.entries())
      this.#index[space] = new Map([...of].toSorted((x, y) => x - y).map(end => [end, this.#names.push(names[space] ?? '') - 1]))
  }

  #note(step: StepRecord, ends: Set<number>[]): void {
    const writes: number[] = []
    footprint(step, (name, from, to, counts) => {
      let space = this.#spaces.get(name)
      if (space === undefined) {
        space = this.#spaces.size
        this.#spaces.set(name, space)
        ends.push(new Set())
      }
      ends[space]?.add(from).add(to)
      writes.push(space, from, to, counts ? 1 : 0)
    })
    this.#writes.set(step, writes)
  }

  get count(): number {
    return this.#names.length
  }

  spaceOf(cell: number): string {
    return this.#names[cell] ?? ''
  }

  /** What a step writes, cell by cell: twice the cell, plus one if it only counts. */
  written(step: StepRecord): readonly number[] {
    const cells: number[] = []
    const writes = this.#writes.get(step) ?? []
    for (let i = 0; i < writes.length; i += 4) {
      const index = this.#index[writes[i] ?? 0]
      const last = index?.get(writes[i + 2] ?? 0) ?? 0
      for (let cell = index?.get(writes[i + 1] ?? 0) ?? last; cell < last; cell++) cells.push(2 * cell + (writes[i + 3] ?? 0))
    }
    return cells
  }
}

/** Of the cells that a pair writes, the rank of its last write in each: writes that only count stand side by side. */
type Ranks = ReadonlyMap<number, number>

/** Follows the order of writes to each cell, for the pairs of a run. */
function ranksOf(run: Run, cells: Cells, pairAt: readonly (Pair | undefined)[]): ReadonlyMap<Pair, Ranks> {
  const rank = new Int32Array(cells.count)
  const counting = new Uint8Array(cells.count)
  const writer: (Pair | undefined)[] = []
  const ranks = new Map<Pair, Map<number, number>>()
  for (const [i, pair] of pairAt.entries()) {
    if (pair === undefined) continue
    let own = ranks.get(pair)
    if (own === undefined) ranks.set(pair, (own = new Map()))
    for (const access of cells.written(run.steps[i] as StepRecord)) {
      const [cell, counts] = [access >> 1, access & 1]
      // What a pair writes twice in a row is one write.
      if (writer[cell] !== pair && (counts === 0 || counting[cell] === 0)) rank[cell] = (rank[cell] ?? 0) + 1
      writer[cell] = pair
      counting[cell] = counts
      own.set(cell, rank[cell] ?? 0)
    }
  }
  return ranks
}

function pairsAt(pairs: readonly Pair[], side: 'inA' | 'inB'): readonly (Pair | undefined)[] {
  const at: (Pair | undefined)[] = []
  for (const pair of pairs) for (const i of pair[side]) at[i] = pair
  return at
}

const movedOf = (pairs: readonly Pair[]): number => pairs.reduce((sum, { inA, inB }) => (inA[0] === inB[0] ? sum : sum + inA.length), 0)

/** Do the steps of the second run come in the order of their partners in the first? Then nothing can be reversed. */
function isInOrder(atB: readonly (Pair | undefined)[]): boolean {
  let last = -1
  for (const pair of atB) {
    if (pair === undefined) continue
    const [first = 0] = pair.inA
    if (first < last || pair.inA.length > 1 || pair.inB.length > 1) return false
    last = first
  }
  return true
}

function reversalsOf(a: Run, b: Run, pairs: readonly Pair[]): { readonly reversals: readonly Reversal[]; readonly moved: number } {
  const [atA, atB] = [pairsAt(pairs, 'inA'), pairsAt(pairs, 'inB')]
  if (isInOrder(atB)) return { reversals: [], moved: movedOf(pairs) }
  const cells = new Cells([a, b])
  const [ranksA, ranksB] = [ranksOf(a, cells, atA), ranksOf(b, cells, atB)]
  const wrong = new Map<number, Pair[]>()
  const inOrder = new Set(atB)
  for (const pair of inOrder) {
    if (pair === undefined) continue
    const [then, now] = [ranksA.get(pair), ranksB.get(pair)]
    for (const [cell, rank] of now ?? []) {
      if (then?.get(cell) === rank) continue
      const known = wrong.get(cell)
      if (known === undefined && wrong.size < MOST_CELLS) wrong.set(cell, [pair])
      else if (known !== undefined && known.length < MOST_PAIRS) known.push(pair)
    }
  }
  return { reversals: wrong.size === 0 ? [] : nearest(a, b, cells, [atA, atB], wrong), moved: movedOf(pairs) }
}

/** For each cell in which a pair is not where it was: the nearest write that it has changed places with. */
function nearest(
  a: Run,
  b: Run,
  cells: Cells,
  [atA, atB]: readonly [readonly (Pair | undefined)[], readonly (Pair | undefined)[]],
  wrong: ReadonlyMap<number, readonly Pair[]>,
): readonly Reversal[] {
  const [writersA, writersB] = [writersOf(a, cells, atA, wrong), writersOf(b, cells, atB, wrong)]
  const reversals = new Map<string, Reversal>()
  const each = [...wrong].flatMap(([cell, list]) => list.map(pair => ({ cell, pair })))
  for (const { cell, pair } of each) {
    const [x, y] = [writersA.get(cell) ?? [], writersB.get(cell) ?? []]
    const own = x.find(w => w.pair === pair)
    const before = (list: readonly Writer[]): readonly Writer[] =>
      list.slice(
        0,
        list.findIndex(w => w.pair === pair),
      )
    const conflicts = (w: Writer): boolean => w.pair.by !== pair.by && !(w.counts && own?.counts === true)
    const only = (list: readonly Writer[], other: readonly Writer[]): Writer | undefined =>
      list.findLast(w => conflicts(w) && !other.some(v => v.pair === w.pair))
    const [inA, inB] = [before(x), before(y)]
    const [earlier, later] = [only(inA, inB)?.pair, only(inB, inA)?.pair]
    const [first, second] = earlier !== undefined ? [earlier, pair] : [pair, later]
    if (second === undefined) continue
    const reversal = { first: placeOf(first), second: placeOf(second), on: cells.spaceOf(cell) }
    const key = JSON.stringify([reversal.first, reversal.second])
    if (!reversals.has(key)) reversals.set(key, reversal)
  }
  return [...reversals.values()]
}

const placeOf = ({ by, match }: Pair): Place => ({ by, a: match.a[0], b: match.b[0] })

interface Writer {
  readonly pair: Pair
  readonly counts: boolean
}

function writersOf(
  run: Run,
  cells: Cells,
  pairAt: readonly (Pair | undefined)[],
  wanted: ReadonlyMap<number, unknown>,
): ReadonlyMap<number, readonly Writer[]> {
  const writers = new Map<number, Writer[]>([...wanted.keys()].map(cell => [cell, []]))
  for (const [i, pair] of pairAt.entries()) {
    if (pair === undefined) continue
    for (const access of cells.written(run.steps[i] as StepRecord)) writers.get(access >> 1)?.push({ pair, counts: (access & 1) === 1 })
  }
  return writers
}
