/** `mirrorwalk diff`: two states, `LOG@STEP`, or two whole runs. */
import type { Judge, JudgedRun } from '../inspect/diff/guilty.ts'
import { byCondition, byOracles } from '../inspect/diff/judge.ts'
import { compareRuns, verdictOf, wordsAt, type RunsDifference } from '../inspect/diff/runs.ts'
import { conditionOf } from '../inspect/query/condition.ts'
import { stateDifferences, type StateDifference } from '../inspect/diff/states.ts'
import type { LinuxSystem, LinuxWorld } from '../inspect/linux.ts'
import { worldText, type StepRecord } from '../log/records.ts'
import type { SystemSpec } from '../scenario/standard.ts'
import { damageText } from './log-file.ts'
import { openRun, type OpenedRun } from './open.ts'
import { EXIT, plural, print, printJson, styled, UsageError, type ExitCode } from './output.ts'

export interface DiffFlags {
  readonly verdict?: string
  readonly json?: boolean
}

interface Side {
  readonly path: string
  readonly step: number | undefined
}

/** `logs/x.jsonl@30`, or a whole log. */
function sideOf(word: string): Side {
  const match = /^(.+)@(\d+|end)$/.exec(word)
  return match === null ? { path: word, step: undefined } : { path: match[1] ?? '', step: match[2] === 'end' ? Infinity : Number(match[2]) }
}

export function diffCommand(a: string, b: string, flags: DiffFlags): ExitCode {
  const [x, y] = [sideOf(a), sideOf(b)]
  return x.step === undefined && y.step === undefined ? diffRuns(x.path, y.path, flags) : diffStates([a, x], [b, y], flags)
}

/** Differences of one state that are printed. */
const SHOWN = 100

function diffStates([a, x]: readonly [string, Side], [b, y]: readonly [string, Side], { json }: DiffFlags): ExitCode {
  const [one, other] = [stateAt(x), stateAt(y)]
  const found = [...stateDifferences(one, other)]
  if (json === true)
    printJson({ a, b, same: found.length === 0, differences: found.map(({ path, a: p, b: q }) => ({ path, a: p ?? null, b: q ?? null })) })
  else if (found.length === 0) print(`${a} and ${b} are the same.`)
  else {
    print(`${styled('bold', plural(found.length, 'difference'))}, ${a} → ${b}:`)
    for (const difference of found.slice(0, SHOWN)) showDifference(difference)
    if (found.length > SHOWN) print(`  and ${found.length - SHOWN} more: see --json`)
  }
  return found.length === 0 ? EXIT.holds : EXIT.violated
}

function stateAt({ path, step }: Side): { readonly system: LinuxSystem; readonly world: LinuxWorld } {
  const { run } = openRun(path)
  const n = step === undefined || step === Infinity ? run.last : step
  if (n < run.first || n > run.last) throw new UsageError(`${path} has no step ${n}: it has ${run.first} to ${run.last}`)
  return { system: run.system, world: run.world(n) }
}

function showDifference({ path, a, b }: StateDifference): void {
  print(`  ${path}: ${short(a)} → ${short(b)}`)
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}

/** A run as it is compared: its steps from a place on. */
interface Compared extends OpenedRun {
  readonly steps: readonly StepRecord[]
  readonly begin: LinuxWorld
}

function stepsFrom(opened: OpenedRun, n: number): Compared {
  const { run } = opened
  return { ...opened, begin: run.world(n), steps: Array.from({ length: run.last - n }, (_, i) => run.record(n + 1 + i)) }
}

/** Runs of one log are compared from where the first of them leaves the others; all others from where they begin. */
function beginnings([a, b]: readonly [OpenedRun, OpenedRun]): readonly [number, number] {
  const [x, y] = [a.run.header.from?.step, b.run.header.from?.step]
  if (a.trunk !== b.trunk || (x ?? y) === undefined) return [a.run.first, b.run.first]
  const n = Math.min(x ?? Infinity, y ?? Infinity)
  return [Math.max(n, a.run.first), Math.max(n, b.run.first)]
}

/** Can the one come of the other by another order? Then they are of one system, begin alike, and are as they were recorded. */
function isAlike(a: Compared, b: Compared): boolean {
  const whole = ({ run, begin }: Compared): boolean => {
    const { from } = run.header
    return from === undefined || from.changed.length === 0 || run.world(from.step) === begin
  }
  const text = ({ run, begin }: Compared): string => JSON.stringify(run.header.system) + worldText(run.system, begin)
  return whole(a) && whole(b) && text(a) === text(b)
}

/** Runs that are longer together are not judged, unless it is said by what. */
const JUDGED = 20_000

