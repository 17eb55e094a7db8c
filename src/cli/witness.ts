/** An order of events that exploring has found, as a person can use it: a timeline, a log, and a token. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Found } from '../explore/explore.ts'
import { choicesOf, tokenOf } from '../explore/token.ts'
import { timelineOf } from '../inspect/steps.ts'
import { timeline } from '../inspect/timeline.ts'
import { LogWriter } from '../log/writer.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { Scenario } from '../scenario/api.ts'
import { modelOf, retrace, type LinuxModel } from '../scenario/explored.ts'
import type { Choice } from '../system/step.ts'
import { MODEL_VERSION } from '../version.ts'
import type { ExploreFlags } from './explore-flags.ts'
import { colourful, columns, plural, print, styled, UsageError } from './output.ts'
import { buildOf } from './run.ts'

/** What is shown of the orders of events that were found: the first that breaks something, else the first that was asked for. */
export interface Witness {
  readonly found: Found
  readonly token: string
  readonly log: string | null
  readonly lines: readonly string[]
}

export function witnessOf(
  model: LinuxModel,
  title: string,
  spec: unknown,
  found: Found,
  trail: readonly Choice[],
  path: string | null,
): Witness {
  const lines: string[] = []
  const { system } = model
  const header = { model: MODEL_VERSION, system: spec, chooser: 'explored', seed: null, title }
  const writers: LogWriter<Memory, Fact>[] = []
  const entries = retrace(system, trail, live => {
    if (path === null) return
    const sink = (bytes: Buffer): void => void lines.push(bytes.toString('utf8'))
    writers.push(new LogWriter(system, live.world, header, sink).follow(live.entries$))
  })
  for (const writer of writers) writer.end('limit')
  if (path !== null) writeLog(path, lines.join(''))
  const steps = timelineOf(system, entries)
  const shown = steps.map((step, i) => (i === steps.length - 1 && found.why !== undefined ? { ...step, alarm: found.why } : step))
  return {
    found,
    token: tokenOf(
      system.actors.map(a => a.name),
      trail,
    ),
    log: path,
    lines: timeline(shown, { width: columns(), colour: colourful() }),
  }
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

/** An order of events that was found before, once more. */
export function replayToken(file: string, scenario: Scenario, profile: string, variant: string, token: string, flags: ExploreFlags): void {
  const built = buildOf(file, scenario, profile, variant)
  const model = modelOf(built)
  const trail = choicesOf(
    model.system.actors.map(a => a.name),
    token,
  )
  const path = logPath(file, profile, variant, flags)
  const { lines } = witnessOf(model, built.title, built.system, { property: '', kind: 'always', verdict: 'holds' }, trail, path)
  print(`${styled('bold', built.title)}  ${styled('dim', `kernel profile ${profile}`)}\n`)
  for (const line of lines) print(line)
  print(`\n${plural(trail.length, 'step')}.${path === null ? '' : ` Log: ${path}`}`)
}
