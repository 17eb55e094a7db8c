/**
 * Numbers for the parts of worlds that several spaces agree on. Each space gives its own as it meets parts, in an order of its
 * own; but from the same state, all come to the same successors. So parts are numbered as they are met at states that all of
 * them expand in one order, and no part is ever written down.
 */
import type { Row } from '../worlds/rows.ts'
import type { Space } from '../worlds/space.ts'

export class Parts<M, F> {
  readonly #space: Space<M, F>
  /** By column: the agreed number of each of the space's own, and the other way round. */
  readonly #agreed: readonly number[][]
  readonly #own: readonly number[][]

  constructor(space: Space<M, F>) {
    this.#space = space
    this.#agreed = Array.from({ length: space.width }, () => [])
    this.#own = Array.from({ length: space.width }, () => [])
    this.#meet(space.start, 0)
  }

  /** Rows of the space become rows of agreed numbers, in place: all of them, or none if a part has no number yet. */
  agreed(rows: Row, count: number): boolean {
    const { width } = this.#space
    const end = count * width
    for (let at = 0, i = 0; at < end; at++, i = i + 1 === width ? 0 : i + 1) {
      if ((this.#agreed[i] as number[])[rows[at] as number] === undefined) return false
    }
    for (let at = 0, i = 0; at < end; at++, i = i + 1 === width ? 0 : i + 1) {
      rows[at] = (this.#agreed[i] as number[])[rows[at] as number] as number
    }
    return true
  }

  /** A row of agreed numbers becomes one of the space, in place. */
  own(row: Row): void {
    for (let i = 0; i < this.#own.length; i++) row[i] = (this.#own[i] as number[])[row[i] as number] as number
  }

  /** Numbers what is met at a state, in order. */
  learn(agreed: Row): void {
    const row = agreed.slice()
    this.own(row)
    const n = this.#space.expand(row)
    for (let k = 0; k < n; k++) this.#meet(this.#space.nexts, k * this.#space.width)
  }

  #meet(rows: Row, at: number): void {
    for (const [i, agreed] of this.#agreed.entries()) {
      const id = rows[at + i] as number
      if (agreed[id] === undefined) agreed[id] = (this.#own[i] as number[]).push(id) - 1
    }
  }
}
