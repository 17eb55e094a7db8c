/** Who may act in a world: decided by the schedule once for all worlds in which the actors are equally far, and a look-up then. */
import type { ActorName, Snapshot } from '../../system/actor.ts'
import type { Schedule } from '../model.ts'
import type { Row } from './rows.ts'

/** Who may act, by number; whether as far as they can in one step; and the stage. */
export interface Allowed {
  readonly actors: readonly number[]
  readonly all: boolean
  readonly stage: number
}

/** Found by the measures of the actors, one after the other. */
interface Node {
  allowed?: Allowed
  readonly next: Node[]
}

export class Turns {
  readonly #schedule: Schedule | undefined
  readonly #names: readonly ActorName[]
  readonly #everybody: Allowed
  readonly #root: Node = { next: [] }
  /** By actor, and number of its snapshot. */
  readonly #measures: readonly number[][]

  constructor(schedule: Schedule | undefined, names: readonly ActorName[], active: readonly number[]) {
    this.#schedule = schedule
    this.#names = names
    this.#everybody = { actors: active, all: false, stage: 0 }
    this.#measures = names.map(() => [])
  }

  /** Is told of each snapshot of an actor, in the order of their numbers. */
  note(actor: number, snapshot: Snapshot): void {
    this.#measures[actor]?.push(this.#schedule?.measure(snapshot, this.#names[actor] as ActorName) ?? 0)
  }

  at(row: Row, at: number): Allowed {
    if (this.#schedule === undefined) return this.#everybody
    let node = this.#root
    for (let i = 0; i < this.#names.length; i++) node = node.next[this.#measure(row, at, i)] ??= { next: [] }
    return (node.allowed ??= this.#decided(this.#schedule, row, at))
  }

  #measure(row: Row, at: number, actor: number): number {
    return (this.#measures[actor] as number[])[row[at + actor] as number] as number
  }

  #decided(schedule: Schedule, row: Row, at: number): Allowed {
    const { actors, budget, stage } = schedule.turn(this.#names.map((_, i) => this.#measure(row, at, i)))
    const allowed = new Set(actors)
    return { actors: this.#everybody.actors.filter(i => allowed.has(this.#names[i] as ActorName)), all: budget > 1, stage }
  }
}