function diffRuns(a: string, b: string, flags: DiffFlags): ExitCode {
  const opened = [openRun(a), openRun(b)] as const
  const [from, to] = beginnings(opened)
  const runs = [stepsFrom(opened[0], from), stepsFrom(opened[1], to)] as const
  const [one, other] = runs
  const alike = isAlike(one, other)
  const { verdict } = flags
  const judged = verdict === undefined ? JUDGED : Infinity
  const judge = (system: LinuxSystem): Judge => (verdict === undefined ? byOracles(system) : byCondition(conditionOf(system, verdict)))
  const compared = compareRuns(alike ? one.run.system : undefined, one, other, { judge: () => judge(one.run.system), judged })
  // Of two systems each is judged by itself.
  const apart = !alike && !compared.same && one.steps.length + other.steps.length <= judged
  const of = ({ run, ...rest }: Compared): JudgedRun => verdictOf(run.system, rest, judge(run.system))
  const difference = apart ? { ...compared, verdicts: [of(one), of(other)] as const } : compared
  const damaged = opened.some(({ damage }) => damage !== undefined)
  if (flags.json === true) {
    const damages = opened.map(({ damage }) => damage ?? null)
    printJson({ a, b, sameSystem: alike, ...difference, divergences: difference.divergences.map(asJson), damage: damages })
  } else show(difference, alike, runs)
  return !difference.same ? EXIT.violated : damaged ? EXIT.unknown : EXIT.holds
}

/** What two runs do not have in common before they begin. */
function whyApart(runs: readonly [Compared, Compared]): string {
  const changed = runs.flatMap(({ run, path }) => (run.header.from?.changed ?? []).map(what => `in ${path}, ${what}`))
  if (changed.length > 0) return changed.join('; ')
  const [x, y] = runs.map(({ run }) => (run.header.system as SystemSpec).profile)
  return x === y ? 'they are not of the same threads, devices and programs' : `one is of ${x}, the other of ${y}`
}

const asJson = ({ place: { by }, a, b }: RunsDifference['divergences'][number]): object => ({
  by,
  a: a === undefined ? null : { n: a.n, do: a.do, event: a.event.type },
  b: b === undefined ? null : { n: b.n, do: b.do, event: b.event.type },
})

function show(difference: RunsDifference, alike: boolean, runs: readonly [Compared, Compared]): void {
  const { same, common, moved, verdicts, divergences, pair } = difference
  for (const { path, damage } of runs) if (damage !== undefined) print(`${styled('yellow', '?')} ${damageText(path, damage)}`)
  if (same) {
    const how =
      moved === 0
        ? 'step by step'
        : `${plural(moved, 'step')} ${moved === 1 ? 'stands' : 'stand'} elsewhere, but only among steps that are independent of ${moved === 1 ? 'it' : 'them'}`
    print(`${styled('green', '✔')} The runs are the same: ${plural(common, 'step')}; ${how}.`)
    return
  }
  print(
    `${styled('bold', 'The runs differ.')} ${plural(common, 'step')} of ${runs.map(l => l.steps.length.toLocaleString('en')).join(' and ')} are common.`,
  )
  if (!alike) print(`No order of events need be the cause: ${whyApart(runs)}.`)
  if (verdicts !== null) for (const [i, { text }] of verdicts.entries()) print(`  ${'AB'[i]}: ${text}`)
  for (const {
    place: { by },
    a,
    b,
  } of divergences.slice(0, 5)) {
    print(
      `  ${by} does the same up to ${styled('bold', `step ${a?.n ?? '–'} of A, ${b?.n ?? '–'} of B`)}: ${words(runs[0], a)} / ${words(runs[1], b)}`,
    )
  }
  if (pair === null) return
  const { first, second, on, flips } = pair
  const what =
    flips === true
      ? 'The order that flips the verdict'
      : flips === false
        ? 'The first order that differs (turned round alone, it does not flip the verdict)'
        : 'The first order that differs'
  print(`\n${styled('bold', `${what}:`)} both are about ${on.startsWith('actor ') ? on.slice('actor '.length) : on}`)
  const at = (i: 0 | 1, n: number | null): string => words(runs[i], n === null ? undefined : runs[i].run.record(n))
  print(`  A: ${first.a ?? '–'} ${first.by} ${at(0, first.a)}, then ${second.a ?? '–'} ${second.by} ${at(0, second.a)}`)
  print(`  B: ${second.b ?? '–'} ${second.by} ${at(1, second.b)}, then ${first.b ?? '–'} ${first.by} ${at(1, first.b)}`)
}

function words(of: Compared, record: StepRecord | undefined): string {
  if (record === undefined) return 'nothing more'
  return wordsAt(of.run.system, of, record.n)?.text ?? record.do
}
