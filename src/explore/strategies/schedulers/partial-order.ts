/**
 * Partial-order sampling (Yuan, Yang, Gu: "Partial order aware concurrency sampling"): every step that can be taken has a
 * random priority, and gets a new one when a step is taken that it depends on. So orders that differ in what matters are
 * drawn more evenly than by a walk at random.
 */
import { Footprints } from '../../worlds/footprint.ts'
import type { Space } from '../../worlds/space.ts'
import type { Step } from '../../worlds/steps.ts'
import type { Dice, Scheduler } from './scheduler.ts'

export function partialOrder(dice: Dice): Scheduler {
  const priority = new Map<number, number>()
  let footprints: Footprints<unknown, unknown> | undefined
  let of: Space<unknown, unknown> | undefined
  const placeOf = ({ source }: Step<unknown>): number => source.by * 64 + source.at
  return {
    begin: () => priority.clear(),
    pick(space, n) {
      if (of !== space || footprints === undefined) footprints = new Footprints((of = space))
      let [best, highest] = [0, -1]
      for (let k = 0; k < n; k++) {
        const place = placeOf(space.steps[k] as Step<unknown>)
        const own = priority.get(place) ?? dice(2 ** 30)
        priority.set(place, own)
        if (own > highest) [best, highest] = [k, own]
      }
      const taken = space.steps[best] as Step<unknown>
      for (let k = 0; k < n; k++) {
        const other = space.steps[k] as Step<unknown>
        if (!footprints.independent(taken, other)) priority.delete(placeOf(other))
      }
      return best
    },
  }
}
