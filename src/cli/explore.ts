/** `mirrorwalk explore` and `simulate`: every order of events of a scenario, or many at random; what was found, and what was covered. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Plan } from '../explore/choice.ts'
import { exploring, type Exploration, type ExploreOptions, type Found } from '../explore/explore.ts'
import type { Simulation } from '../explore/simulate.ts'
import type { Progress } from '../explore/strategy.ts'
import { choicesOf, tokenOf } from '../explore/token.ts'
import { timelineOf } from '../inspect/steps.ts'
import { timeline } from '../inspect/timeline.ts'
import { LogWriter } from '../log/writer.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { Built, Scenario } from '../scenario/api.ts'
import { modelOf, retrace, type LinuxModel } from '../scenario/explored.ts'
import type { Choice } from '../system/step.ts'
import { MODEL_VERSION } from '../version.ts'
import { colourful, columns, EXIT, plural, print, printJson, styled, UsageError, Work, type ExitCode } from './output.ts'
import { buildOf, worst } from './run.ts'
import { loadScenario } from './scenario-file.ts'

export interface ExploreFlags extends Plan {
  readonly profile?: string
  readonly variant?: string
  readonly maxStates?: number
  readonly maxDepth?: number
  readonly timeout?: number
  readonly log?: string | boolean
  readonly token?: string
  readonly count?: boolean
  readonly json?: boolean
}

/** One exploration: of a profile and a variant. */
export interface Explored {
  readonly scenario: string
  readonly profile: string
  readonly exploration: Exploration
  readonly seconds: number
  readonly witness: Witness | undefined
}

/** What is shown of the orders of events that were found: the first that breaks something, else the first that was asked for. */
interface Witness {
  readonly found: Found
  readonly token: string
  readonly log: string | null
  readonly lines: readonly string[]
}

export interface SimulateFlags extends ExploreFlags, Simulation {}

export const simulateCommand = (file: string, { scheduler, seed, runs, ...flags }: SimulateFlags): Promise<ExitCode> =>
  exploreCommand(file, {
    ...flags,
    simulate: {
      ...(scheduler === undefined ? {} : { scheduler }),
      ...(seed === undefined ? {} : { seed }),
      ...(runs === undefined ? {} : { runs }),
    },
  })

export async function exploreCommand(file: string, flags: ExploreFlags): Promise<ExitCode> {
  const scenario = await loadScenario(file)
  const all: Explored[] = []
  for (const profile of flags.profile === undefined ? scenario.profiles : [flags.profile]) {
    for (const variant of flags.variant === undefined ? scenario.variants : [flags.variant]) {
      if (flags.token !== undefined) {
        replayToken(file, scenario, profile, variant, flags.token, flags)
        return EXIT.holds
      }
      const explored = await exploreOne(file, scenario, profile, variant, flags)
      all.push(explored)
      if (flags.json !== true) show(explored, verb => commandFor(verb, file, profile, variant), flags)
    }
  }
  if (flags.json === true) printJson({ scenario: scenario.title, explorations: all.map(asJson) })
  return worst(all.map(e => e.exploration.verdict))
}

export async function exploreOne(
  file: string,
  scenario: Scenario,
  profile: string,
  variant: string,
  flags: ExploreFlags,
): Promise<Explored> {
  const built = buildOf(file, scenario, profile, variant)
  if (JSON.stringify(buildOf(file, scenario, profile, variant)) !== JSON.stringify(built))
    throw new UsageError(`${file}: built twice, it is not the same scenario twice. A scenario may look at no clock and at no chance.`)
  const model = exploredModel(built, flags)
  const work = new Work()
  const began = performance.now()
  const seconds = (): number => (performance.now() - began) / 1e3
  const going = exploring(model, optionsOf(flags))
  let next = going.next()
  while (next.done !== true) {
    const progress = next.value
    await work.breathe(() => `${built.title}: ${progressLine(progress, seconds())}`)
    const late = flags.timeout !== undefined && seconds() >= flags.timeout
    next = going.next(work.stopped ? 'interrupted' : late ? 'timeout' : undefined)
  }
  work.end()
  const exploration = next.value
  const found =
    exploration.found.find(f => f.verdict === 'violated' && f.trail !== undefined) ?? exploration.found.find(f => f.trail !== undefined)
  const witness =
    found?.trail === undefined
      ? undefined
      : witnessOf(model, built.title, built.system, found, found.trail, logPath(file, profile, variant, flags))
  return { scenario: built.title, profile, exploration, seconds: seconds(), witness }
}

/** Circles can be told only where nothing is left out; without one being asked for, the others do not claim to. */
function exploredModel(built: Built, { reduction = 'none', simulate }: ExploreFlags): LinuxModel {
  const model = modelOf(built)
  return reduction === 'none' && simulate === undefined
    ? model
    : { ...model, properties: model.properties.filter(property => property.kind !== 'livelock') }
}

const optionsOf = ({ strategy, reduction, simulate, maxStates, maxDepth, count }: ExploreFlags): ExploreOptions => ({
  ...(strategy === undefined ? {} : { strategy }),
  ...(reduction === undefined ? {} : { reduction }),
  ...(simulate === undefined ? {} : { simulate }),
  ...(maxStates === undefined ? {} : { maxStates }),
  ...(maxDepth === undefined ? {} : { maxDepth }),
  ...(count === undefined ? {} : { count }),
})

const rate = (n: number, seconds: number): string => `${Math.round(n / Math.max(seconds, 1e-3)).toLocaleString('en')}/s`

