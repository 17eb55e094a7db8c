/** Who chooses the next step of a simulated run: a scheduler is one file beside this one. */
import type { Space } from '../../worlds/space.ts'

/** A number from 0 up to below the limit, each as likely as the others. */
export type Dice = (limit: number) => number

export interface Scheduler {
  /** Before each run; `steps`: how many the longest run so far had. */
  begin(steps: number): void
  /** Which of the `n` steps in `space.steps` is taken; `at`: how many were taken before. */
  pick(space: Space<unknown, unknown>, n: number, at: number): number
}

/** Of the steps that an actor can take, any. */
export function anyOf(space: Space<unknown, unknown>, n: number, by: number, dice: Dice): number {
  let [first, count] = [-1, 0]
  for (let k = 0; k < n; k++) {
    if (space.steps[k]?.source.by !== by) continue
    if (first < 0) first = k
    count++
  }
  // The steps of one actor stand side by side.
  return count === 1 ? first : first + dice(count)
}
