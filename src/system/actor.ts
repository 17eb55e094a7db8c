/**
 * The contract between machines, rules and system. A *passive* machine takes calls and replies; an *active* one
 * names in `meta.does` the rule that offers its next atomic actions. A machine never sees memory: rules read it,
 * and tell the machine the outcome as an event.
 *
 * Contexts, events, replies and facts are plain data (JSON, and `Table`s): they are written down and compared.
 */
import type { AnyStateMachine, ContextFrom, InputFrom } from 'xstate'

/** An actor is named by what it is: `cpu0`, `mm0.registry`, `gpu0.range0`. */
export type ActorName = string

export interface Snapshot {
  readonly value: string
  readonly context: object
}

export interface AnyEvent {
  readonly type: string
}

/** A function call of the kernel, taken within the step or not at all. */
export interface Call {
  readonly to: ActorName
  readonly event: AnyEvent
}

/** Calls are made in order; one that depends on what an earlier one replied is given as a function of the replies. */
export type Calls = readonly (Call | ((replies: readonly unknown[]) => Call))[]

/**
 * One atomic action, offered by an active actor: what no other CPU could see half done. If every call is taken, the
 * facts are folded into memory and the actor's own machine receives `event`.
 */
export interface Offer<F> {
  /** What is done, in the kernel's words: `zap_pte_range`, `mmap_read_lock`. */
  readonly do: string
  readonly calls: Calls
  readonly facts: readonly F[]
  readonly event: (replies: readonly unknown[]) => AnyEvent
  /** The budget of entries ran out before the work did: the step would have gone further with a larger one. */
  readonly cut?: boolean
}

/**
 * What an actor may do next. None: it is at rest, which must follow from the context alone, or, with calls that are
 * refused, blocked. Several: a choice. `budget` bounds the entries that a walk or a cursor covers in one step.
 */
export type Does<M, F, C> = (memory: M, context: C, budget: number) => readonly Offer<F>[]

/** A kind of actor: a machine and the rules that its states name. */
export interface Kind<M, F, T extends AnyStateMachine = AnyStateMachine> {
  readonly machine: T
  readonly does: Readonly<Record<string, Does<M, F, object>>>
}

/** Pairs a machine with rules over its own context. */
export function kind<M, F, T extends AnyStateMachine>(
  machine: T,
  does: Readonly<Record<string, Does<M, F, ContextFrom<T>>>> = {},
): Kind<M, F, T> {
  // Rules of this kind are only ever given contexts of its machine, which the parameter types above have checked.
  return { machine, does: does as Kind<M, F>['does'] }
}

export interface Actor<M, F> {
  readonly name: ActorName
  readonly kind: Kind<M, F>
  readonly input: object
}

/** An actor of a kind, with the input that its machine's context is made from. */
export function actor<M, F, T extends AnyStateMachine>(name: ActorName, of: Kind<M, F, T>, input: InputFrom<T> & object): Actor<M, F> {
  return { name, kind: of, input }
}

/** The one action besides `assign` that a machine may use: answers the call that is being taken. */
export const reply = (_: unknown, _params: { readonly value: unknown }): void => {}
