/** What every strategy is: a search that can be watched, and stopped, and that says what it did. */
import type { Choice } from '../system/step.ts'
import type { Judge } from './properties/judge.ts'
import type { Paused } from './strategies/paused.ts'
import type { Row, Rows } from './worlds/rows.ts'
import type { Space } from './worlds/space.ts'

/** How far a search is. */
export interface Progress {
  readonly states: number
  readonly transitions: number
  /** States, or branches, that are known and not looked at. */
  readonly frontier: number
  readonly depth: number
  /** What keeping the states takes, and may take until the next report. */
  readonly bytes: number
  /** What is needed to go on from here another time, where the search can. */
  readonly pause?: () => Paused
  /** What is done now, if all worlds were looked at. */
  readonly doing?: string
}

/** Why a search did not go on to its end. */
export type Cut = 'max states' | 'max depth' | 'max memory' | 'timeout' | 'interrupted' | 'a circle' | 'sampled' | 'one order'

/** What a search came to. */
export interface Searched {
  readonly states: number
  readonly transitions: number
  /** Steps of the longest way that was gone. */
  readonly depth: number
  /** States, or branches, that were left; 0: it went everywhere. */
  readonly frontier: number
  readonly cut: Cut | undefined
  /** Ways to an end that were gone one by one; undefined: it goes from state to state. */
  readonly runs?: number
  /** Runs that were given up since they would only have told what another one tells. */
  readonly blocked?: number
  readonly bytes?: number
  /** States as rows, if they were kept. */
  readonly rows?: Rows
  readonly pause?: () => Paused
}

export interface Limits {
  readonly maxStates: number
  readonly maxDepth: number
  /** A search that stopped on its way, to go on with. */
  readonly from?: Paused | undefined
}

/** A search yields how far it is, and is told whether to stop. */
export type Search = Generator<Progress, Searched, Cut | undefined>

export interface Strategy {
  readonly name: string
  search<M, F>(space: Space<M, F>, judge: Judge<M, F>, limits: Limits): Search
}

/** Things that do not go together: they would give wrong answers. */
export class Unsound extends Error {
  override readonly name = 'Unsound'
}

/** Transitions between two reports. */
export const STRIDE = 8192

/** What a set takes until the next report: at most so many states are found until then, and a few from the last one. */
export const bytesAhead = (rows: Rows): number => rows.bytesWith(2 * STRIDE)

/** What a world is taken for: itself, unless worlds stand for others. */
export type Canonical = (rows: Row, at: number) => void
export const itself: Canonical = () => {}

/** The choices that lead to a state of a set, from state to state. */
export function trailTo<M, F>(space: Space<M, F>, rows: Rows, canonical: Canonical, state: number): readonly Choice[] {
  const way: number[] = []
  for (let at = state; at >= 0; at = rows.from(at)) way.unshift(at)
  const choices: Choice[] = []
  const row = space.start.slice()
  const stand = new Int32Array(space.width)
  for (const next of way.slice(1)) {
    const n = space.expand(row)
    let k = 0
    for (; k < n; k++) {
      stand.set(space.nexts.subarray(k * space.width, (k + 1) * space.width))
      canonical(stand, 0)
      if (rows.indexOf(stand) === next) break
    }
    const step = space.steps[k]
    if (k === n || step === undefined) throw new Error('no step leads to the next state of a way: a step is not deterministic')
    choices.push(space.choiceOf(step))
    row.set(space.nexts.subarray(k * space.width, (k + 1) * space.width))
  }
  return choices
}
