/** What is explored: a system, who may act when, and what must hold. */
import type { ActorName, AnyEvent, Snapshot } from '../system/actor.ts'
import type { System, World } from '../system/world.ts'

/** Something that, asked twice about the same, does not do the same: it looks at a clock, at chance, or at what it did before. */
export class NotDeterministic extends Error {
  override readonly name = 'NotDeterministic'
}

/** A trail that cannot be gone. */
export class BadTrail extends Error {
  override readonly name = 'BadTrail'
  constructor(step: number, by: ActorName) {
    super(`step ${step}: ${by} cannot do what the trail says: the trail is of another system`)
  }
}

/** What is wrong, in one sentence; undefined if nothing is. */
export type Wrong = string | undefined

/** A step as properties see it: who did what, from where, and what its own machine was told. */
export interface Deed {
  readonly by: ActorName
  readonly do: string
  readonly before: Snapshot
  readonly event: AnyEvent
}

export type Property<M> =
  /** Nothing may be wrong in any world that can be reached. */
  | { readonly kind: 'always'; readonly name: string; readonly wrong: (world: World<M>) => Wrong }
  /** There is an order of events in which it is so at some time. */
  | { readonly kind: 'sometimes'; readonly name: string; readonly holds: (world: World<M>) => boolean | string }
  /** Is so whenever everybody is at rest. */
  | { readonly kind: 'finally'; readonly name: string; readonly holds: (world: World<M>) => boolean }
  /** Becomes so in every order of events in which nobody who can always act is kept waiting for ever. `besides`: as below. */
  | { readonly kind: 'eventually'; readonly name: string; readonly holds: (world: World<M>) => boolean; readonly besides?: true }
  /** No step may do anything wrong. */
  | { readonly kind: 'step'; readonly name: string; readonly wrong: (deed: Deed) => Wrong }
  /** Nobody has work left that nobody can go on with. */
  | { readonly kind: 'deadlock'; readonly name: string }
  /**
   * Nobody goes in circles for ever while everybody gets a turn, but for those (`but`) of whom that is expected. `besides`: it is
   * looked for where that can be, and nobody has asked for it: elsewhere it is said to be unknown, and not refused.
   */
  | { readonly kind: 'livelock'; readonly name: string; readonly but?: readonly ActorName[]; readonly besides?: true }

/** Who may act, and how far one step goes then. */
export interface Turn {
  readonly actors: readonly ActorName[]
  readonly budget: number
  /** Steps of different stages never change places. */
  readonly stage: number
}

/** Who may act when, if not everybody always. It is decided from a number that each actor's snapshot stands for. */
export interface Schedule {
  /** How far an actor is: equal snapshots have equal numbers, 0 or more. */
  readonly measure: (snapshot: Snapshot, by: ActorName) => number
  /** By those numbers, in the order of the system's actors. */
  readonly turn: (measures: readonly number[]) => Turn
}

/** Actors that may change places, or pages or whatever else contexts have names for, each with those that belong to it: all lists are of one length. */
export type Alike = readonly (readonly ActorName[])[]

export interface Model<M, F> {
  readonly system: System<M, F>
  readonly properties: readonly Property<M>[]
  readonly schedule?: Schedule
  /** Fields of contexts that hold numbers of one sequence: only their order counts, and whether they are odd. */
  readonly sequences?: readonly string[]
  /** Groups of what is the same but for its names. */
  readonly symmetry?: readonly Alike[]
}
