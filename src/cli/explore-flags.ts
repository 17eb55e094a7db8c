/** What `explore` and `simulate` may be told on the command line, and what exploring is told of it. */
import type { Plan } from '../explore/choice.ts'
import type { ExploreOptions } from '../explore/explore.ts'
import type { Simulation } from '../explore/simulate.ts'
import { choicesOf } from '../explore/token.ts'
import type { ActorName } from '../system/actor.ts'

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

export interface SimulateFlags extends ExploreFlags, Simulation {}

export const optionsOf = (
  { strategy, reduction, simulate, maxStates, maxDepth, count, token }: ExploreFlags,
  names: readonly ActorName[],
): ExploreOptions => ({
  ...(strategy === undefined ? {} : { strategy }),
  ...(reduction === undefined ? {} : { reduction }),
  ...(simulate === undefined ? {} : { simulate }),
  ...(maxStates === undefined ? {} : { maxStates }),
  ...(maxDepth === undefined ? {} : { maxDepth }),
  ...(count === undefined ? {} : { count }),
  ...(token === undefined ? {} : { trail: choicesOf(names, token) }),
})
