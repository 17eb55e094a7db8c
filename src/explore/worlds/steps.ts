/**
 * Steps as the explorer keeps them: what comes of an offer, as a tree that asks the called actors one by one. Wherever its
 * actor, those it calls and memory are as they were, so is the step.
 */
import type { AnyEvent, Offer } from '../../system/actor.ts'

/** A call that a step makes: what it is told, and the callee's snapshot before and after. */
export interface Taken {
  readonly callee: number
  readonly event: AnyEvent
  readonly from: number
  readonly to: number
  readonly reply: unknown
}

/** Where an offer came from. */
export interface Source<F> {
  readonly by: number
  /** The actor's snapshot, and the memory that its rule read. */
  readonly from: number
  readonly memory: number
  readonly budget: number
  /** Which of the actor's offers. */
  readonly at: number
  readonly offer: Offer<F>
}

export const ASKING = 0
export const STEP = 1
export const REFUSED = 2

/** The callee's next snapshot, and what comes then. */
export interface Edge<F> {
  readonly to: number
  readonly then: Node<F>
}

/** An offer whose next call is put to an actor; the answer depends on the snapshot that it is in. */
export interface Asking<F> {
  readonly kind: typeof ASKING
  readonly source: Source<F>
  readonly callee: number
  readonly event: AnyEvent
  readonly before: readonly Taken[]
  /** By the callee's snapshot. */
  readonly edges: Edge<F>[]
}

/** A step that is taken wherever its actor, those it calls, and memory are as they were. */
export interface Step<F> {
  readonly kind: typeof STEP
  /** Steps are numbered as they are found. */
  readonly n: number
  readonly source: Source<F>
  readonly calls: readonly Taken[]
  readonly event: AnyEvent
  /** The actor's snapshot, and memory, afterwards. */
  readonly own: number
  readonly memory: number
}

/** An offer whose call is refused, as long as those asked are as they are. */
export interface Refusal<F> {
  readonly kind: typeof REFUSED
  readonly source: Source<F>
  readonly before: readonly Taken[]
  /** Who refuses what, in which snapshot. */
  readonly callee: number
  readonly event: AnyEvent
  readonly from: number
}
export type Node<F> = Asking<F> | Step<F> | Refusal<F>
