/** `mirrorwalk diff`: two states, `LOG@STEP`, or two whole runs. */
import { closeSync } from 'node:fs'
import { byCondition, byOracles } from '../inspect/diff/judge.ts'
import { compareRuns, wordsAt, type RunsDifference } from '../inspect/diff/runs.ts'
import { conditionOf } from '../inspect/query/condition.ts'
import { stateDifferences, type StateDifference } from '../inspect/diff/states.ts'
import type { LinuxSystem, LinuxWorld } from '../inspect/linux.ts'
import { isCheckpoint, isStep, scanLog, type Damage } from '../log/reader.ts'
import { foldStep, worldOf, type CheckpointRecord, type Header, type StepRecord } from '../log/records.ts'
import { initialWorld } from '../system/world.ts'
import { damageText, opened, systemOf } from './log-file.ts'
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

interface Loaded {
  readonly header: Header
  readonly system: LinuxSystem
  readonly steps: readonly StepRecord[]
  /** The last checkpoint that is not behind the step. */
  readonly checkpoint: CheckpointRecord | undefined
  readonly damage: Damage | undefined
}

/** The steps up to one; `since`: only those behind the last checkpoint before it. */
function load(path: string, until: number, since: boolean): Loaded {
  const fd = opened(path)
  try {
    const scan = scanLog(fd, path)
    let steps: StepRecord[] = []
    let checkpoint: CheckpointRecord | undefined
    for (let next = scan.next(); next !== undefined; next = scan.next()) {
      const { record } = next
      if (isStep(record) && record.n > until) break
      if (isStep(record)) steps.push(record)
      else if (since && isCheckpoint(record)) {
        checkpoint = record
        steps = []
      }
    }
    return { header: scan.header, system: systemOf(scan.header, path), steps, checkpoint, damage: scan.damage }
  } finally {
    closeSync(fd)
  }
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

function stateAt({ path, step = Infinity }: Side): { readonly system: LinuxSystem; readonly world: LinuxWorld } {
  const { system, steps, checkpoint } = load(path, step, true)
  const last = steps.at(-1)?.n ?? checkpoint?.checkpoint ?? 0
  if (step !== Infinity && last < step) throw new UsageError(`${path} has no step ${step}: it has ${plural(last, 'step')}`)
  let world = checkpoint === undefined ? initialWorld(system) : worldOf(system, checkpoint.world)
  for (const record of steps) world = foldStep(system, world, record)
  return { system, world }
}

function showDifference({ path, a, b }: StateDifference): void {
  print(`  ${path}: ${short(a)} → ${short(b)}`)
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}

function diffRuns(a: string, b: string, flags: DiffFlags): ExitCode {
  const [one, other] = [load(a, Infinity, false), load(b, Infinity, false)]
  const alike = JSON.stringify(one.header.system) === JSON.stringify(other.header.system)
  const { verdict } = flags
  const condition = verdict === undefined ? undefined : conditionOf(one.system, verdict)
  const judge = condition === undefined ? () => byOracles(one.system) : () => byCondition(condition)
  const difference = compareRuns(alike ? one.system : undefined, one, other, {
    judge,
    ...(condition === undefined ? {} : { judged: Infinity }),
  })
  const damaged = [one, other].some(l => l.damage !== undefined)
  if (flags.json === true) {
    const damages = [one, other].map(l => l.damage ?? null)
    printJson({ a, b, sameSystem: alike, ...difference, divergences: difference.divergences.map(asJson), damage: damages })
  } else show(difference, alike, [a, b], [one, other])
  return !difference.same ? EXIT.violated : damaged ? EXIT.unknown : EXIT.holds
}

const asJson = ({ place: { by }, a, b }: RunsDifference['divergences'][number]): object => ({
  by,
  a: a === undefined ? null : { n: a.n, do: a.do, event: a.event.type },
  b: b === undefined ? null : { n: b.n, do: b.do, event: b.event.type },
})

function show(difference: RunsDifference, alike: boolean, names: readonly [string, string], logs: readonly [Loaded, Loaded]): void {
  const { same, common, moved, verdicts, divergences, pair } = difference
  for (const [i, { damage }] of logs.entries())
    if (damage !== undefined) print(`${styled('yellow', '?')} ${damageText(names[i] ?? '', damage)}`)
  if (same) {
    const how =
      moved === 0
        ? 'step by step'
        : `${plural(moved, 'step')} ${moved === 1 ? 'stands' : 'stand'} elsewhere, but only among steps that are independent of ${moved === 1 ? 'it' : 'them'}`
    print(`${styled('green', '✔')} The runs are the same: ${plural(common, 'step')}; ${how}.`)
    return
  }
  print(
    `${styled('bold', 'The runs differ.')} ${plural(common, 'step')} of ${logs.map(l => l.steps.length.toLocaleString('en')).join(' and ')} are common.`,
  )
  if (!alike) print('They are of two systems: no order of events need be the cause.')
  if (verdicts !== null) for (const [i, { text }] of verdicts.entries()) print(`  ${'AB'[i]}: ${text}`)
  for (const {
    place: { by },
    a,
    b,
  } of divergences.slice(0, 5)) {
    print(
      `  ${by} does the same up to ${styled('bold', `step ${a?.n ?? '–'} of A, ${b?.n ?? '–'} of B`)}: ${words(logs[0], a)} / ${words(logs[1], b)}`,
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
  const at = (i: 0 | 1, n: number | null): string => words(logs[i], n === null ? undefined : logs[i].steps[n - 1])
  print(`  A: ${first.a ?? '–'} ${first.by} ${at(0, first.a)}, then ${second.a ?? '–'} ${second.by} ${at(0, second.a)}`)
  print(`  B: ${second.b ?? '–'} ${second.by} ${at(1, second.b)}, then ${first.b ?? '–'} ${first.by} ${at(1, first.b)}`)
}

function words({ system, steps }: Loaded, record: StepRecord | undefined): string {
  if (record === undefined) return 'nothing more'
  return wordsAt(system, { steps }, record.n)?.text ?? record.do
}
