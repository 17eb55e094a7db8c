/**
 * The simplest way to what an order of events shows: with the fewest steps; of those ways, one with the fewest changes from one
 * actor to another; of those, the first in the actors' order. It is found by going, layer by layer, to every world that is as
 * near as that; where those are too many, the order that is known is made shorter by trial, and may not be the shortest.
 */
import type { Choice } from '../../system/step.ts'
import { toTheEnd } from '../../system/to-the-end.ts'
import { fateOf, type Fate } from '../properties/fate.ts'
import type { Model, Property } from '../model.ts'
import { Rows, type Row } from '../worlds/rows.ts'
import { shortened } from './shortened.ts'
import { Space } from '../worlds/space.ts'
import { STRIDE } from '../strategy.ts'

export interface Simplest {
  readonly trail: readonly Choice[]
  /** Are there none with fewer steps, and as many but fewer changes of actor? */
  readonly fewest: boolean
}

/** Worlds to go to, at most. */
const MOST_STATES = 200_000

/** Yields the states so far, and is told whether to stop: then the order is what it was. */
export function* simplifying<M, F>(
  model: Model<M, F>,
  property: Property<M>,
  trail: readonly Choice[],
  maxStates = MOST_STATES,
): Generator<number, Simplest, boolean> {
  // What goes on for ever is told by a way and a circle, not by where it ends.
  if (property.kind === 'eventually' || property.kind === 'livelock') return { trail, fewest: false }
  const space = new Space(model)
  const fate = fateOf(space, property)
  const layers = new Layers(space, fate)
  const found = yield* layers.search(trail.length, maxStates)
  if (found === 'stopped') return { trail, fewest: false }
  return found === 'found' ? { trail: layers.simplest(), fewest: true } : { trail: shortened(space, fate, trail), fewest: false }
}

/** The same in one go. */
export function simplest<M, F>(model: Model<M, F>, property: Property<M>, trail: readonly Choice[], maxStates?: number): Simplest {
  return toTheEnd(simplifying(model, property, trail, maxStates))
}

/** Changes of actor from a world on, by who takes the first step; undefined: there are no more steps to take. */
type Changes = readonly number[] | undefined

/** Worlds by how many steps they are away. */
class Layers<M, F> {
  readonly #space: Space<M, F>
  readonly #fate: Fate<F>
  readonly #rows: Rows
  readonly #row: Row
  /** The first state of each layer, and of the one that would follow. */
  readonly #starts: number[] = [0]
  /** Steps of the shortest way. */
  #length = Infinity
  readonly #ends = new Set<number>()
  readonly #changes = new Map<number, Changes>()

  constructor(space: Space<M, F>, fate: Fate<F>) {
    this.#space = space
    this.#fate = fate
    this.#rows = new Rows(space.width)
    this.#row = new Int32Array(space.width)
  }

  *search(longest: number, maxStates: number): Generator<number, 'found' | 'too many' | 'stopped', boolean> {
    const rows = this.#rows
    rows.add(this.#space.start, 0, -1)
    for (let [layer, state, told] = [0, 0, 0]; layer <= longest && this.#length > layer - 1; layer++) {
      this.#starts.push(rows.size)
      for (const end = rows.size; state < end; state++) {
        this.#look(state, layer)
        if (rows.size > maxStates) return 'too many'
        if (state - told >= STRIDE && (yield (told = state))) return 'stopped'
      }
    }
    return this.#length <= longest ? 'found' : 'too many'
  }

  /** Is it so here, or by a step from here? If not, its successors are in the next layer, if they are new. */
  #look(state: number, layer: number): void {
    const n = this.#expand(state)
    if (n === undefined || (n === 0 && this.#fate.end(this.#row))) {
      this.#ends.add(state)
      this.#length = Math.min(this.#length, layer)
    }
    for (let k = 0; k < (n ?? 0); k++) {
      if (this.#fails(k)) this.#length = Math.min(this.#length, layer + 1)
      else this.#rows.add(this.#space.nexts, k * this.#space.width, state)
    }
  }

  /** How many steps there are; undefined if it is so already. */
  #expand(state: number): number | undefined {
    this.#rows.read(state, this.#row)
    return this.#fate.world(this.#row) === true ? undefined : this.#space.expand(this.#row)
  }

  #fails(k: number): boolean {
    const { steps } = this.#space
    return this.#fate.step(steps[k] as (typeof steps)[number])
  }

  /** From the last layer back, how many changes of actor remain; and then the first way with the fewest of them. */
  simplest(): readonly Choice[] {
    for (let layer = this.#length; layer >= 0; layer--) {
      const end = this.#starts[layer + 1] as number
      for (let state = this.#starts[layer] as number; state < end; state++) this.#count(state, layer)
    }
    const trail: Choice[] = []
    let last: number | undefined
    for (let [layer, state] = [0, 0]; layer < this.#length; layer++) {
      let [best, fewest] = [-1, Infinity]
      const n = this.#expand(state) ?? 0
      for (let k = 0; k < n; k++) {
        const by = this.#by(k)
        const changes = (last === undefined || last === by ? 0 : 1) + this.#after(k, layer)
        if (changes < fewest) [best, fewest] = [k, changes]
      }
      const { steps, nexts, width } = this.#space
      const step = steps[best] as (typeof steps)[number]
      trail.push(this.#space.choiceOf(step))
      last = step.source.by
      state = this.#rows.indexOf(nexts, best * width)
    }
    return trail
  }

  #by(k: number): number {
    return this.#space.steps[k]?.source.by ?? 0
  }

  #count(state: number, layer: number): void {
    if (layer === this.#length) {
      if (this.#ends.has(state)) this.#changes.set(state, undefined)
      return
    }
    const n = this.#expand(state) ?? 0
    const changes = this.#space.names.map(() => Infinity)
    for (let k = 0; k < n; k++) changes[this.#by(k)] = Math.min(changes[this.#by(k)] as number, this.#after(k, layer))
    if (changes.some(Number.isFinite)) this.#changes.set(state, changes)
  }

  /** Changes of actor after the k-th step from a world of this layer; Infinity: it is on no shortest way. */
  #after(k: number, layer: number): number {
    if (this.#fails(k)) return layer + 1 === this.#length ? 0 : Infinity
    const next = this.#rows.indexOf(this.#space.nexts, k * this.#space.width)
    if (next < (this.#starts[layer + 1] as number) || !this.#changes.has(next)) return Infinity
    const changes = this.#changes.get(next)
    const by = this.#by(k)
    return changes === undefined ? 0 : Math.min(...changes.map((more, actor) => more + (actor === by ? 0 : 1)))
  }
}
