/** `mirrorwalk export`: logs in the formats of other tools. */
import { tokenOf } from '../explore/token.ts'
import { chromeTrace } from '../inspect/exports/chrome.ts'
import { dotOfMachines, dotOfRun } from '../inspect/exports/dot.ts'
import { itfTrace } from '../inspect/exports/itf.ts'
import { mermaid } from '../inspect/exports/mermaid.ts'
import { scenarioText, type Recorded } from '../inspect/exports/scenario.ts'
import { shiviz } from '../inspect/exports/shiviz.ts'
import { statelyEvents } from '../inspect/exports/stately.ts'
import { storyOf, type Story } from '../inspect/exports/story.ts'
import { findingsOf, uvuTest } from '../inspect/exports/uvu.ts'
import { Recording } from '../inspect/recording.ts'
import type { LinuxWorld } from '../inspect/linux.ts'
import { choiceOf, type StepRecord } from '../log/records.ts'
import { CHOOSERS } from '../scenario/redo.ts'
import type { Choice } from '../system/step.ts'
import { damageText, systemOf } from './log-file.ts'
import { openLogFile } from './open.ts'
import { EXIT, harmless, plural, print, UsageError, type ExitCode } from './output.ts'
import { fromFile } from './target.ts'

/** Of steps, with their calls and the worlds around them. */
const OF_STORIES: Readonly<Record<string, (story: Story) => string>> = {
  mermaid: story => mermaid(story),
  chrome: story => JSON.stringify(chromeTrace(story)),
  itf: story => JSON.stringify(itfTrace(story)),
  dot: dotOfRun,
  shiviz,
  stately: story => `${[...statelyEvents(story)].map(event => JSON.stringify(event)).join('\n')}\n`,
  uvu: uvuTest,
}
const MACHINES = 'dot-machines'
const SCENARIO = 'scenario'

export const FORMAT_NAMES: readonly string[] = [...Object.keys(OF_STORIES), MACHINES, SCENARIO]

/** What a run can be made again from begins where the run does. */
const FROM_BEGINNING: ReadonlySet<string> = new Set(['itf', 'uvu', SCENARIO])
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
  const { text, steps } = exported(path, run, flags)
  const whole = text.endsWith('\n') ? text : `${text}\n`
  if (output === undefined) process.stdout.write(process.stdout.isTTY ? harmless(whole) : whole)
  else {
    await fromFile(path, output, sink => sink(Buffer.from(whole)))
    print(`${steps === undefined ? '' : `${plural(steps, 'step')} of `}${path} as ${as}: ${output}`)
  }
  if (log.damage !== undefined) process.stderr.write(`${damageText(path, log.damage)}\n`)
  return log.damage === undefined ? EXIT.holds : EXIT.unknown
}

/** The text, and of how many steps it is. */
function exported(path: string, run: Recording, flags: ExportFlags): { readonly text: string; readonly steps?: number } {
  const { as, output } = flags
  if (as === MACHINES) return { text: dotOfMachines(run.system) }
  const { from, to } = rangeOf(path, run, flags)
  const steps = to - from + 1
  if (as === SCENARIO) return { text: scenarioText(run.header, output, recorded(run, to, flags)), steps }
  if (steps > MOST) throw tooMany(path, steps, as)
  const story = storyOf(run.header, run.system, recordsOf(run, from, to), to === run.last ? run.ended : undefined, run.world(from - 1))
  return { text: OF_STORIES[as]?.(story) ?? '', steps }
}

const tooMany = (path: string, steps: number, as: string): UsageError =>
  new UsageError(
    `${path}: ${plural(steps, 'step')} are more than ${as} can have, which is ${plural(MOST, 'step')}. ${FROM_BEGINNING.has(as) ? 'Say where to end by --to' : `Say which by --from and --to; npx mirrorwalk log ${path} QUERY finds them`}`,
  )

/** Ends that a run comes to by itself. */
const ENDS: ReadonlySet<string | undefined> = new Set(['at rest', 'blocked', 'livelock'])

/**
 * What a scenario needs to know of the run that it is made of: what was found, and its order, as a token, if the plan does
 * not give it again: nobody wrote it down, or it was not gone to its end. Of a run too long for that, the seed does.
 */
function recorded(run: Recording, to: number, { to: asked }: ExportFlags): Recorded {
  const { header, system, first, last } = run
  const told = header.chooser === CHOOSERS.written && Array.isArray(header.plan) && ENDS.has(run.ended) && to === last
  if (!told && to - first > MOST) {
    if (header.chooser === CHOOSERS.random && asked === undefined) return {}
    throw tooMany(run.header.title, to - first, SCENARIO)
  }
  const choices: Choice[] = []
  const steps = function* (): Generator<{ readonly n: number; readonly world: LinuxWorld }> {
    for (let n = first + 1; n <= to; n++) {
      if (!told) choices.push(choiceOf(run.record(n)))
      yield { n, world: run.world(n) }
    }
  }
  const found = findingsOf({ system, steps: steps() })
  const names = system.actors.map(a => a.name)
  return { found, ...(told ? {} : { order: tokenOf(names, choices), ends: to < last || !ENDS.has(run.ended) }) }
}

/** The steps that are asked for, first and last. */
function rangeOf(
  path: string,
  { first, last }: Recording,
  { as, from = first + 1, to = last }: ExportFlags,
): { readonly from: number; readonly to: number } {
  if (from <= first || to > last || from > to + 1)
    throw new UsageError(`${path} has no steps ${from} to ${to}: there are ${first + 1} to ${last}`)
  if (from > first + 1 && FROM_BEGINNING.has(as))
    throw new UsageError(
      `${as} makes a run again, which can only be done from its beginning: leave --from out, or export as another format`,
    )
  return { from, to }
}

function* recordsOf(run: Recording, from: number, to: number): Generator<StepRecord> {
  for (let n = from; n <= to; n++) yield run.record(n)
}
