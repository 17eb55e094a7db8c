/** Which search is wanted, by name, and what cannot be combined, with the reason. */
import type { Choice } from '../system/step.ts'
import { along } from './strategies/along.ts'
import { breadthFirst } from './strategies/breadth-first.ts'
import { depthFirst } from './strategies/depth-first.ts'
import type { Model, Property } from './model.ts'
import { dpor } from './strategies/dpor.ts'
import type { ExploreOptions } from './explore.ts'
import { simulation, type Simulation } from './strategies/simulate.ts'
import { sleepSets, stateCaching } from './strategies/sleep-sets.ts'
import { Unsound, type Strategy } from './strategy.ts'
import { symmetric } from './strategies/symmetry.ts'
import { parallel } from './workers/parallel.ts'
import type { Port } from './workers/port.ts'

export const STRATEGIES = ['bfs', 'dfs'] as const
export const REDUCTIONS = ['none', 'sleep', 'dpor', 'cache', 'symmetry'] as const

export interface Plan {
  readonly strategy?: (typeof STRATEGIES)[number]
  readonly reduction?: (typeof REDUCTIONS)[number]
  /** Runs at random instead of a search. */
  readonly simulate?: Simulation
  /** One order of events that is known, such as a token's, and no search. */
  readonly trail?: readonly Choice[] | undefined
}

const SEARCHES = { bfs: breadthFirst, dfs: depthFirst }

/** The strategy for a plan; throws `Unsound` for what would give wrong answers. */
export function planned<M, F>(plan: Plan, model: Model<M, F>): Strategy {
  const { strategy, reduction = 'none', simulate, trail } = plan
  if (trail !== undefined) {
    if (strategy !== undefined || reduction !== 'none' || simulate !== undefined)
      throw new Unsound('an order of events that is known is gone as it is: there is no search to choose, and nothing to leave out')
    return along(trail)
  }
  if (simulate !== undefined) {
    if (strategy !== undefined || reduction !== 'none')
      throw new Unsound('a simulation draws runs at random: there is no search to choose, and nothing to leave out')
    return simulation(simulate)
  }
  if (reduction !== 'none') refuseLiveness(plan, model)
  switch (reduction) {
    case 'none':
      return SEARCHES[strategy ?? 'bfs']()
    case 'symmetry':
      return symmetric(model, SEARCHES[strategy ?? 'bfs'])
    case 'sleep':
    case 'cache':
    case 'dpor':
      if (strategy === 'bfs')
        throw new Unsound(
          `--reduction ${reduction} goes depth first: which steps it may leave out depends on those it has gone on with before`,
        )
      return reduction === 'sleep' ? sleepSets : reduction === 'cache' ? stateCaching : dpor
  }
}

/** Breadth first, shared out among workers; throws `Unsound` for what can only be done by one. */
export function shared<M, F>(options: ExploreOptions, port: Port, { properties }: Model<M, F>): Strategy {
  const why = isForOne(options)
  if (why !== undefined) throw new Unsound(`this is for one worker: ${why}`)
  return parallel(port, options.count === true || properties.some(({ kind }) => kind === 'livelock' || kind === 'eventually'))
}

function isForOne({ strategy, reduction = 'none', simulate, trail, pausing, from, coverage }: ExploreOptions): string | undefined {
  if (trail !== undefined) return 'one order of events is gone step by step'
  if (simulate !== undefined) return 'runs drawn at random follow from one sequence of numbers: start several with seeds of their own'
  if (reduction === 'symmetry') return 'which world of several stands for the others depends on the order in which their parts were met'
  if (reduction !== 'none') return `--reduction ${reduction} leaves out a step because of what it has gone on with before`
  if (strategy === 'dfs') return 'depth first, what comes next depends on what was found last'
  if (pausing === true || from !== undefined) return 'the states of a checkpoint are in one place'
  if (coverage === true) return 'coverage is told of what was decided, and each of several decides a part of it'
  return undefined
}

/** A search that keeps the states it has met, and those it has not gone on from, can be paused; no other. */
export function refusePausing({ reduction = 'none', simulate, trail }: Plan): void {
  const why = cannotPause(reduction, simulate, trail)
  if (why !== undefined) throw new Unsound(`no checkpoint can be written or gone on from here: ${why}`)
}

function cannotPause(reduction: Plan['reduction'], simulate: Plan['simulate'], trail: Plan['trail']): string | undefined {
  if (trail !== undefined) return 'one order of events is soon gone again'
  if (simulate !== undefined) return 'runs drawn at random need none: another seed draws others'
  if (reduction === 'none') return undefined
  if (reduction === 'symmetry')
    return 'which world of several stands for the others depends on the order in which their parts were met, also in telling what was found'
  return `--reduction ${reduction} is on its way through orders of events, with what it may leave out at each step, and has no set of states to go on from`
}

/** What never ends can be told of a search that leaves nothing out; of others, why it cannot. */
export function cannotTellCircles({ reduction = 'none', simulate, trail }: Plan): string | undefined {
  if (trail !== undefined) return 'one order of events does not tell what goes on for ever'
  if (simulate !== undefined) return 'runs drawn at random do not tell what goes on for ever'
  if (reduction === 'none') return undefined
  return `under --reduction ${reduction} a step may be left out because it will be taken later all the same, and on a circle it is put off for ever`
}

/** What never ends, and is not looked for here, though it would be well to, and nobody has asked for them. */
export const isNotLookedFor = <M>(property: Property<M>, plan: Plan): boolean =>
  (property.kind === 'livelock' || property.kind === 'eventually') && property.besides === true && cannotTellCircles(plan) !== undefined

function refuseLiveness<M, F>(plan: Plan, { properties }: Model<M, F>): void {
  const asked = properties.find(p => (p.kind === 'eventually' || p.kind === 'livelock') && !isNotLookedFor(p, plan))
  if (asked !== undefined) throw new Unsound(`'${asked.name}' cannot be told here: ${cannotTellCircles(plan) ?? ''}`)
}
