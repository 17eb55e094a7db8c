/** An order of events that exploring has found, as a person can use it: a timeline, a log, and a token. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { explore, type Found } from '../../explore/explore.ts'
import { lookingAhead, type Outlook } from '../../explore/answers/outlook.ts'
import { simplifying } from '../../explore/answers/simplest.ts'
import { tokenOf } from '../../explore/token.ts'
import { timelineOf } from '../../inspect/steps.ts'
import { timeline } from '../../inspect/timeline.ts'
import { wrapped } from '../../inspect/wrap.ts'
import { LogWriter } from '../../log/writer.ts'
import type { Fact } from '../../memory/facts.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Built } from '../../scenario/api.ts'
import { retrace, type LinuxModel } from '../../scenario/explored.ts'
import { CHOOSERS } from '../../scenario/redo.ts'
import type { LinuxEntry } from '../../scenario/run.ts'
import { linuxSystem, type LinuxSystem } from '../../scenario/standard.ts'
import type { Choice } from '../../system/step.ts'
import { MODEL_VERSION } from '../../version.ts'
import { replacing } from '../kept-log.ts'
import { outlookJson, outlookLines, withChances } from './outlook.ts'
import { columns, plural, styled, UsageError, type Work } from '../output.ts'

/** What is shown of the orders of events that were found: the first that breaks something, else the first that was asked for. */
export interface Witness {
  /** What it decides; undefined: nothing, and it was asked for itself. */
  readonly found: Found | undefined
  readonly steps: number
  /** Are there none with fewer steps, or as many and fewer changes of actor? */
  readonly fewest: boolean
  readonly token: string
  readonly log: string | null
  /** Where the log is now that was there before, if it had notes or branches and is another. */
  readonly kept: string | undefined
  /** What lay ahead of each step, of what it decides. */
  readonly outlook: Outlook | undefined
  readonly lines: readonly string[]
}

/** What was found, or an order that is to be shown whatever it decides. */
export interface Wanted {
  readonly found: Found | undefined
  readonly trail: readonly Choice[]
  /** Is the simplest order that comes to the same to be shown instead? */
  readonly simplify: boolean
}

/** `work`: may be stopped; what is known then is shown. */
export async function witnessOf(built: Built, model: LinuxModel, wanted: Wanted, path: string | null, work: Work): Promise<Witness> {
  // As the scenario was written: what exploring keeps besides is none of the log's business.
  const system = linuxSystem(built.system)
  const { found, trail, fewest } = await simplified(model, wanted, work)
  const { entries, kept } = logged(built, system, trail, path)
  const steps = timelineOf(system, entries)
  const property = propertyOf(model, found)
  const outlook = property === undefined ? undefined : await finished(lookingAhead(model, property, trail), work, 'what lay ahead')
  const last = found?.trail?.length ?? 0
  const shown = steps.map(step => (step.n === last && found?.why !== undefined ? { ...step, alarm: found.why } : step))
  return {
    found,
    steps: trail.length,
    fewest,
    token: tokenFor(system, trail),
    log: path,
    kept,
    outlook,
    lines: [
      ...timeline(outlook === undefined ? shown : withChances(shown, outlook), { width: columns(), styled }),
      '',
      ...(outlook === undefined ? [] : outlookLines(outlook, steps)).flatMap(line => wrapped(line, columns(), 0)),
    ],
  }
}

const tokenFor = ({ actors }: LinuxSystem, trail: readonly Choice[]): string =>
  tokenOf(
    actors.map(a => a.name),
    trail,
  )

const propertyOf = ({ properties }: LinuxModel, found: Found | undefined): LinuxModel['properties'][number] | undefined =>
  properties.find(p => p.name === found?.property)

/** A simpler order decides the same property, maybe of other pages or frames: it is told in its own words. */
async function simplified(
  model: LinuxModel,
  { found, trail, simplify }: Wanted,
  work: Work,
): Promise<Pick<Witness, 'found' | 'fewest'> & { readonly trail: readonly Choice[] }> {
  const property = simplify ? propertyOf(model, found) : undefined
  if (property === undefined) return { found, trail, fewest: false }
  const simple = await finished(simplifying(model, property, trail), work, 'a simpler order')
  const again = explore({ ...model, properties: [property] }, { trail: simple.trail }).found[0]
  return { ...simple, found: again?.trail === undefined ? found : again }
}

/** Does something to its end, which tells how many states it has seen. */
async function finished<T>(going: Generator<number, T, boolean>, work: Work, what: string): Promise<T> {
  let next = going.next()
  while (next.done !== true) {
    const states = next.value
    await work.breathe(() => `${what}: ${plural(states, 'state')}`)
    next = going.next(work.stopped)
  }
  return next.value
}

/** Goes a trail again, and writes its log; `kept`: as of a `Witness`. */
function logged(
  built: Built,
  system: LinuxSystem,
  trail: readonly Choice[],
  path: string | null,
): { readonly entries: readonly LinuxEntry[]; readonly kept: string | undefined } {
  const lines: string[] = []
  const header = {
    model: MODEL_VERSION,
    system: built.system,
    chooser: CHOOSERS.explored,
    seed: null,
    title: built.title,
    plan: built.plan,
    token: tokenFor(system, trail),
  }
  const writers: LogWriter<Memory, Fact>[] = []
  const entries = retrace(system, trail, live => {
    if (path === null) return
    const sink = (bytes: Buffer): void => void lines.push(bytes.toString('utf8'))
    writers.push(new LogWriter(system, live.world, header, sink).follow(live.entries$))
  })
  for (const writer of writers) writer.end('limit')
  return { entries, kept: path === null ? undefined : writeLog(path, lines.join('')) }
}

function writeLog(path: string, text: string): string | undefined {
  try {
    mkdirSync(dirname(path), { recursive: true })
    const log = replacing(path)
    writeFileSync(log.path, text)
    return log.done()
  } catch (error) {
    throw new UsageError(`${path}: the log cannot be written there: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export const witnessJson = ({ found, steps, fewest, token, log, outlook }: Witness): object => ({
  property: found?.property ?? null,
  steps,
  fewest,
  token,
  log,
  ...(outlook === undefined ? {} : { outlook: outlookJson(outlook) }),
})
