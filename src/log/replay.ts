/**
 * Back from a log, two ways that must agree: `decideAgain` takes the recorded choices, steps, and compares every record
 * made with the record read; `foldLog` applies what the records say, and asks no rule.
 */
import { Live, type Entry } from '../system/live.ts'
import { toTheEnd } from '../system/to-the-end.ts'
import type { System, World } from '../system/world.ts'
import { senseless } from './damaged.ts'
import { isCheckpoint, isEnd, isStep, type LogRecord } from './reader.ts'
import { beginning, choiceOf, digestOf, foldStep, type Header, type StepRecord } from './records.ts'
import { recordOf } from './told.ts'
import { isEqual } from './values.ts'

/** The first place where a log and what came of it differ. */
export interface LogDifference {
  /** The step; of a checkpoint or the end, the last before it. */
  readonly step: number
  /** Into the record: `facts.2.5`, `set.cpu0.1.agenda`, `digest`. */
  readonly path: string
  readonly logged: unknown
  readonly got: unknown
  readonly likely: string
}

export interface Replayed<M> {
  /** Steps that agree. */
  readonly steps: number
  readonly world: World<M>
  /** How the run ended, as the log has it; undefined if the log is cut off. */
  readonly end: string | undefined
  readonly difference: LogDifference | undefined
}

/** A log to go through: one that was read, or one that is being read. */
export interface Records {
  readonly header: Header
  readonly format: number
  readonly records: Iterable<LogRecord>
}

/** Yields how far it is, in steps, and is told whether to stop there. */
export type Replaying<M> = Generator<number, Replayed<M>, boolean>

/** Decides every step again, from the recorded choices. */
export const decideAgain = <M, F>(system: System<M, F>, log: Records, model: string): Replayed<M> => toTheEnd(deciding(system, log, model))
/** Folds the records alone. */
export const foldLog = <M, F>(system: System<M, F>, log: Records): Replayed<M> => toTheEnd(folding(system, log))

/** `decideAgain`, bit by bit. */
export function deciding<M, F>(system: System<M, F>, log: Records, model: string): Replaying<M> {
  const live = new Live(system, beginning(system, log.header), log.header.from?.step)
  const likely = likelyCause(log.header, model)
  return follow(
    system,
    log,
    likely,
    () => live.world,
    record => {
      if (!isStep(record)) return undefined
      const outcome = chosen(live, record)
      if (outcome.kind !== 'stepped') {
        const got = outcome.kind === 'blocked' ? `${outcome.do} is refused by ${outcome.on.to}` : 'nothing to do'
        return { step: record.n, path: 'do', logged: `${record.by}: ${record.do}`, got, likely }
      }
      const difference = stepDifference(system, outcome, record, log.format)
      return difference === undefined ? undefined : { step: record.n, ...difference, likely }
    },
  )
}

/** The step that a record is of, taken again. Throws `DamagedLog` for one that nobody can take. */
function chosen<M, F>(live: Live<M, F>, record: StepRecord): ReturnType<Live<M, F>['choose']> {
  try {
    return live.choose(choiceOf(record))
  } catch (error) {
    throw senseless(`step ${record.n}`, error)
  }
}

/** `foldLog`, bit by bit. */
export function folding<M, F>(system: System<M, F>, log: Records): Replaying<M> {
  let world = beginning(system, log.header)
  const likely = 'the log was put together by hand, or a fact is folded otherwise than when it was written'
  return follow(
    system,
    log,
    likely,
    () => world,
    record => {
      if (isStep(record)) world = foldStep(system, world, record)
      return undefined
    },
  )
}

/** Steps between two reports. */
const STRIDE = 256

function* follow<M, F>(
  system: System<M, F>,
  log: Records,
  likely: string,
  world: () => World<M>,
  apply: (record: LogRecord) => LogDifference | undefined,
): Replaying<M> {
  let steps = log.header.from?.step ?? 0
  for (const record of log.records) {
    const difference = apply(record) ?? digestDifference(system, world(), record, steps, likely)
    if (difference !== undefined) return { steps, world: world(), end: undefined, difference }
    if (isEnd(record)) return { steps, world: world(), end: record.why, difference: undefined }
    if (!isStep(record)) continue
    steps = record.n
    if (steps % STRIDE === 0 && (yield steps)) break
  }
  return { steps, world: world(), end: undefined, difference: undefined }
}

function digestDifference<M, F>(
  system: System<M, F>,
  world: World<M>,
  record: LogRecord,
  step: number,
  likely: string,
): LogDifference | undefined {
  if (!isCheckpoint(record) && !isEnd(record)) return undefined
  const got = digestOf(system, world)
  return got === record.digest ? undefined : { step, path: 'digest', logged: record.digest, got, likely }
}

function likelyCause(header: Header, model: string): string {
  return header.model === model
    ? 'a rule or a machine was changed since the log was written, or something in it is not deterministic'
    : `the log was written by version ${header.model} of the model, and this is ${model}`
}

/** Where a step that was taken is not the one that was recorded, in a log of a format. */
export function stepDifference<M, F>(system: System<M, F>, made: Entry<M, F>, logged: StepRecord, format: number): Difference | undefined {
  const got = recordOf(system, made)
  const [text, expected] = [JSON.stringify(got), JSON.stringify(logged)]
  if (text === expected || (format < 3 && isSame(system, made, logged))) return undefined
  return firstDifference(JSON.parse(expected), JSON.parse(text))
}

/** Older formats say the same in other words: what comes of it is compared. */
function isSame<M, F>(system: System<M, F>, made: Entry<M, F>, logged: StepRecord): boolean {
  const told = ({ n, by, do: what, offer, budget, cause, event: { type }, facts }: StepRecord): string =>
    JSON.stringify([n, by, what, offer, budget, cause, type, facts])
  const { before, world } = made
  const { actors } = foldStep(system, before, { ...logged, facts: [] })
  return (
    told(logged) === told(recordOf(system, made)) &&
    actors.every((is, i) => (is === before.actors[i] && is === world.actors[i]) || JSON.stringify(is) === JSON.stringify(world.actors[i]))
  )
}

type Difference = Pick<LogDifference, 'path' | 'logged' | 'got'>

function firstDifference(logged: unknown, got: unknown, path = ''): Difference | undefined {
  if (isEqual(logged, got)) return undefined
  if (isRecord(logged) && isRecord(got)) {
    for (const key of new Set([...Object.keys(logged), ...Object.keys(got)])) {
      const difference = firstDifference(logged[key], got[key], path === '' ? key : `${path}.${key}`)
      if (difference !== undefined) return difference
    }
  }
  return { path, logged, got }
}

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null
