/** `mirrorwalk log`: the steps of a log as a timeline, all or some of them. */
import { describe, touches, type Described } from '../inspect/describe.ts'
import { timelineOf } from '../inspect/steps.ts'
import { timeline, type TimelineStep } from '../inspect/timeline.ts'
import { isEnd, isStep } from '../log/reader.ts'
import { choiceOf, type StepRecord } from '../log/records.ts'
import { revived } from '../log/values.ts'
import type { Fact } from '../memory/facts.ts'
import type { LinuxEntry } from '../scenario/run.ts'
import { Live } from '../system/live.ts'
import type { Exchange } from '../system/step.ts'
import { damageText, openLog, type OpenedLog } from './log-file.ts'
import { colourful, columns, EXIT, plural, print, printJson, styled, type ExitCode } from './output.ts'

export interface LogFlags {
  readonly actor?: readonly string[]
  readonly type?: readonly string[]
  readonly page?: number
  readonly from?: number
  readonly to?: number
  readonly json?: boolean
}

/** A logged step, with what deciding it again adds: the calls between actors, and who had to wait. */
interface LoggedStep {
  readonly record: StepRecord
  readonly facts: readonly Fact[]
  readonly calls: readonly Exchange[]
  readonly line: TimelineStep
}

export function logCommand(path: string, flags: LogFlags): ExitCode {
  const opened = openLog(path)
  const { log } = opened
  const steps = loggedSteps(opened)
  const shown = steps.filter(step => matches(step, flags))
  if (flags.json === true) for (const { record, calls } of shown) printJson({ ...record, calls })
  else {
    const end = log.records.find(isEnd)
    print(
      `${styled('bold', log.header.title)}  ${styled('dim', `model ${log.header.model}, ${log.header.chooser}${log.header.seed === null ? '' : ` (seed ${log.header.seed})`}`)}\n`,
    )
    for (const line of timeline(
      shown.map(step => step.line),
      { width: columns(), colour: colourful() },
    ))
      print(line)
    print(shown.length === 0 ? 'no step matches' : '')
    print(
      `${plural(shown.length, 'step')} of ${steps.length.toLocaleString('en')}${end === undefined ? '' : `; the run ended ${end.why === 'at rest' ? 'with everybody at rest' : end.why}`}.`,
    )
    if (log.damage !== undefined) print(`${styled('yellow', '?')} ${damageText(path, log.damage)}`)
  }
  return log.damage === undefined ? EXIT.holds : EXIT.unknown
}

/** The calls of a step are not in the log: they come of deciding it again, as far as this model still does the same. */
function loggedSteps({ log, system }: OpenedLog): readonly LoggedStep[] {
  const live = new Live(system)
  const records = log.records.filter(isStep)
  const entries: LinuxEntry[] = []
  for (const record of records) {
    const outcome = live.choose(choiceOf(record))
    if (outcome.kind !== 'stepped' || outcome.do !== record.do) break
    entries.push(outcome)
  }
  const lines = timelineOf(system, entries)
  return records.map((record, i) => {
    const facts = record.facts.map(revived) as Fact[]
    const calls = entries[i]?.calls ?? []
    const alone: Described = { do: record.do, event: revived(record.event) as Described['event'], calls, facts }
    return { record, facts, calls, line: lines[i] ?? { n: record.n, by: record.by, ...describe(alone) } }
  })
}

/** All filters that are given have to match; of several values of one, any. */
function matches({ record, calls, facts }: LoggedStep, { actor, type, page, from, to }: LogFlags): boolean {
  const callsOn = (p: number): boolean =>
    calls.some(({ event }) => {
      const { start, end } = event as { readonly start?: number; readonly end?: number }
      return start !== undefined && end !== undefined && start <= p && p < end
    })
  return (
    (from === undefined || record.n >= from) &&
    (to === undefined || record.n <= to) &&
    (actor === undefined || actor.some(a => record.by === a || calls.some(c => c.to === a) || a in record.set)) &&
    (type === undefined || type.some(t => record.do === t || record.event.type === t || calls.some(c => c.event.type === t))) &&
    (page === undefined || facts.some(fact => touches(fact, page)) || callsOn(page) || record.event['at'] === page)
  )
}
