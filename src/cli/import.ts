/** `mirrorwalk import`: an ITF trace as a log. The run is made again from its choices, and each state held to the trace. */
import { existsSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { BadItf, itfRun, itfState, type ItfRun } from '../inspect/exports/itf.ts'
import { beginning, firstOf } from '../log/records.ts'
import { LogWriter } from '../log/writer.ts'
import type { LinuxSystem, LinuxWorld } from '../inspect/linux.ts'
import { Live } from '../system/live.ts'
import { step } from '../system/step.ts'
import { checkFile, systemOf } from './log-file.ts'
import { EXIT, plural, print, printJson, styled, UsageError, type ExitCode } from './output.ts'
import { fromFile } from './target.ts'

export interface ImportFlags {
  readonly output?: string
  readonly json?: boolean
}

/** Runs an ITF trace again, holds each state to what it says, and writes the log. */
export async function importCommand(path: string, { output, json }: ImportFlags): Promise<ExitCode> {
  const text = readTrace(path)
  const target = output ?? `${path.replace(/(\.itf)?\.json$/, '')}.jsonl`
  if (output === undefined && existsSync(target))
    throw new UsageError(
      `${target} is there already, and may be the log that the trace was made from. Say what to write: npx mirrorwalk import ${path} --output FILE`,
    )
  const lines: Buffer[] = []
  const { steps, ended } = made(path, text, bytes => void lines.push(Buffer.from(bytes)))
  await fromFile(path, target, sink => lines.forEach(sink))
  if (json === true) printJson({ itf: path, steps, ended, written: target })
  else {
    print(`${styled('green', '✔')} ${plural(steps, 'step')} taken again, and every state is as the trace has it. Written: ${target}`)
    if (ended === 'interrupted') print('  The run would go on behind its last state: the log says that it was interrupted there.')
  }
  return EXIT.holds
}

function readTrace(path: string): string {
  checkFile(path, 'Expected an ITF trace, as export --as itf writes it.')
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${path}: cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The run of a trace, written as a log; how it ended. */
function made(path: string, text: string, sink: (bytes: Buffer) => void): { readonly steps: number; readonly ended: string } {
  try {
    const run = itfRun(text)
    const { header, steps, first, end } = run
    const system = systemOf(header, path)
    const live = new Live(system, beginning(system, header), firstOf(header))
    const { mirrorwalk: _, ...rest } = header
    const writer = new LogWriter(system, live.world, rest, sink).follow(live.entries$)
    hold(system, live.world, first, 0, 'the beginning')
    for (const [i, { choice, action, state }] of steps.entries()) {
      const [by, offer, budget] = choice
      const outcome = system.index.has(by) ? live.choose({ by, offer, budget: budget ?? Infinity }) : undefined
      if (outcome?.kind !== 'stepped' || outcome.do !== action) throw new BadItf(`state ${i + 1}: ${by} cannot do ${action} there`)
      hold(system, live.world, state, i + 1, action)
    }
    const ended = endOf(system, live.world, end)
    if (ended === 'cut off') writer.flush()
    else writer.end(ended)
    return { steps: steps.length, ended }
  } catch (error) {
    if (error instanceof BadItf) throw new UsageError(`${path}: ${error.message}`)
    throw error
  }
}

function hold(system: LinuxSystem, world: LinuxWorld, told: ItfRun['first'], n: number, what: string): void {
  const state: unknown = JSON.parse(JSON.stringify(itfState(system, world)))
  const { actors, memory } = state as ItfRun['first']
  const wrong = !isDeepStrictEqual(actors, told.actors) ? 'actors are' : !isDeepStrictEqual(memory, told.memory) ? 'memory is' : undefined
  if (wrong !== undefined) throw new BadItf(`state ${n}: ${wrong} not what ${what} makes of it`)
}

/** A trace may have lost its last states: what it says of its end is believed if it can be so. */
function endOf(system: LinuxSystem, world: LinuxWorld, end: ItfRun['end']): ItfRun['end'] {
  const goesOn = system.actors.some(({ name: by }) => step(system, world, { by, offer: 0, budget: Infinity }).kind === 'stepped')
  return goesOn && (end === 'at rest' || end === 'blocked') ? 'interrupted' : end
}
