/** `mirrorwalk diff`: two states, `LOG@STEP`, or two whole runs. */
import { byCondition, byOracles } from '../inspect/diff/judge.ts'
import { compareRelated, MOST_COMPARED } from '../inspect/diff/related.ts'
import type { RunsDifference } from '../inspect/diff/runs.ts'
import { stateDifferences, type StateDifference } from '../inspect/diff/states.ts'
import type { LinuxSystem, LinuxWorld } from '../inspect/linux.ts'
import type { Damage } from '../log/reader.ts'
import { conditionOf } from '../inspect/query/condition.ts'
import { differenceLines } from './difference.ts'
import { damageText } from './log-file.ts'
import { openRun } from './open.ts'
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

function diffRuns(a: string, b: string, { verdict, json }: DiffFlags): ExitCode {
  const opened = [openRun(a), openRun(b)] as const
  for (const { path, run } of opened)
    if (run.last - run.first > MOST_COMPARED)
      throw new UsageError(
        `${path} has ${plural(run.last - run.first, 'step')}, more than two runs can have that are compared: ${plural(MOST_COMPARED, 'step')}. Compare their states (npx mirrorwalk diff ${a}@N ${b}@N), or find where each of them turns (npx mirrorwalk bisect ${path} CONDITION)`,
      )
  const damages = opened.map(({ damage }) => damage ?? null)
  const related =
    verdict === undefined
      ? compareRelated(...opened, byOracles)
      : compareRelated(...opened, system => byCondition(conditionOf(system, verdict)), Infinity)
  const { difference, apart } = related
  const soFar = sameAsFarAs(difference, damages)
  if (json === true)
    printJson({
      a,
      b,
      sameSystem: apart === undefined,
      sameAsFarAs: soFar ?? null,
      ...difference,
      divergences: difference.divergences.map(asJson),
      damage: damages,
    })
  else {
    for (const { path, damage } of opened) if (damage !== undefined) print(`${styled('yellow', '?')} ${damageText(path, damage)}`)
    if (soFar === undefined) for (const line of differenceLines(related, ['A', 'B'])) print(line)
    else print(`The runs are the same as far as ${soFar} goes: ${plural(difference.common, 'step')}.`)
  }
  if (soFar !== undefined) return EXIT.unknown
  return !difference.same ? EXIT.violated : damages.some(damage => damage !== null) ? EXIT.unknown : EXIT.holds
}

/** Which run ends where the other goes on, and no more, for its log was cut off there. */
function sameAsFarAs({ same, divergences, reversed }: RunsDifference, damages: readonly (Damage | null)[]): 'A' | 'B' | undefined {
  const ends = (of: 'a' | 'b', damage: Damage | null | undefined): boolean =>
    damage?.cut === true && !same && reversed === 0 && divergences.every(divergence => divergence[of] === undefined)
  return ends('a', damages[0]) ? 'A' : ends('b', damages[1]) ? 'B' : undefined
}

const asJson = ({ place: { by }, a, b }: RunsDifference['divergences'][number]): object => ({
  by,
  a: a === undefined ? null : { n: a.n, do: a.do, event: a.event.type },
  b: b === undefined ? null : { n: b.n, do: b.do, event: b.event.type },
})
