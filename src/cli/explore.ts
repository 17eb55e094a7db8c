/** `mirrorwalk explore` and `simulate`: every order of events of a scenario, or many at random; what was found, and what was covered. */
import { exploring, type Exploration, type Found } from '../explore/explore.ts'
import { choicesOf } from '../explore/token.ts'
import type { Scenario } from '../scenario/api.ts'
import { modelOf } from '../scenario/explored.ts'
import { asJson, commandFor, show, type Explored } from './exploration.ts'
import { checkpoints, refuseSeveral } from './checkpoint-file.ts'
import { optionsOf, type ExploreFlags, type SimulateFlags } from './explore-flags.ts'
import { EXIT, printJson, UsageError, Work, type ExitCode } from './output.ts'
import { buildOf, worst } from './run.ts'
import { loadScenario } from './scenario-file.ts'
import { searched } from './searching.ts'
import { logPath, witnessOf } from './witness.ts'
import { withWorkers } from './workers.ts'

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
  const profiles = flags.profile === undefined ? scenario.profiles : [flags.profile]
  const variants = flags.variant === undefined ? scenario.variants : [flags.variant]
  refuseSeveral(flags, profiles, variants)
  for (const profile of profiles) {
    for (const variant of variants) {
      const explored = await exploreOne(file, scenario, profile, variant, flags)
      all.push(explored)
      if (flags.json !== true) show(explored, verb => commandFor(verb, file, profile, variant), flags)
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
  const built = buildOf(file, scenario, profile, variant)
  if (JSON.stringify(buildOf(file, scenario, profile, variant)) !== JSON.stringify(built))
    throw new UsageError(`${file}: built twice, it is not the same scenario twice. A scenario may look at no clock and at no chance.`)
  const model = modelOf(built)
  const work = new Work()
  const { checkpoint, from } = checkpoints(built, model.system, flags)
  const trail =
    flags.token === undefined
      ? undefined
      : choicesOf(
          model.system.actors.map(a => a.name),
          flags.token,
        )
  const { result: exploration, seconds } = await withWorkers(flags, file, profile, variant, workers =>
    searched(exploring(model, { ...optionsOf(flags), from, trail, workers }), {
      work,
      title: built.title,
      timeout: flags.timeout,
      each: ({ pause }) => checkpoint?.keep(pause),
    }),
  )
  if (exploration.cut !== undefined) checkpoint?.write(exploration.searched.pause)
  const found = shownOf(exploration)
  const shown = trail ?? found?.trail
  const simplify = trail === undefined && flags.asFound !== true
  const witness =
    shown === undefined
      ? undefined
      : await witnessOf(built, model, { found, trail: shown, simplify }, logPath(file, profile, variant, flags), work)
  work.end()
  return { scenario: built.title, profile, exploration, seconds, witness }
}

/** What is shown of all that was found: the first thing that is wrong, else the first that was asked for. */
const shownOf = ({ found }: Exploration): Found | undefined =>
  found.find(f => f.verdict === 'violated' && f.trail !== undefined) ?? found.find(f => f.trail !== undefined)
