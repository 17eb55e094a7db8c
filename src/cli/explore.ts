/** `mirrorwalk explore` and `simulate`: every order of events of a scenario, or many at random; what was found, and what was covered. */
import type { Scenario } from '../scenario/api.ts'
import { refuseSeveral } from './explore/checkpoint-file.ts'
import { asJson, commandFor, show, type Explored } from './explore/exploration.ts'
import type { ExploreFlags, SimulateFlags } from './explore/explore-flags.ts'
import { logPath, ownLog } from './log-name.ts'
import { EXIT, printJson, Work, type ExitCode } from './output.ts'
import { worst } from './run.ts'
import { loadScenario } from './scenario-file.ts'
import { searchedOne, shownOf } from './explore/searched-one.ts'
import { sweepCommand } from './explore/sweep.ts'
import { witnessOf } from './explore/witness.ts'

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
  if (flags.sweep !== undefined) return sweepCommand(file, scenario, flags)
  const all: Explored[] = []
  const profiles = flags.profile === undefined ? scenario.profiles : [flags.profile]
  const variants = flags.variant === undefined ? scenario.variants : [flags.variant]
  refuseSeveral(flags, profiles, variants)
  for (const profile of profiles) {
    for (const variant of variants) {
      const log = ownLog(flags.log, { profile, variant }, profiles.length * variants.length > 1)
      const explored = await exploreOne(file, scenario, profile, variant, log === undefined ? flags : { ...flags, log })
      all.push(explored)
      if (flags.json !== true) show(explored, verb => commandFor(verb, file, profile, variant, flags.with), flags)
    }
  }
  if (flags.json === true) printJson({ scenario: scenario.title, explorations: all.map(asJson) })
  const verdicts = all.map(e => e.exploration.verdict)
  // One order decides what it shows; what it leaves open nobody has asked it.
  return flags.token !== undefined && !verdicts.includes('violated') ? EXIT.holds : worst(verdicts)
}

export async function exploreOne(
  file: string,
  scenario: Scenario,
  profile: string,
  variant: string,
  flags: ExploreFlags,
): Promise<Explored> {
  const work = new Work()
  const { built, model, trail, exploration, seconds } = await searchedOne(file, scenario, profile, variant, flags, work)
  const found = shownOf(exploration)
  const shown = trail ?? found?.trail
  const simplify = trail === undefined && flags.asFound !== true
  const witness =
    shown === undefined
      ? undefined
      : await witnessOf(built, model, { found, trail: shown, simplify }, logPath(file, { profile, variant }, flags.log, '-explored'), work)
  work.end()
  return { scenario: built.title, profile, exploration, seconds, witness }
}
