/** What rules answer with: the atomic actions that an actor may take next, as data. */

/** An actor is named by what it is: `cpu0`, `mm0.registry`, `gpu0.range0`. */
export type ActorName = string

/** Events, replies and facts are plain data (JSON, and `Table`s): they are written down and compared. */
export interface AnyEvent {
  readonly type: string
}

/** A function call of the kernel, taken within the step or not at all. */
export interface Call {
  readonly to: ActorName
  readonly event: AnyEvent
}

export const call = (to: ActorName, type: string, fields: object = {}): Call => ({ to, event: { type, ...fields } })

/** Calls are made in order; one that depends on what an earlier one replied is given as a function of the replies. */
export type Calls = readonly (Call | ((replies: readonly unknown[]) => Call))[]

/**
 * One atomic action, offered by an active actor: what no other CPU could see half done. If every call is taken, the
 * facts are folded into memory and the actor's own machine receives `event`.
 */
export interface Offer<F> {
  /** What is done, in the kernel's words: `unmap_page_range`, `mmap_read_lock`. */
  readonly do: string
  readonly calls: Calls
  readonly facts: readonly F[]
  readonly event: (replies: readonly unknown[]) => AnyEvent
  /** The budget of entries ran out before the work did: the step would have gone further with a larger one. */
  readonly cut?: boolean
}

/**
 * What an actor may do next. None: it is at rest, which must follow from the context alone. Several: a choice.
 * `budget` bounds the entries that a walk or a cursor covers in one step.
 */
export type Does<M, F, C> = (memory: M, context: C, budget: number) => readonly Offer<F>[]
