/** A place in a run as conditions ask about it. What is not asked for is not worked out. */
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { Stepped } from '../system/step.ts'
import { describe, type Described } from './describe.ts'
import { describedStep } from './folded-step.ts'
import type { LinuxSystem, LinuxWorld } from './linux.ts'
import type { Moment, Taken } from './query/condition.ts'
import type { LoggedStep } from './query/terms.ts'
import type { Run } from './recording.ts'

class FoldedStep implements LoggedStep {
  readonly #run: Run
  readonly n: number
  #described: Described | undefined

  constructor(run: Run, n: number) {
    this.#run = run
    this.n = n
  }

  get by(): string {
    return this.#run.record(this.n).by
  }
  get do(): string {
    return this.#run.record(this.n).do
  }
  get cause(): number {
    return this.#run.record(this.n).cause
  }
  get changes(): readonly string[] {
    return Object.keys(this.#run.record(this.n).set)
  }
  get event(): Described['event'] {
    return this.#told.event
  }
  get calls(): Described['calls'] {
    return this.#told.calls
  }
  get facts(): Described['facts'] {
    return this.#told.facts
  }
  get text(): string {
    return describe(this.#told).text
  }

  get #told(): Described {
    return (this.#described ??= describedStep(this.#run, this.n))
  }
}

class Behind implements Taken {
  readonly #run: Run
  readonly step: LoggedStep

  constructor(run: Run, n: number) {
    this.#run = run
    this.step = new FoldedStep(run, n)
  }

  get before(): LinuxWorld {
    return this.#run.world(this.step.n - 1)
  }
  get world(): LinuxWorld {
    return this.#run.world(this.step.n)
  }
}

/** After step `n` of a run; where it begins, no step has led there. */
export const momentAt = (run: Run, n: number): Moment => (n === run.first ? beginningOf(run) : takenAt(run, n))
const beginningOf = (run: Run): Moment => ({ step: undefined, before: run.world(run.first), world: run.world(run.first) })
export const takenAt = (run: Run, n: number): Taken => new Behind(run, n)

/** Behind a step that was just decided; of its cause nothing is known. */
export const decided = (system: LinuxSystem, { choice, before, world, ...told }: Stepped<Memory, Fact>, n: number): Taken => ({
  before,
  world,
  step: {
    n,
    by: choice.by,
    do: told.do,
    cause: 0,
    event: told.event as Described['event'],
    calls: told.calls,
    facts: told.facts,
    changes: system.actors.flatMap(({ name }, i) => (before.actors[i] === world.actors[i] ? [] : [name])),
    get text() {
      return describe(this).text
    },
  },
})
