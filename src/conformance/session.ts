/** A system that is driven from outside, statement by statement, with open budget: as a recorder drives a kernel. */
import type { DeviceFault, RangeContext, RangeEvent } from '../kernel/range.ts'
import type { Statement, ThreadContext, ThreadEvent } from '../kernel/thread.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { LinuxSystem } from '../scenario/standard.ts'
import { Recurrence } from '../system/recurrence.ts'
import { step, type Stepped } from '../system/step.ts'
import { indexOf, initialWorld, snapshotOf, type World } from '../system/world.ts'

/** What the machines of threads and ranges are told. */
type Event = ThreadEvent | RangeEvent
type EventOf<T extends Event['type']> = Extract<Event, { readonly type: T }>

/** No recorded op takes nearly as many. */
const STEP_LIMIT = 50_000

/** An actor goes in circles: it would never come to rest. */
export class Livelock extends Error {
  override readonly name = 'Livelock'
}

export class Session {
  readonly #system: LinuxSystem
  #world: World<Memory>
  #steps: Stepped<Memory, Fact>[] = []

  constructor(system: LinuxSystem) {
    this.#system = system
    this.#world = initialWorld(system)
  }

  get memory(): Memory {
    return this.#world.memory
  }

  /** Steps since the last `fresh()`. */
  get steps(): readonly Stepped<Memory, Fact>[] {
    return this.#steps
  }

  fresh(): void {
    this.#steps = []
  }

  /** An actor's context; its type is what the actor's machine says. */
  contextOf(name: string): object {
    return snapshotOf(this.#system, this.#world, name).context
  }

  /** Puts a statement at the end of an actor's program. */
  give(name: string, statement: Statement | DeviceFault): void {
    const i = indexOf(this.#system, name)
    const { value } = snapshotOf(this.#system, this.#world, name)
    const context = this.contextOf(name) as ThreadContext | RangeContext
    const actors = this.#world.actors.with(i, { value, context: { ...context, program: [...context.program, statement] } })
    this.#world = { memory: this.#world.memory, actors }
  }

  /** Lets an actor act until it is at rest or in `state`; false if something keeps it from that. */
  let(by: string, state?: string): boolean {
    const seen = new Recurrence(this.#world)
    for (let steps = 0; steps < STEP_LIMIT; steps++) {
      if (state !== undefined && snapshotOf(this.#system, this.#world, by).value === state) return true
      const next = step(this.#system, this.#world, { by, offer: 0, budget: Infinity })
      if (next.kind === 'at rest') return true
      if (next.kind === 'blocked') return false
      this.#steps.push(next)
      this.#world = next.world
      if (seen.next(next.world)) throw new Livelock(`${by} goes in circles: the world after ${next.do} was there before`)
    }
    throw new Error(`${by} has not come to rest after ${STEP_LIMIT} steps`)
  }

  /** Gives a statement and sees it through; nothing may stand in its way. */
  run(by: string, statement: Statement | DeviceFault, state?: string): void {
    this.give(by, statement)
    if (!this.let(by, state)) throw new Error(`${by} is blocked, with nobody there to let it go on`)
  }

  /** The last event of a kind that an actor's machine was told since `fresh()`. */
  told<T extends Event['type']>(by: string, type: T): EventOf<T> | undefined {
    return this.#steps.findLast(s => s.choice.by === by && s.event.type === type)?.event as EventOf<T> | undefined
  }

  /** All events of a kind since `fresh()`, in order. */
  allTold<T extends Event['type']>(by: string, type: T): readonly EventOf<T>[] {
    return this.#steps.filter(s => s.choice.by === by && s.event.type === type).map(s => s.event as EventOf<T>)
  }
}
