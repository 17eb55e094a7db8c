/** The search of one scenario, built for one kernel and variant, with what was asked for: workers, checkpoints, limits. */
import { timesAgain } from '../../explore/worlds/again.ts'
import { exploring, type Exploration, type Found } from '../../explore/explore.ts'
import { choicesOf } from '../../explore/token.ts'
import type { Built, Scenario } from '../../scenario/api.ts'
import { modelOf, type LinuxModel } from '../../scenario/explored.ts'
import type { Choice } from '../../system/step.ts'
import { checkpoints } from './checkpoint-file.ts'
import { optionsOf, type ExploreFlags } from './explore-flags.ts'
import { UsageError, type Work } from '../output.ts'
import { parametersOf } from './parameters.ts'
import { buildOf } from '../run.ts'
import { searched } from './searching.ts'
import { withWorkers } from './workers.ts'

/** A search, and what was searched. */
interface SearchedOne {
  readonly built: Built
  readonly model: LinuxModel
  /** The one order of events that was gone, if one was named. */
  readonly trail: readonly Choice[] | undefined
  readonly exploration: Exploration
  readonly seconds: number
}

export async function searchedOne(
  file: string,
  scenario: Scenario,
  profile: string,
  variant: string,
  flags: ExploreFlags,
  work: Work,
): Promise<SearchedOne> {
  const parameters = parametersOf(scenario, flags.with)
  const built = buildOf(file, scenario, profile, variant, parameters)
  const text = JSON.stringify(built)
  for (let times = timesAgain(0); times > 0; times--)
    if (JSON.stringify(buildOf(file, scenario, profile, variant, parameters)) !== text)
      throw new UsageError(`${file}: built twice, it is not the same scenario twice. A scenario may look at no clock and at no chance.`)
  const model = modelOf(built)
  const { checkpoint, from } = checkpoints(built, model.system, flags)
  const names = model.system.actors.map(a => a.name)
  const trail = flags.token === undefined ? undefined : choicesOf(names, flags.token)
  const { result: exploration, seconds } = await withWorkers(flags, file, profile, variant, parameters, workers =>
    searched(exploring(model, { ...optionsOf(flags), from, trail, workers }), {
      work,
      title: built.title,
      timeout: flags.timeout,
      each: ({ pause }) => checkpoint?.keep(pause),
    }),
  )
  if (exploration.cut !== undefined) checkpoint?.write(exploration.searched.pause)
  return { built, model, trail, exploration, seconds }
}

/** What is shown of all that was found: the first thing that is wrong, else the first that was asked for. */
export const shownOf = ({ found }: Exploration): Found | undefined =>
  found.find(f => f.verdict === 'violated' && f.trail !== undefined) ?? found.find(f => f.trail !== undefined)
