/** `mirrorwalk export`: logs in the formats of other tools. */
import { tokenOf } from '../explore/token.ts'
import { chromeTrace } from '../inspect/exports/chrome.ts'
import { dotOfMachines, dotOfRun } from '../inspect/exports/dot.ts'
import { itfTrace } from '../inspect/exports/itf.ts'
import { mermaid } from '../inspect/exports/mermaid.ts'
import { scenarioText, type Ordered } from '../inspect/exports/scenario.ts'
import { shiviz } from '../inspect/exports/shiviz.ts'
import { statelyEvents } from '../inspect/exports/stately.ts'
import { storyOf, type Story } from '../inspect/exports/story.ts'
import { findingsOf, uvuTest } from '../inspect/exports/uvu.ts'
import { Recording } from '../inspect/recording.ts'
import { choiceOf, type Header, type StepRecord } from '../log/records.ts'
import { CHOOSERS } from '../scenario/redo.ts'
import { damageText, systemOf } from './log-file.ts'
import { openLogFile } from './open.ts'
import { EXIT, harmless, plural, print, UsageError, type ExitCode } from './output.ts'
import { fromFile } from './target.ts'

const FORMATS: Readonly<Record<string, (story: Story, output: string | undefined) => string>> = {
  mermaid: story => mermaid(story),
  chrome: story => JSON.stringify(chromeTrace(story)),
  itf: story => JSON.stringify(itfTrace(story)),
  dot: dotOfRun,
  'dot-machines': ({ system }) => dotOfMachines(system),
  shiviz,
  stately: story => `${[...statelyEvents(story)].map(event => JSON.stringify(event)).join('\n')}\n`,
  uvu: uvuTest,
  scenario: (story, output) => scenarioText(story.header, output, orderedBy(story)),
}

/** An order that nobody wrote down, and no seed gives again, goes along as a token. */
const isOrderTold = ({ chooser }: Header): boolean => chooser === CHOOSERS.explored || chooser === CHOOSERS.token

function orderedBy({ header, system, steps }: Story): Ordered | undefined {
  if (!isOrderTold(header)) return undefined
  const names = system.actors.map(a => a.name)
  const choices = steps.map(({ record }) => choiceOf(record))
  return { order: tokenOf(names, choices), found: findingsOf({ system, steps }) }
}

export const FORMAT_NAMES: readonly string[] = Object.keys(FORMATS)

/** What a run can be made again from begins where the run does. */
const FROM_BEGINNING: ReadonlySet<string> = new Set(['itf', 'uvu', 'scenario'])
/** An export has all of its steps in memory, with the worlds around them. */
const MOST = 10_000

export interface ExportFlags {
  readonly as: string
  readonly output?: string
  readonly from?: number
  readonly to?: number
}

/** To a file, or to standard output; a log that is cut off is exported as far as it goes. */
export async function exportCommand(path: string, flags: ExportFlags): Promise<ExitCode> {
  const { as, output } = flags
  const log = openLogFile(path)
  const run = new Recording(systemOf(log.header, path), log)
  const { from, to } = rangeOf(path, run, flags)
  const story = storyOf(run.header, run.system, recordsOf(run, from, to), to === run.last ? run.ended : undefined, run.world(from - 1))
  const text = FORMATS[as]?.(story, output) ?? ''
  const whole = text.endsWith('\n') ? text : `${text}\n`
  if (output === undefined) process.stdout.write(process.stdout.isTTY ? harmless(whole) : whole)
  else {
    await fromFile(path, output, sink => sink(Buffer.from(whole)))
    print(`${plural(story.steps.length, 'step')} of ${path} as ${as}: ${output}`)
  }
  if (log.damage !== undefined) process.stderr.write(`${damageText(path, log.damage)}\n`)
  return log.damage === undefined ? EXIT.holds : EXIT.unknown
}

/** The steps that are asked for, first and last; none where an export has none. */
function rangeOf(
  path: string,
  { header, first, last }: Recording,
  { as, from = first + 1, to = last }: ExportFlags,
): { readonly from: number; readonly to: number } {
  if (as === 'dot-machines' || (as === 'scenario' && !isOrderTold(header))) return { from: first + 1, to: first }
  if (from <= first || to > last || from > to + 1)
    throw new UsageError(`${path} has no steps ${from} to ${to}: there are ${first + 1} to ${last}`)
  if (from > first + 1 && FROM_BEGINNING.has(as))
    throw new UsageError(
      `${as} makes a run again, which can only be done from its beginning: leave --from out, or export as another format`,
    )
  if (to - from >= MOST)
    throw new UsageError(
      `${path}: ${plural(to - from + 1, 'step')} are more than an export can have, which is ${plural(MOST, 'step')}. Say which by --from and --to; npx mirrorwalk log ${path} QUERY finds them`,
    )
  return { from, to }
}

function* recordsOf(run: Recording, from: number, to: number): Generator<StepRecord> {
  for (let n = from; n <= to; n++) yield run.record(n)
}
