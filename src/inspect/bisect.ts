/** The steps at which a condition turns: the first, and, if wanted, all. A condition may turn often, so every world is asked. */
import type { Condition } from './query/condition.ts'
import type { LinuxWorld } from './linux.ts'
import { momentOf, type Retraced } from './retrace.ts'

export interface Turn {
  /** The step after which it is as it was not before. */
  readonly step: Omit<Retraced, 'before' | 'world'>
  readonly holds: boolean
  /** What an oracle says. */
  readonly why: string | undefined
}

/** Watches a run, world by world, for a condition to turn. */
export class Bisection {
  readonly #condition: Condition
  /** How it was at the beginning. */
  readonly atFirst: boolean
  readonly turns: Turn[] = []
  #now: boolean

  constructor(condition: Condition, world: LinuxWorld) {
    this.#condition = condition
    this.atFirst = condition.holds({ step: undefined, before: world, world })
    this.#now = this.atFirst
  }

  /** Does it turn at this step? */
  see(step: Retraced): boolean {
    const moment = momentOf(step)
    const holds = this.#condition.holds(moment)
    if (holds === this.#now) return false
    this.#now = holds
    const { before: _before, world: _world, ...shown } = step
    this.turns.push({ step: shown, holds, why: holds ? this.#condition.why(moment) : undefined })
    return true
  }
}
