/**
 * Few preemptions (Musuvathi, Qadeer: "Iterative context bounding"): whoever acts goes on until it cannot, but for a bounded
 * number of times at which another is let in. Most bugs need very few.
 */
import { anyOf, type Dice, type Scheduler } from './scheduler.ts'

export function fewPreemptions(dice: Dice, bound = 2): Scheduler {
  let running = -1
  let changes: number[] = []
  return {
    begin(steps) {
      running = -1
      changes = Array.from({ length: bound }, () => dice(Math.max(1, steps)))
    },
    pick(space, n, at) {
      const able = new Set(space.steps.slice(0, n).map(step => step.source.by))
      const preempted = changes.includes(at) && able.size > 1
      if (preempted) able.delete(running)
      if (preempted || !able.has(running)) running = [...able][dice(able.size)] as number
      return anyOf(space, n, running, dice)
    },
  }
}
