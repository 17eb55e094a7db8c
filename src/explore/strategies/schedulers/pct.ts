/**
 * PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte: "A randomized scheduler with probabilistic guarantees of finding bugs"):
 * actors have random priorities, the highest acts, and at a few random steps whoever acts falls behind all others. A bug
 * that needs d orderings is found with a chance of at least 1 in n·k^(d-1), for n actors and k steps.
 */
import { anyOf, type Dice, type Scheduler } from './scheduler.ts'

export function pct(dice: Dice, orderings = 3): Scheduler {
  const priority = new Map<number, number>()
  let changes: number[] = []
  let lowest = 0
  return {
    begin(steps) {
      priority.clear()
      lowest = 0
      changes = Array.from({ length: orderings - 1 }, () => dice(Math.max(1, steps)))
    },
    pick(space, n, at) {
      let [best, highest] = [-1, -Infinity]
      for (let k = 0; k < n; k++) {
        const by = space.steps[k]?.source.by ?? 0
        const own = priority.get(by) ?? 1 + dice(2 ** 30)
        priority.set(by, own)
        if (own > highest) [best, highest] = [by, own]
      }
      if (changes.includes(at)) priority.set(best, --lowest)
      return anyOf(space, n, best, dice)
    },
  }
}
