/** `mirrorwalk explore SCENARIO --sweep NAME=VALUES`: the scenario with each of some values, kernels and variants, as a table. */
import type { Scenario } from '../../scenario/api.ts'
import { commandFor } from './exploration.ts'
import type { ExploreFlags } from './explore-flags.ts'
import { plural, print, printJson, styled, table, UsageError, Work, type ExitCode } from '../output.ts'
import { pairOf, parametersOf, valueOf } from './parameters.ts'
import { buildOf, worst } from '../run.ts'
import { searchedOne, shownOf } from './searched-one.ts'

/** One thing that is swept, and the words for what it becomes. */
interface Axis {
  readonly name: string
  readonly words: readonly string[]
}
/** A word for each axis. */
type Point = ReadonlyMap<string, string>

const PROFILE = 'profile'
const VARIANT = 'variant'

export async function sweepCommand(file: string, scenario: Scenario, flags: ExploreFlags): Promise<ExitCode> {
  for (const flag of ['token', 'checkpoint', 'resume'] as const)
    if (flags[flag] !== undefined) throw new UsageError(`--${flag} is of one exploration, and --sweep makes several`)
  const axes = (flags.sweep ?? []).map(word => axisOf(word, scenario))
  const twice = axes.find(({ name }, i) => axes.findIndex(other => other.name === name) < i)
  if (twice !== undefined) throw new UsageError(`--sweep ${twice.name}: named twice`)
  const points = axes.reduce<readonly Point[]>(
    (all, { name, words }) => all.flatMap(point => words.map(word => new Map([...point, [name, word]]))),
    [new Map()],
  )
  const asked = points.map(point => askedFor(scenario, point, flags))
  // A mistake in one of them is told before anything is explored.
  for (const { profile, variant, made } of asked) buildOf(file, scenario, profile, variant, parametersOf(scenario, made))
  const work = new Work()
  const rows: Row[] = []
  for (const one of asked) {
    if (work.stopped) break
    rows.push(await rowOf(file, scenario, one, flags, work))
  }
  work.end()
  if (flags.json === true)
    printJson({ scenario: scenario.title, sweep: rows.map(row => asJson(scenario, row)), left: points.length - rows.length })
  else show(file, scenario, axes, rows, points.length)
  return worst([...rows.map(row => row.verdict), ...(rows.length < points.length ? (['unknown'] as const) : [])])
}

/** `devices=1..3`, `pages=1,2`, `profile=v5.2,v6.12`; of kernels and variants also the name alone: all that the scenario has. */
function axisOf(word: string, { profiles, variants }: Scenario): Axis {
  if (word === PROFILE || word === 'kernel') return { name: PROFILE, words: profiles }
  if (word === VARIANT) return { name: VARIANT, words: variants }
  const [named, text] = pairOf(word)
  const name = named === 'kernel' ? PROFILE : named
  return { name, words: name === PROFILE ? kernelsIn(text) : text.split(',').flatMap(rangeOf) }
}

/** A kernel may have commas in its name: what begins with a sign belongs to the one before. */
const kernelsIn = (text: string): readonly string[] => text.split(/,(?![+-])/)

function rangeOf(word: string): readonly string[] {
  const [, first, last] = /^(-?\d+)\.\.(-?\d+)$/.exec(word) ?? []
  if (first === undefined || last === undefined) return [word]
  const [from, to] = [Number(first), Number(last)]
  if (to < from) throw new UsageError(`'${word}': expected a range that ends where it begins or later`)
  return Array.from({ length: to - from + 1 }, (_, i) => String(from + i))
}

/** What came of one point. */
interface Row {
  readonly point: Point
  readonly verdict: 'holds' | 'violated' | 'unknown'
  readonly complete: boolean
  readonly states: number
  readonly transitions: number
  readonly seconds: number
  /** The order of events that shows it, by the shortest way where the search is breadth first. */
  readonly shown: { readonly property: string; readonly steps: number } | undefined
  /** What explores it by itself. */
  readonly command: string
}

/** A point, and what it asks for. */
interface Asked {
  readonly point: Point
  readonly profile: string
  readonly variant: string
  readonly made: readonly string[]
}

function askedFor(scenario: Scenario, point: Point, flags: ExploreFlags): Asked {
  const profile = point.get(PROFILE) ?? flags.profile ?? scenario.profiles[0] ?? ''
  const variant = point.get(VARIANT) ?? flags.variant ?? scenario.variants[0] ?? ''
  const swept = [...point].filter(([name]) => name !== PROFILE && name !== VARIANT).map(([name, word]) => `${name}=${word}`)
  return { point, profile, variant, made: [...(flags.with ?? []), ...swept] }
}

async function rowOf(
  file: string,
  scenario: Scenario,
  { point, profile, variant, made }: Asked,
  flags: ExploreFlags,
  work: Work,
): Promise<Row> {
  const { exploration, seconds } = await searchedOne(file, scenario, profile, variant, { ...flags, with: made }, work)
  const { verdict, complete, searched } = exploration
  const found = shownOf(exploration)
  return {
    point,
    verdict,
    complete,
    states: searched.states,
    transitions: searched.transitions,
    seconds,
    shown: found === undefined ? undefined : { property: found.property, steps: found.trail?.length ?? 0 },
    command: commandFor('explore', file, profile, variant, made),
  }
}

const asJson = (scenario: Scenario, { point, shown, ...row }: Row): object => ({
  ...Object.fromEntries([...point].map(([name, word]) => [name, valueOf(scenario, name, word)])),
  ...row,
  witness: shown ?? null,
})

function show(file: string, scenario: Scenario, axes: readonly Axis[], rows: readonly Row[], points: number): void {
  print(`${styled('bold', scenario.title)}  ${styled('dim', file)}`, '')
  const head = [...axes.map(({ name }) => name), 'verdict', 'states', 'transitions', 's', 'steps', 'shows']
  const cells = rows.map(row => [
    ...axes.map(({ name }) => row.point.get(name) ?? ''),
    row.verdict,
    row.states.toLocaleString('en'),
    row.transitions.toLocaleString('en'),
    row.seconds.toFixed(2),
    row.shown === undefined ? '–' : String(row.shown.steps),
    row.shown?.property ?? '',
  ])
  for (const line of table([head, ...cells])) print(line)
  const left = points - rows.length
  if (left > 0) print('', `${plural(left, 'combination')} of ${points} not explored.`)
  const first = rows.find(({ verdict }) => verdict !== 'holds') ?? rows[0]
  if (first !== undefined) print('', styled('dim', `one of them: ${first.command}`), '')
}
