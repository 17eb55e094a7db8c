/**
 * The seam through which all nondeterminism goes: who acts next, which of an actor's offers it takes, and how far one
 * step goes. A strategy is one file beside this one. Choosers may keep books of their own; runs stay repeatable because
 * what was chosen is recorded.
 */
import type { ActorName } from '../../kernel/offer.ts'
import type { Choice } from '../step.ts'
import type { World } from '../world.ts'

export interface Chooser {
  /** Actors in the order in which they are to be asked; the first that can act, does. Others do not act. */
  order(active: readonly ActorName[], world: World<unknown>): Iterable<ActorName>
  /** Of an actor's offers, by number, in the order in which they are to be tried. */
  pick(offers: number, by: ActorName): Iterable<number>
  /** Entries that the step may cover; undefined: what the run suggests. */
  budget?(by: ActorName): number | undefined
  /** Is told what was taken in the end. */
  took?(choice: Choice): void
}
