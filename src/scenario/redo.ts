/** A run that is known by the header of its log alone, begun again: the same system, plan, chooser and seed. */
import type { Header } from '../log/records.ts'
import { choicesOf } from '../explore/token.ts'
import { beginning } from '../log/records.ts'
import { isPlan } from '../log/shape.ts'
import type { Built, Scenario } from './api.ts'
import type { Plan } from './plan.ts'
import { prepare, type ScenarioRun } from './run.ts'
import { BadSpec, linuxSystem, type SystemSpec } from './standard.ts'

/** How a run chooses, by the name that headers have for it. */
export const CHOOSERS = { written: 'as written', random: 'random', token: 'a token', explored: 'explored' } as const

/**
 * The run that a header is of. Throws `BadSpec` if the header does not say enough; logs of format 1 do not have the plan,
 * which the scenario has.
 */
export function beginAgain(header: Header, options: { readonly scenario?: Scenario; readonly steps?: number } = {}): ScenarioRun {
  const { chooser, seed, title, token, from } = header
  if (from !== undefined)
    throw new BadSpec(
      `'${from.name}' is a branch, which was chosen by hand, step by step: what was lost of it cannot be decided again. Expected the log of a run; of a branch, repair without --redo keeps what is sound.`,
    )
  const isKnown = chooser === CHOOSERS.written || (chooser === CHOOSERS.random ? seed !== null : token !== undefined)
  if (!isKnown) throw new BadSpec(`the run was chosen by '${chooser}', which its log does not tell how to do again`)
  const system = header.system as SystemSpec
  const linux = linuxSystem(system)
  // What makes no sense is found before anybody runs it.
  beginning(linux, header)
  // A run that was explored ends where its order does.
  const names = linux.actors.map(a => a.name)
  const steps = options.steps ?? (chooser === CHOOSERS.explored ? choicesOf(names, token ?? '').length : undefined)
  const built: Built = { title, system, plan: planOf(header, options.scenario), expectations: [] }
  return prepare(built, {
    ...(seed === null ? {} : { seed }),
    ...(token === undefined ? {} : { token }),
    ...(steps === undefined ? {} : { steps }),
  })
}

function planOf({ plan, system, title }: Header, scenario: Scenario | undefined): Plan {
  if (isPlan(plan)) return plan as Plan
  if (scenario === undefined)
    throw new BadSpec('the log does not have the plan of its scenario, as logs of format 1 have none: name the scenario')
  const { profile } = system as SystemSpec
  const text = JSON.stringify(system)
  for (const variant of scenario.variants) {
    const built = scenario.build(profile, variant)
    if (built.title === title && JSON.stringify(built.system) === text) return built.plan
  }
  throw new BadSpec(`scenario '${scenario.title}' is not what the log of '${title}' was written of`)
}
