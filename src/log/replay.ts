/**
 * Back from a log, two ways that must agree: `decideAgain` takes the recorded choices, steps, and compares every record
 * made with the record read; `foldLog` applies what the records say, and asks no rule.
 */
import { Live } from '../system/live.ts'
import type { System, World } from '../system/world.ts'
import { isCheckpoint, isEnd, isStep, type LogRecord, type ReadLog } from './reader.ts'
import { beginning, choiceOf, digestOf, foldStep, stepText, type Header } from './records.ts'

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

/** Is told of each step, for progress; answers false to stop. */
export type Watch = (step: number) => boolean

/** Decides every step again, from the recorded choices. */
export function decideAgain<M, F>(system: System<M, F>, log: ReadLog, model: string, watch: Watch = () => true): Replayed<M> {
  const live = new Live(system, beginning(system, log.header), log.header.from?.step)
  const likely = likelyCause(log.header, model)
  return follow(
    system,
    log,
    likely,
    watch,
    () => live.world,
    (record, text) => {
      if (!isStep(record)) return undefined
      const outcome = live.choose(choiceOf(record))
      if (outcome.kind !== 'stepped') {
        const got = outcome.kind === 'blocked' ? `${outcome.do} is refused by ${outcome.on.to}` : 'nothing to do'
        return { step: record.n, path: 'do', logged: `${record.by}: ${record.do}`, got, likely }
      }
      const made = stepText(system, outcome)
      return made === text ? undefined : { step: record.n, ...firstDifference(JSON.parse(text), JSON.parse(made)), likely }
    },
  )
}

/** Folds the records alone. */
export function foldLog<M, F>(system: System<M, F>, log: ReadLog, watch: Watch = () => true): Replayed<M> {
  let world = beginning(system, log.header)
  const likely = 'the log was put together by hand, or a fact is folded otherwise than when it was written'
  return follow(
    system,
    log,
    likely,
    watch,
    () => world,
    record => {
      if (isStep(record)) world = foldStep(system, world, record)
      return undefined
    },
  )
}

function follow<M, F>(
  system: System<M, F>,
  log: ReadLog,
  likely: string,
  watch: Watch,
  world: () => World<M>,
  apply: (record: LogRecord, text: string) => LogDifference | undefined,
): Replayed<M> {
  let steps = log.header.from?.step ?? 0
  for (const [i, record] of log.records.entries()) {
    const difference = apply(record, log.texts[i] ?? '') ?? digestDifference(system, world(), record, steps, likely)
    if (difference !== undefined) return { steps, world: world(), end: undefined, difference }
    if (isEnd(record)) return { steps, world: world(), end: record.why, difference: undefined }
    if (isStep(record)) steps = record.n
    if (!watch(steps)) break
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

function firstDifference(
  logged: unknown,
  got: unknown,
  path = '',
): { readonly path: string; readonly logged: unknown; readonly got: unknown } {
  if (isRecord(logged) && isRecord(got)) {
    for (const key of new Set([...Object.keys(logged), ...Object.keys(got)])) {
      if (JSON.stringify(logged[key]) !== JSON.stringify(got[key]))
        return firstDifference(logged[key], got[key], path === '' ? key : `${path}.${key}`)
    }
  }
  return { path, logged, got }
}

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null
