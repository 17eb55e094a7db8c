/** Two runs compared: as traces, by verdict, and by which order makes the difference. */
import type { LinuxSystem } from '../linux.ts'
import { momentOf, Retracing, type Retraced } from '../retrace.ts'
import { guiltyPair, type Judge, type JudgedRun } from './guilty.ts'
import { beginOf, byActor, traceDifference, type Divergence, type Place, type Run } from './traces.ts'

export interface RunsDifference {
  /** Nothing differs but the order of steps that are independent. */
  readonly same: boolean
  readonly common: number
  /** Of the common steps, how many come at another place. */
  readonly moved: number
  /** What each run came to; null: they were not judged, being too long. */
  readonly verdicts: readonly [JudgedRun, JudgedRun] | null
  readonly divergences: readonly Divergence[]
  /** How many pairs that conflict are known to come in the other order. */
  readonly reversed: number
  readonly pair: Pair | null
}

/** The pair whose order makes the difference, with the numbers of the steps in both runs. */
export interface Pair {
  readonly first: PairStep
  readonly second: PairStep
  readonly on: string
  readonly flips: boolean | null
}

/** A step by its numbers in the first run and in the second; null where it is not taken. */
export interface PairStep {
  readonly by: string
  readonly a: number | null
  readonly b: number | null
}

export interface CompareOptions {
  /** How runs are judged; verdicts are not asked for without. */
  readonly judge?: (() => Judge) | undefined
  /** Runs that are longer together are not judged, as each step would have to be decided again. */
  readonly judged?: number
}

const JUDGED = 20_000

/** `system`: undefined if the runs are of two systems, where no order explains anything. */
export function compareRuns(
  system: LinuxSystem | undefined,
  a: Run,
  b: Run,
  { judge, judged = JUDGED }: CompareOptions = {},
): RunsDifference {
  const difference = traceDifference(a, b)
  const same = difference.divergences.length === 0 && difference.reversals.length === 0
  const few = a.steps.length + b.steps.length <= judged
  const verdicts: readonly [JudgedRun, JudgedRun] | undefined =
    system === undefined || judge === undefined || !few || same ? undefined : [verdictOf(system, a, judge()), verdictOf(system, b, judge())]
  const options = { ...(verdicts === undefined ? {} : { verdicts }), ...(judge === undefined ? {} : { judge }) }
  const guilty = same || system === undefined ? undefined : guiltyPair(system, a, b, difference, options)
  const [ofA, ofB] = [byActor(a), byActor(b)]
  const placed = (place: Place): PairStep => ({
    by: place.by,
    a: a.steps[ofA.get(place.by)?.[place.a] ?? -1]?.n ?? null,
    b: b.steps[ofB.get(place.by)?.[place.b] ?? -1]?.n ?? null,
  })
  return {
    same,
    common: difference.common,
    moved: difference.moved,
    verdicts: verdicts ?? null,
    divergences: difference.divergences,
    reversed: difference.reversals.length,
    pair:
      guilty === undefined
        ? null
        : { first: placed(guilty.pair.first), second: placed(guilty.pair.second), on: guilty.pair.on, flips: guilty.flips },
  }
}

/** What a run comes to. */
export function verdictOf(system: LinuxSystem, run: Run, judge: Judge): JudgedRun {
  const retracing = new Retracing(system, beginOf(system, run))
  for (const record of run.steps) judge.see(momentOf(retracing.see(record)))
  return judge.verdict()
}

/** A step of a run, with words for it. */
export function wordsAt(system: LinuxSystem, run: Run, n: number): Retraced | undefined {
  const retracing = new Retracing(system, beginOf(system, run))
  let last: Retraced | undefined
  for (const record of run.steps) {
    if (record.n > n) break
    last = retracing.see(record)
  }
  return last?.n === n ? last : undefined
}
