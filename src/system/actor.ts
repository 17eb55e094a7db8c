/**
 * The contract between machines, rules and system. A *passive* machine takes calls and replies; an *active* one
 * names in `meta.does` the rule that offers its next atomic actions. A machine never sees memory: rules read it,
 * and tell the machine the outcome as an event.
 *
 * Contexts, events, replies and facts are plain data (JSON, and `Table`s): they are written down and compared.
 */
import type { AnyStateMachine, ContextFrom, InputFrom } from 'xstate'
import type { ActorName, Does } from '../kernel/offer.ts'

export type { ActorName, AnyEvent, Call, Calls, Does, Offer } from '../kernel/offer.ts'

export interface Snapshot {
  readonly value: string
  readonly context: object
}

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
