/**
 * Two runs of logs, which may be branches of one run: they are compared from where the first of them leaves what they have in
 * common. Without that, from where each begins.
 */
import { worldText, type StepRecord } from '../../log/records.ts'
import type { LinuxSystem, LinuxWorld } from '../linux.ts'
import type { Run } from '../recording.ts'
import type { Judge, JudgedRun } from './guilty.ts'
import { compareRuns, verdictOf, type RunsDifference } from './runs.ts'

/** A run; `trunk`: the checksum of the header of the log that it leaves, or of its own. */
export interface Side {
  readonly run: Run
  readonly trunk: string
}

/** A run as it is compared: its steps from a place on. */
export interface Compared {
  readonly run: Run
  readonly steps: readonly StepRecord[]
  readonly begin: LinuxWorld
}

export interface Related {
  readonly sides: readonly [Compared, Compared]
  readonly difference: RunsDifference
  /** Why no order of events need be the cause; undefined: one may be. */
  readonly apart: string | undefined
}

/** Runs that are longer together are not judged. */
const JUDGED = 20_000

/** `judge`: what runs are judged by. Steps are decided again for that, unless there are too many. */
export function compareRelated(a: Side, b: Side, judge: (system: LinuxSystem) => Judge, judged = JUDGED): Related {
  const [from, to] = beginnings(a, b)
  const sides = [stepsBehind(a.run, from), stepsBehind(b.run, to)] as const
  const [one, other] = sides
  const apart = whyApart(one, other)
  const difference = compareRuns(apart === undefined ? one.run.system : undefined, one, other, {
    judge: () => judge(one.run.system),
    judged,
  })
  if (apart === undefined || difference.same || one.steps.length + other.steps.length > judged) return { sides, difference, apart }
  // Of two systems each is judged by itself.
  const verdict = (of: Compared): JudgedRun => verdictOf(of.run.system, of, judge(of.run.system))
  return { sides, difference: { ...difference, verdicts: [verdict(one), verdict(other)] }, apart }
}

const stepsBehind = (run: Run, n: number): Compared => ({
  run,
  begin: run.world(n),
  steps: Array.from({ length: run.last - n }, (_, i) => run.record(n + 1 + i)),
})

function beginnings(a: Side, b: Side): readonly [number, number] {
  const [x, y] = [a.run.header.from?.step, b.run.header.from?.step]
  if (a.trunk !== b.trunk || (x ?? y) === undefined) return [a.run.first, b.run.first]
  const n = Math.min(x ?? Infinity, y ?? Infinity)
  return [Math.max(n, a.run.first), Math.max(n, b.run.first)]
}

/** What two runs do not have in common, if the one cannot come of the other by another order of events. */
function whyApart(a: Compared, b: Compared): string | undefined {
  const changed = [a, b].flatMap(({ run: { header } }) => (header.from?.changed ?? []).map(what => `in ${header.from?.name}, ${what}`))
  if (changed.length > 0) return changed.join('; ')
  const profile = ({ run }: Compared): unknown => (run.header.system as { readonly profile?: unknown }).profile
  if (profile(a) !== profile(b)) return `one is of ${String(profile(a))}, the other of ${String(profile(b))}`
  const text = ({ run, begin }: Compared): string => JSON.stringify(run.header.system) + worldText(run.system, begin)
  return text(a) === text(b) ? undefined : 'they do not begin with the same threads, devices, programs and memory'
}
