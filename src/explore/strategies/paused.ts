/**
 * A search that stopped on its way, and what is needed to go on exactly as it would have: its states, and where it was among
 * them. The parts that states are made of are not kept. Each was met at some state at which something was decided for the
 * first time; expanded again in the same order, those few states bring the same parts, with the same numbers.
 */
import type { Judge, Recalled } from '../properties/judge.ts'
import { Rows, type Row } from '../worlds/rows.ts'
import type { Space } from '../worlds/space.ts'
import { trailTo, type Canonical } from '../strategy.ts'

/** Good until the search goes on. */
export interface Paused {
  readonly rows: Rows
  /** States at which something was decided, in order. */
  readonly deciding: readonly number[]
  /** Numbers of the strategy's own. */
  readonly counters: readonly number[]
  readonly lists: readonly (readonly number[])[]
  readonly found: readonly Recalled[]
}

/** A paused search that is not of this model, or not whole. */
export class BadCheckpoint extends Error {
  override readonly name = 'BadCheckpoint'
}

/** The states that a search begins with: the first, or all that were met before it was paused. */
export function begun<M, F>(
  space: Space<M, F>,
  judge: Judge<M, F>,
  canonical: Canonical,
  from: Paused | undefined,
): { readonly rows: Rows; readonly deciding: Deciding<M, F> } {
  const rows = from?.rows ?? new Rows(space.width)
  const deciding = new Deciding(space)
  judge.follow(place => trailTo(space, rows, canonical, place))
  if (from === undefined) {
    const first = space.start.slice()
    canonical(first, 0)
    rows.add(first, 0, -1)
    judge.world(first, 0, 0)
  } else {
    deciding.again(from)
    judge.recall(from.found)
  }
  return { rows, deciding }
}

/** Expands states, and remembers at which of them something was decided. */
export class Deciding<M, F> {
  readonly #space: Space<M, F>
  readonly states: number[] = []

  constructor(space: Space<M, F>) {
    this.#space = space
  }

  expand(row: Row, state: number): number {
    const before = this.#space.decisions
    const n = this.#space.expand(row)
    if (this.#space.decisions !== before) this.states.push(state)
    return n
  }

  /** Decides again, in a space that knows nothing yet, what was decided then. */
  again({ rows, deciding }: Paused): void {
    const space = this.#space
    const row = new Int32Array(space.width)
    let same = rows.width === space.width
    for (const state of same ? deciding : []) {
      rows.read(state, row)
      same &&= space.knows(row)
      if (same) this.expand(row, state)
    }
    if (!same || this.states.join() !== deciding.join())
      throw new BadCheckpoint(
        'the checkpoint cannot be gone on from: its states are not those of this system: something in the machines or the rules has changed since',
      )
  }
}
