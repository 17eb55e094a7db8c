/**
 * Do two models do the same? Both are gone through side by side: from the same world the same steps must lead to the same worlds. As
 * long as they do, what is met first in the one is met first in the other, and has the same number there; so worlds are compared as
 * rows, and what a number stands for is compared once.
 */
import { Interner } from '../worlds/intern.ts'
import type { Model } from '../model.ts'
import { Rows } from '../worlds/rows.ts'
import { Space } from '../worlds/space.ts'
import { bytesAhead, STRIDE, type Cut, type Limits, type Progress } from '../strategy.ts'

/** Goes through both, as `exploring` does; undefined: it was stopped, or met a limit, before it knew. */
export function* doSame<M, F>(
  one: Model<M, F>,
  other: Model<M, F>,
  { maxStates }: Pick<Limits, 'maxStates'>,
): Generator<Progress, boolean | undefined, Cut | undefined> {
  const [a, b] = [new Space(one), new Space(other)]
  const meant = new Meanings(a, b)
  if (a.width !== b.width || !meant.agree(a.start, b.start, 0)) return false
  const { width } = a
  const rows = new Rows(width)
  const row = new Int32Array(width)
  rows.add(a.start, 0, -1)
  for (let next = 0, transitions = 0, told = 0; next < rows.size; next++) {
    rows.read(next, row)
    const n = a.expand(row)
    if (b.expand(row) !== n || a.refusals.length !== b.refusals.length) return false
    for (let k = 0; k < n; k++) {
      if (!meant.agree(a.nexts, b.nexts, k * width) || !meant.agreeOn(k)) return false
      rows.add(a.nexts, k * width, next)
    }
    transitions += n
    if (rows.size >= maxStates) return undefined
    if (transitions - told < STRIDE) continue
    told = transitions
    const cut = yield { states: rows.size, transitions, frontier: rows.size - next, depth: 0, bytes: bytesAhead(rows) }
    if (cut !== undefined) return undefined
  }
  return true
}

/** What the numbers of two spaces stand for, compared once each. */
class Meanings<M, F> {
  readonly #a: Space<M, F>
  readonly #b: Space<M, F>
  readonly #values = new Interner()
  /** By column: numbers that stand for the same in both. */
  readonly #agreed: boolean[][]
  /** Steps that are the same. */
  readonly #steps: boolean[] = []

  constructor(a: Space<M, F>, b: Space<M, F>) {
    this.#a = a
    this.#b = b
    this.#agreed = Array.from({ length: a.width }, () => [])
  }

  /** Do both rows say the same? */
  agree(one: Int32Array, other: Int32Array, at: number): boolean {
    for (const [column, agreed] of this.#agreed.entries()) {
      const id = one[at + column] as number
      if (id !== other[at + column]) return false
      if (agreed[id] === true) continue
      if (this.#values.id(meaning(this.#a, column, id)) !== this.#values.id(meaning(this.#b, column, id))) return false
      agreed[id] = true
    }
    return true
  }

  /** Are the k-th steps of both the same, in what is done and in what its own machine is told? */
  agreeOn(k: number): boolean {
    const [one, other] = [this.#a.steps[k], this.#b.steps[k]]
    if (one === undefined || other === undefined || one.n !== other.n) return false
    this.#steps[one.n] ??= this.#values.id(this.#a.deedOf(one)) === this.#values.id(this.#b.deedOf(other))
    return this.#steps[one.n] === true
  }
}

const meaning = <M, F>(space: Space<M, F>, column: number, id: number): unknown => {
  if (column === space.width - 1) return space.memory(id)
  const { value, context } = space.snapshot(column, id)
  return [value, context]
}
