/**
 * An order of events made shorter by trial: parts of it are left out, then brought together by who takes them, as long as it
 * still comes to the same. Every order that is tried is gone step by step, so what remains can be gone.
 */
import type { Choice } from '../../system/step.ts'
import type { Fate } from '../properties/fate.ts'
import type { Space } from '../worlds/space.ts'

/** Steps to try, at most. */
const MOST_STEPS = 2_000_000

export function shortened<M, F>(space: Space<M, F>, fate: Fate<F>, trail: readonly Choice[]): readonly Choice[] {
  const trying = new Trying(space, fate)
  let best = trail
  for (let before = Infinity; best.length < before && trying.goesOn;) {
    before = best.length
    best = brought(trying, without(trying, best))
  }
  return best
}

/** Leaves out half of it, a quarter, … and single steps. */
function without<M, F>(trying: Trying<M, F>, trail: readonly Choice[]): readonly Choice[] {
  let best = trail
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length && trying.goesOn;) {
      const shorter = trying.way(best.toSpliced(at, size))
      if (shorter !== undefined && shorter.length < best.length) best = shorter
      else at += size
    }
  }
  return best
}

/** Lets an actor go on with what it does next, before others act. */
function brought<M, F>(trying: Trying<M, F>, trail: readonly Choice[]): readonly Choice[] {
  let best = trail
  for (let at = 1; at < best.length && trying.goesOn; at++) {
    const by = best[at - 1]?.by
    if (best[at]?.by === by) continue
    const from = best.findIndex((choice, i) => i > at && choice.by === by)
    if (from < 0) continue
    const other = best.findIndex((choice, i) => i > from && choice.by !== by)
    const end = other < 0 ? best.length : other
    const moved = trying.way([...best.slice(0, at), ...best.slice(from, end), ...best.slice(at, from), ...best.slice(end)])
    if (moved !== undefined && isSimpler(moved, best)) best = moved
  }
  return best
}

const changesIn = (trail: readonly Choice[]): number => trail.filter((choice, i) => i > 0 && choice.by !== trail[i - 1]?.by).length
const isSimpler = (a: readonly Choice[], b: readonly Choice[]): boolean =>
  a.length < b.length || (a.length === b.length && changesIn(a) < changesIn(b))

class Trying<M, F> {
  readonly #space: Space<M, F>
  readonly #fate: Fate<F>
  #left = MOST_STEPS

  constructor(space: Space<M, F>, fate: Fate<F>) {
    this.#space = space
    this.#fate = fate
  }

  /** Are there steps left to try? */
  get goesOn(): boolean {
    return this.#left > 0
  }

  /** As much of an order as it takes, without what cannot be done; undefined if it comes to nothing. */
  way(choices: readonly Choice[]): readonly Choice[] | undefined {
    const [space, fate] = [this.#space, this.#fate]
    const row = space.start.slice()
    const taken: Choice[] = []
    this.#left -= choices.length
    for (const choice of choices) {
      const step = space.take(row, 0, space.names.indexOf(choice.by), choice.offer)
      if (step === undefined || !('own' in step)) continue
      taken.push(space.choiceOf(step))
      if (fate.step(step) || fate.world(row) === true) return taken
    }
    return space.expand(row) === 0 && fate.end(row) ? taken : undefined
  }
}
