/**
 * Two runs of logs, which may be branches of one run, or of branches: they are compared from where the first of them leaves
 * what they have in common. Without that, from where each begins.
 */
import { FORMAT, worldText, type Origin, type StepRecord } from '../../log/records.ts'
import { decidedAgain, retold } from '../../log/retold.ts'
import type { LinuxSystem, LinuxWorld } from '../linux.ts'
import { takenAt } from '../moment.ts'
import type { Run } from '../recording.ts'
import type { Judge, JudgedRun } from './guilty.ts'
import { compareRuns, type RunsDifference } from './runs.ts'

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

/** Runs that are compared are in memory whole, at some 1 KB a step. */
export const MOST_COMPARED = 100_000
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
  return { sides, difference: { ...difference, verdicts: [judgedAlone(one, judge), judgedAlone(other, judge)] }, apart }
}

/** By what was recorded: of two systems no step is decided again, nor where something was changed by hand on the way. */
function judgedAlone({ run, steps }: Compared, judgeOf: (system: LinuxSystem) => Judge): JudgedRun {
  const judge = judgeOf(run.system)
  for (const { n } of steps) judge.see(takenAt(run, n))
  return judge.verdict()
}

const stepsBehind = (run: Run, n: number): Compared => ({
  run,
  begin: run.world(n),
  steps: Array.from({ length: run.last - n }, (_, i) => toldNow(run, n + 1 + i)),
})

/** A step as this format tells it: earlier ones say the same in other words. */
function toldNow(run: Run, n: number): StepRecord {
  const record = run.record(n)
  if (run.formatOf(n) === FORMAT) return record
  const made = decidedAgain(run.system, run.world(n - 1), record)
  return made === undefined ? record : retold(run.system, made, record)
}

/** Where both leave what they have in common. Up to there they are one run; behind it they may still do the same for a while. */
export function beginnings(a: Side, b: Side): readonly [number, number] {
  const apart = [...apartOf(a.run, b.run), ...apartOf(b.run, a.run)]
  // One branch in two logs is one as it begins.
  const leaving = apart.length === 0 ? a.run.origins.slice(-1) : apart
  if (a.trunk !== b.trunk || leaving.length === 0) return [a.run.first, b.run.first]
  const n = Math.min(...leaving.map(({ step }) => step))
  return [Math.max(n, a.run.first), Math.max(n, b.run.first)]
}

/** The branches along which a run goes, and another does not. */
function apartOf(run: Run, other: Run): readonly Origin[] {
  const common = run.origins.findIndex((origin, i) => !isSameBranch(origin, other.origins[i]))
  return common < 0 ? [] : run.origins.slice(common)
}

const isSameBranch = (a: Origin, b: Origin | undefined): boolean =>
  b !== undefined && a.name === b.name && a.of === b.of && a.step === b.step && a.changed.join('\n') === b.changed.join('\n')

/** What two runs do not have in common, if the one cannot come of the other by another order of events. */
function whyApart(a: Compared, b: Compared): string | undefined {
  const origins = [...apartOf(a.run, b.run), ...apartOf(b.run, a.run)]
  const changed = origins.flatMap(({ name, changed: all }) => all.map(what => `in ${name}, ${what}`))
  if (changed.length > 0) return changed.join('; ')
  const profile = ({ run }: Compared): unknown => (run.header.system as { readonly profile?: unknown }).profile
  if (profile(a) !== profile(b)) return `one is of ${String(profile(a))}, the other of ${String(profile(b))}`
  const text = ({ run, begin }: Compared): string => JSON.stringify(run.header.system) + worldText(run.system, begin)
  return text(a) === text(b) ? undefined : 'they do not begin with the same threads, devices, programs and memory'
}
