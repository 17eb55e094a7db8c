/** Each actor in turn, beginning behind the one that acted last; of several offers, the first that is taken. */
import type { ActorName } from '../../kernel/offer.ts'
import type { Chooser } from './chooser.ts'

const ONE: readonly number[] = [0]

export function roundRobin(): Chooser {
  let last: ActorName | undefined
  return {
    order(active) {
      const at = last === undefined ? 0 : active.indexOf(last) + 1
      return at === 0 || at === active.length ? active : [...active.slice(at), ...active.slice(0, at)]
    },
    pick: offers => (offers === 1 ? ONE : Array.from({ length: offers }, (_, i) => i)),
    took: choice => void (last = choice.by),
  }
}
