/** What an exploration prints: how far it is, its verdicts, its witness, and what was covered; or all of it as JSON. */
import type { Exploration, Found } from '../../explore/explore.ts'
import type { Progress } from '../../explore/strategy.ts'
import { coverageLines } from './coverage.ts'
import type { ExploreFlags } from './explore-flags.ts'
import { keptText } from '../kept-log.ts'
import { plural, print, styled } from '../output.ts'
import { witnessJson, type Witness } from './witness.ts'

/** One exploration: of a profile and a variant. */
export interface Explored {
  readonly scenario: string
  readonly profile: string
  readonly exploration: Exploration
  readonly seconds: number
  readonly witness: Witness | undefined
}

/** Whether what remains grows says more than how much it is: a search is near its end when it falls. `before`: what remained a while ago. */
export function progressLine(progress: Progress, seconds: number, before = progress.frontier): string {
  const { states, transitions, frontier, depth, doing } = progress
  const trend = frontier > before ? ', growing' : frontier < before ? ', falling' : ''
  return `${plural(states, 'state')}, ${rate(transitions, seconds)}, ${doing ?? `${frontier.toLocaleString('en')} to look at${trend}`}, depth ${depth}`
}

const rate = (n: number, seconds: number): string => `${Math.round(n / Math.max(seconds, 1e-3)).toLocaleString('en')}/s`

/** The command that explores this profile and variant. */
export const commandFor = (
  verb: 'explore' | 'simulate',
  file: string,
  profile: string,
  variant: string,
  given: readonly string[] = [],
): string =>
  `npx mirrorwalk ${verb} ${file} --profile ${profile}${variant === '' ? '' : ` --variant ${variant}`}${given.map(pair => ` --with ${pair}`).join('')}`

const flagsText = ({ strategy, reduction, maxStates, maxDepth, memory, simulate }: ExploreFlags): string =>
  Object.entries({ strategy, reduction, 'max-states': maxStates, 'max-depth': maxDepth, memory, ...simulate })
    .flatMap(([flag, value]) => (value === undefined ? [] : [` --${flag} ${value}`]))
    .join('')

const strategyOf = ({ strategy }: ExploreFlags): ExploreFlags => (strategy === undefined ? {} : { strategy })

export function show(
  { scenario, profile, exploration, seconds, witness }: Explored,
  command: (verb: 'explore' | 'simulate') => string,
  flags: ExploreFlags,
): void {
  print(`${styled('bold', scenario)}  ${styled('dim', `kernel profile ${profile}`)}`)
  for (const found of exploration.found) print(`  ${foundLine(found)}`)
  print()
  if (witness !== undefined) {
    print(
      `${styled('bold', witness.found?.property ?? 'this order')}: ${plural(witness.steps, 'step')}${witness.fewest ? ', the fewest there are' : ''}`,
    )
    for (const line of witness.lines) print(line)
    if (witness.log !== null) print('', `Log: ${witness.log}`)
    if (witness.kept !== undefined) print(keptText(witness.kept))
    print(styled('dim', `this order again: ${command('explore')} --token ${witness.token}`), '')
  }
  for (const line of covered(exploration, seconds)) print(line)
  for (const line of coverageLines(exploration)) print(line)
  if (exploration.cut !== undefined && flags.checkpoint !== undefined)
    print(
      styled(
        'dim',
        `to go on from here: ${command('explore')}${flagsText(strategyOf(flags))} --resume ${flags.checkpoint} --checkpoint ${flags.checkpoint}`,
      ),
    )
  print(styled('dim', `again: ${command(flags.simulate === undefined ? 'explore' : 'simulate')}${flagsText(flags)}`), '')
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
function covered({ searched, cut, complete, counted }: Exploration, seconds: number): readonly string[] {
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
        : cut === 'one order'
          ? 'One order of events: what it does not decide, another may.'
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
  const { strategy, verdict, found, complete, cut, searched, counted, coverage } = exploration
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
    ...(coverage === undefined ? {} : { coverage }),
    ...(witness === undefined ? {} : { witness: witnessJson(witness) }),
  }
}
