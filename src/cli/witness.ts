/** An order of events that exploring has found, as a person can use it: a timeline, a log, and a token. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Found } from '../explore/explore.ts'
import { lookingAhead, type Outlook } from '../explore/outlook.ts'
import { tokenOf } from '../explore/token.ts'
import { timelineOf } from '../inspect/steps.ts'
import { timeline } from '../inspect/timeline.ts'
import { wrapped } from '../inspect/wrap.ts'
import { LogWriter } from '../log/writer.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { Built } from '../scenario/api.ts'
import { retrace, type LinuxModel } from '../scenario/explored.ts'
import type { LinuxEntry } from '../scenario/run.ts'
import type { LinuxSystem } from '../scenario/standard.ts'
import type { Choice } from '../system/step.ts'
import { MODEL_VERSION } from '../version.ts'
import type { ExploreFlags } from './explore-flags.ts'
import { outlookJson, outlookLines, withChances } from './outlook.ts'
import { colourful, columns, plural, UsageError, type Work } from './output.ts'

/** What is shown of the orders of events that were found: the first that breaks something, else the first that was asked for. */
export interface Witness {
  /** What it decides; undefined: nothing, and it was asked for itself. */
  readonly found: Found | undefined
  readonly steps: number
  readonly token: string
  readonly log: string | null
  /** What lay ahead of each step, of what it decides. */
  readonly outlook: Outlook | undefined
  readonly lines: readonly string[]
}

/** `work`: may be stopped; what is known then of what lay ahead is kept. */
export async function witnessOf(
  built: Built,
  model: LinuxModel,
  found: Found | undefined,
  trail: readonly Choice[],
  path: string | null,
  work: Work,
): Promise<Witness> {
  const { system } = model
  const steps = timelineOf(system, logged(built, system, trail, path))
  const outlook = found === undefined ? undefined : await lookedAhead(model, found, trail, work)
  const shown = steps.map((step, i) => (i === steps.length - 1 && found?.why !== undefined ? { ...step, alarm: found.why } : step))
  return {
    found,
    steps: trail.length,
    token: tokenOf(
      system.actors.map(a => a.name),
      trail,
    ),
    log: path,
    outlook,
    lines: [
      ...timeline(outlook === undefined ? shown : withChances(shown, outlook), { width: columns(), colour: colourful() }),
      '',
      ...(outlook === undefined ? [] : outlookLines(outlook, steps)).flatMap(line => wrapped(line, columns(), 0)),
    ],
  }
}

async function lookedAhead(model: LinuxModel, { property: name }: Found, trail: readonly Choice[], work: Work): Promise<Outlook> {
  const property = model.properties.find(p => p.name === name)
  if (property === undefined) throw new Error(`no property '${name}'`)
  const looking = lookingAhead(model, property, trail)
  let next = looking.next()
  while (next.done !== true) {
    const states = next.value
    await work.breathe(() => `what lay ahead: ${plural(states, 'state')}`)
    next = looking.next(work.stopped)
  }
  return next.value
}

/** Goes a trail again, and writes its log. */
function logged(built: Built, system: LinuxSystem, trail: readonly Choice[], path: string | null): readonly LinuxEntry[] {
  const lines: string[] = []
  const header = { model: MODEL_VERSION, system: built.system, chooser: 'explored', seed: null, title: built.title, plan: built.plan }
  const writers: LogWriter<Memory, Fact>[] = []
  const entries = retrace(system, trail, live => {
    if (path === null) return
    const sink = (bytes: Buffer): void => void lines.push(bytes.toString('utf8'))
    writers.push(new LogWriter(system, live.world, header, sink).follow(live.entries$))
  })
  for (const writer of writers) writer.end('limit')
  if (path !== null) writeLog(path, lines.join(''))
  return entries
}

function writeLog(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  } catch (error) {
    throw new UsageError(`${path}: the log cannot be written there: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export function logPath(file: string, profile: string, variant: string, { log }: ExploreFlags): string | null {
  if (log === false) return null
  if (typeof log === 'string') return log
  return join('logs', `${basename(file).replace(/\.[cm]?[jt]s$/, '')}-${profile}${variant === '' ? '' : `-${variant}`}-explored.jsonl`)
}

export const witnessJson = ({ found, steps, token, log, outlook }: Witness): object => ({
  property: found?.property ?? null,
  steps,
  token,
  log,
  ...(outlook === undefined ? {} : { outlook: outlookJson(outlook) }),
})
