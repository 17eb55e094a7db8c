/** What `explore` and `simulate` may be told on the command line, and what exploring is told of it. */
import type { Plan } from '../../explore/choice.ts'
import type { ExploreOptions } from '../../explore/explore.ts'
import type { Simulation } from '../../explore/strategies/simulate.ts'

export interface ExploreFlags extends Plan {
  readonly profile?: string
  readonly variant?: string
  readonly maxStates?: number
  readonly maxDepth?: number
  readonly timeout?: number
  readonly memory?: number
  readonly checkpoint?: string
  readonly every?: number
  readonly resume?: string
  readonly sweep?: readonly string[]
  readonly with?: readonly string[]
  readonly workers?: number
  readonly log?: string | boolean
  readonly token?: string
  readonly asFound?: boolean
  readonly count?: boolean
  readonly coverage?: boolean
  readonly json?: boolean
}

export interface SimulateFlags extends ExploreFlags, Simulation {}

export const optionsOf = ({
  strategy,
  reduction,
  simulate,
  maxStates,
  maxDepth,
  memory,
  checkpoint,
  count,
  coverage,
}: ExploreFlags): ExploreOptions => ({
  ...(strategy === undefined ? {} : { strategy }),
  ...(reduction === undefined ? {} : { reduction }),
  ...(simulate === undefined ? {} : { simulate }),
  ...(maxStates === undefined ? {} : { maxStates }),
  ...(maxDepth === undefined ? {} : { maxDepth }),
  ...(memory === undefined ? {} : { maxBytes: memory * 2 ** 20 }),
  ...(checkpoint === undefined ? {} : { pausing: true }),
  ...(count === undefined ? {} : { count }),
  ...(coverage === undefined ? {} : { coverage }),
})
