/** Worlds, the systems whose states they are, and what is taken for an actor's snapshot in them. */
import type { Actor, ActorName, Snapshot } from './actor.ts'
import { initialSnapshot, type Take } from './take.ts'

/**
 * Everything that decides what may happen: memory, and each actor's state and context in the order of the system's
 * actors. Step number, clock and causes stand beside it: two worlds that are equal behave the same for ever.
 */
export interface World<M> {
  readonly memory: M
  readonly actors: readonly Snapshot[]
}

/** What is run, replayed and explored. The set of actors is fixed. */
export interface System<M, F> {
  readonly actors: readonly Actor<M, F>[]
  readonly index: ReadonlyMap<ActorName, number>
  /** Memory before the first step. */
  readonly memory: M
  readonly fold: (memory: M, facts: readonly F[]) => M
  readonly take: Take
}

export function system<M, F>({ actors, memory, fold, take }: Omit<System<M, F>, 'index'>): System<M, F> {
  const index = new Map(actors.map((a, i) => [a.name, i]))
  if (index.size < actors.length) throw new Error(`two actors have one name: ${actors.map(a => a.name).join(', ')}`)
  // Written out: what is spread seldom has a hidden class of its own each time, and what was compiled for one is thrown away.
  return { actors, index, memory, fold, take }
}

export function initialWorld<M, F>(system: System<M, F>): World<M> {
  return { memory: system.memory, actors: system.actors.map(a => initialSnapshot(a.kind.machine, a.input)) }
}

/** The place of an actor in the world's rows; throws for a name that the system does not have, which is a defect. */
export function indexOf<M, F>(system: System<M, F>, name: ActorName): number {
  const i = system.index.get(name)
  if (i === undefined) throw new Error(`no actor '${name}' in this system; there are ${[...system.index.keys()].join(', ')}`)
  return i
}

export function snapshotOf<M, F>(system: System<M, F>, world: World<M>, name: ActorName): Snapshot {
  return world.actors[indexOf(system, name)] as Snapshot
}
