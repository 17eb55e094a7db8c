/**
 * The steps of a log with what is not in their records: the calls between actors, and the worlds. Each is decided again; from
 * the first that this model does otherwise on, the records alone are folded, and the calls are not known.
 */
import { senseless } from '../log/damaged.ts'
import { beginning, choiceOf, foldStep, type Header, type StepRecord } from '../log/records.ts'
import { step, type Choice, type Exchange } from '../system/step.ts'
import { initialWorld } from '../system/world.ts'
import { describe, type Described, type Words } from './describe.ts'
import { foldedStep } from './folded-step.ts'
import type { LinuxSystem, LinuxWorld } from './linux.ts'
import type { Taken } from './query/condition.ts'
import type { LoggedStep } from './query/terms.ts'

/** A step of a log that is read again. */
export interface Retraced extends LoggedStep {
  readonly calls: readonly Exchange[]
  readonly record: StepRecord
  readonly quiet: boolean
  readonly before: LinuxWorld
  readonly world: LinuxWorld
  /** The step of another actor before which this one was refused. */
  readonly after?: number
}

/** What a query asks about, of such a step. */
export const momentOf = (step: Retraced): Taken => ({ step, before: step.before, world: step.world })

/** So many worlds are remembered, to tell what a step had to wait for. */
const REMEMBERED = 1024

export class Retracing {
  readonly system: LinuxSystem
  world: LinuxWorld
  /** The first step that comes out otherwise than the log has it. */
  astray: number | undefined
  /** Of a log: it begins where the log does. */
  static of(system: LinuxSystem, header: Header): Retracing {
    return new Retracing(system, beginning(system, header))
  }

  readonly #recent: { readonly n: number; readonly by: string; readonly before: LinuxWorld }[] = []

  constructor(system: LinuxSystem, world: LinuxWorld = initialWorld(system)) {
    this.system = system
    this.world = world
  }

  /** The step that a record is of; records are to be given in order. Throws `DamagedLog` for one that nobody can follow. */
  see(record: StepRecord): Retraced {
    try {
      return this.#see(record)
    } catch (error) {
      throw senseless(`step ${record.n}`, error)
    }
  }

  #see(record: StepRecord): Retraced {
    const before = this.world
    const { words, ...told } = this.#told(record)
    const after = this.#waitedFor(record)
    if (this.#recent.push({ n: record.n, by: record.by, before }) > 2 * REMEMBERED) this.#recent.splice(0, REMEMBERED)
    const { n, by, cause } = record
    const changes = Object.keys(record.set)
    return { ...told, ...words, n, by, cause, changes, record, before, world: this.world, ...(after === undefined ? {} : { after }) }
  }

  #told(record: StepRecord): Described & { readonly calls: readonly Exchange[]; readonly words: Words } {
    const { do: what } = record
    if (this.astray === undefined && this.system.index.has(record.by)) {
      const outcome = step(this.system, this.world, choiceOf(record))
      if (outcome.kind === 'stepped' && outcome.do === what && outcome.event.type === record.event.type) {
        this.world = outcome.world
        const told = { do: what, event: outcome.event as Described['event'], calls: outcome.calls, facts: outcome.facts }
        return { ...told, words: describe(told) }
      }
    }
    this.astray ??= record.n
    const before = this.world
    this.world = foldStep(this.system, before, record)
    const told = foldedStep(this.system, record, before, this.world)
    return { ...told, calls: [], words: describe(told) }
  }

  #waitedFor(record: StepRecord): number | undefined {
    if (this.astray !== undefined) return undefined
    const choice: Choice = choiceOf(record)
    const first = this.#recent[0]
    const other = first === undefined ? undefined : this.#recent[record.cause - first.n]
    if (other === undefined || other.by === choice.by) return undefined
    return step(this.system, other.before, choice).kind === 'blocked' ? record.cause : undefined
  }
}
