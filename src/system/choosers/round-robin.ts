/** Each actor in turn: who has not acted for longest comes first. Of several offers, the first that is taken. */
import type { ActorName } from '../../kernel/offer.ts'
import type { Chooser } from './chooser.ts'

export function roundRobin(): Chooser {
  const turns = new Map<ActorName, number>()
  let turn = 0
  return {
    order: active => [...active].sort((a, b) => (turns.get(a) ?? 0) - (turns.get(b) ?? 0)),
    pick: offers => Array.from({ length: offers }, (_, i) => i),
    took: choice => void turns.set(choice.by, ++turn),
  }
}
