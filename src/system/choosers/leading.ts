/** What was chosen elsewhere, first; then another chooser goes on. */
import type { Choice } from '../step.ts'
import type { Chooser } from './chooser.ts'

export function leading(choices: readonly Choice[], then: Chooser): Chooser {
  let at = 0
  return {
    order: (active, world) => (at < choices.length ? choices.slice(at, at + 1).map(choice => choice.by) : then.order(active, world)),
    pick: (offers, by) => (at < choices.length ? choices.slice(at, at + 1).map(choice => choice.offer) : then.pick(offers, by)),
    budget: by => (at < choices.length ? choices[at]?.budget : then.budget?.(by)),
    took: choice => (at < choices.length ? void at++ : then.took?.(choice)),
  }
}
