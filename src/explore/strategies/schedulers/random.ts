/** Each step that can be taken is as likely as the others. */
import type { Dice, Scheduler } from './scheduler.ts'

export const randomly = (dice: Dice): Scheduler => ({
  begin: () => {},
  pick: (_space, n) => (n === 1 ? 0 : dice(n)),
})
