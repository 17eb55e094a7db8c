/**
 * What lies ahead of a world, up to where a property is decided: every world that can come, and the worlds that its choices
 * lead to. Grows as more worlds are asked about; what has once been gone through is not gone through again.
 */
import type { Fate } from '../properties/fate.ts'
import { Rows, type Row } from '../worlds/rows.ts'
import type { Space } from '../worlds/space.ts'
import { STRIDE } from '../strategy.ts'

/** Where a choice leads by which the run fails. */
export const FAILED = -1

export class Ahead<M, F> {
  readonly #space: Space<M, F>
  readonly #fate: Fate<F>
  readonly #rows: Rows
  readonly #row: Row
  /** By state: where its successors begin, and at the end where the next would. */
  readonly #first: number[] = [0]
  readonly #next: number[] = []
  /** By state: whether a run that comes there has failed; undefined: it goes on. */
  readonly #decided: (boolean | undefined)[] = []

  constructor(space: Space<M, F>, fate: Fate<F>) {
    this.#space = space
    this.#fate = fate
    this.#rows = new Rows(space.width)
    this.#row = new Int32Array(space.width)
  }

  /** States of which all that lies ahead is known. */
  get size(): number {
    return this.#decided.length
  }

  /** The state of a world; -1 if it was never come to. */
  stateOf(row: Row): number {
    const state = this.#rows.indexOf(row)
    return state < this.size ? state : -1
  }

  /** Has a run that comes to this state failed? Undefined: it goes on. */
  decided(state: number): boolean | undefined {
    return this.#decided[state]
  }

  /** Where the choices in this state lead, one by one. */
  successors(state: number): readonly number[] {
    return this.#next.slice(this.#first[state], this.#first[state + 1])
  }

  /** How many choices there are in a state. */
  choices(state: number): number {
    return (this.#first[state + 1] as number) - (this.#first[state] as number)
  }

  /**
   * Goes through all that lies ahead of a world; false if that is more than `limit` states in all, and nothing more can be
   * asked then. Yields the states so far, and is told whether to stop.
   */
  *grow(row: Row, limit: number): Generator<number, boolean, boolean> {
    const rows = this.#rows
    const known = this.size
    rows.add(row, 0, -1)
    let told = known
    for (let state = known; state < rows.size; state++) {
      if (rows.size > limit || (state - told >= STRIDE && (yield (told = state)))) {
        this.#forget(known)
        return false
      }
      rows.read(state, this.#row)
      this.#decided.push(this.#goOn())
      this.#first.push(this.#next.length)
    }
    return true
  }

  /** Is the run decided in the world that was just read? If not, its successors are written down. */
  #goOn(): boolean | undefined {
    const decided = this.#fate.world(this.#row)
    if (decided !== undefined) return decided
    const { width, steps } = this.#space
    const n = this.#space.expand(this.#row)
    if (n === 0) return this.#fate.end(this.#row)
    for (let k = 0; k < n; k++) {
      const fails = this.#fate.step(steps[k] as (typeof steps)[number])
      const added = fails ? FAILED : this.#rows.add(this.#space.nexts, k * width, -1)
      this.#next.push(fails ? FAILED : added < 0 ? ~added : added)
    }
    return undefined
  }

  /** Of states whose successors are not all known, nothing can be told. */
  #forget(known: number): void {
    this.#decided.length = known
    this.#first.length = known + 1
    this.#next.length = this.#first[known] as number
  }
}