const progressLine = ({ states, transitions, frontier, depth }: Progress, seconds: number): string =>
  `${plural(states, 'state')}, ${plural(transitions, 'transition')} (${rate(transitions, seconds)}), ${frontier.toLocaleString('en')} to look at, depth ${depth}`

function witnessOf(model: LinuxModel, title: string, spec: unknown, found: Found, trail: readonly Choice[], path: string | null): Witness {
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

function logPath(file: string, profile: string, variant: string, { log }: ExploreFlags): string | null {
  if (log === false) return null
  if (typeof log === 'string') return log
  return join('logs', `${basename(file).replace(/\.[cm]?[jt]s$/, '')}-${profile}${variant === '' ? '' : `-${variant}`}-explored.jsonl`)
}

/** An order of events that was found before, once more. */
function replayToken(file: string, scenario: Scenario, profile: string, variant: string, token: string, flags: ExploreFlags): void {
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

/** The command that explores this profile and variant. */
export const commandFor = (verb: 'explore' | 'simulate', file: string, profile: string, variant: string): string =>
  `npx mirrorwalk ${verb} ${file} --profile ${profile}${variant === '' ? '' : ` --variant ${variant}`}`

const flagsText = ({ strategy, reduction, maxStates, maxDepth, simulate }: ExploreFlags): string =>
  Object.entries({ strategy, reduction, 'max-states': maxStates, 'max-depth': maxDepth, ...simulate })
    .flatMap(([flag, value]) => (value === undefined ? [] : [` --${flag} ${value}`]))
    .join('')

export function show(
  { scenario, profile, exploration, seconds, witness }: Explored,
  command: (verb: 'explore' | 'simulate') => string,
  flags: ExploreFlags,
): void {
  print(`${styled('bold', scenario)}  ${styled('dim', `kernel profile ${profile}`)}`)
  for (const found of exploration.found) print(`  ${foundLine(found)}`)
  print()
  if (witness !== undefined) {
    print(`${styled('bold', witness.found.property)}: ${plural(witness.found.trail?.length ?? 0, 'step')}`)
    for (const line of witness.lines) print(line)
    if (witness.log !== null) print(`\nLog: ${witness.log}`)
    print(styled('dim', `this order again: ${command('explore')} --token ${witness.token}\n`))
  }
  for (const line of coverage(exploration, seconds)) print(line)
  print(styled('dim', `again: ${command(flags.simulate === undefined ? 'explore' : 'simulate')}${flagsText(flags)}\n`))
}

function foundLine({ property, kind, verdict, why, trail }: Found): string {
  const mark = verdict === 'holds' ? styled('green', '✔') : verdict === 'violated' ? styled('red', '✘') : styled('yellow', '?')
  const where = trail === undefined ? '' : ` after ${plural(trail.length, 'step')}`
  const word = kind === 'sometimes' && verdict === 'holds' ? ' it can be,' : ''
  const more = why === undefined ? '' : `: ${why}`
  return `${mark} ${property}${where === '' && more === '' ? '' : styled('dim', ` —${word}${where}${more}`.replace('—:', '—'))}`
}

const MANY = 10_000

/** What was covered, and what was not. */
function coverage({ searched, cut, complete, counted }: Exploration, seconds: number): readonly string[] {
  const { states, transitions, frontier, runs, blocked, bytes } = searched
  const counts = `${plural(states, 'state')}, ${plural(transitions, 'transition')} in ${seconds.toFixed(2)} s (${rate(transitions, seconds)})`
  const ran =
    runs === undefined ? '' : `, ${plural(runs, 'run')}${blocked === undefined ? '' : `, ${blocked.toLocaleString('en')} given up`}`
  // Of a few states, what there is from the beginning would be most.
  const size = bytes === undefined || states < MANY ? '' : `; ${(bytes / states).toFixed(0)} bytes a state`
  const end = complete
    ? 'Everything that can happen was looked at.'
    : cut === undefined
      ? 'All was decided before everything was looked at.'
      : cut === 'sampled'
        ? 'Drawn at random: what was not found may be there all the same.'
        : `Cut short (${cut}): ${plural(frontier, 'state')} known and not looked at, and whatever comes after them.`
  const stands =
    counted === undefined
      ? []
      : [
          `They stand for ${counted.interleavings === undefined ? 'infinitely many interleavings' : `${counted.interleavings.toLocaleString('en')} interleavings`}${counted.classes === undefined ? '' : `, of which ${counted.classes.toLocaleString('en')} differ in more than the order of steps that have nothing to do with each other`}.`,
        ]
  return [`${counts}${ran}${size}. ${end}`, ...stands]
}

export const asJson = ({ scenario, profile, exploration, witness }: Explored): object => {
  const { strategy, verdict, found, complete, cut, searched, counted } = exploration
  const { rows: _, ...numbers } = searched
  return {
    title: scenario,
    profile,
    strategy,
    verdict,
    found: found.map(({ trail, ...rest }) => ({ ...rest, ...(trail === undefined ? {} : { steps: trail.length }) })),
    complete,
    ...(cut === undefined ? {} : { cut }),
    searched: numbers,
    ...(counted === undefined
      ? {}
      : { interleavings: counted.interleavings?.toString() ?? 'infinite', classes: counted.classes?.toString() ?? null }),
    ...(witness === undefined ? {} : { witness: { property: witness.found.property, token: witness.token, log: witness.log } }),
  }
}
