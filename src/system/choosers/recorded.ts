/** What was chosen before, again: replay is a chooser that reads a log. It has nobody act where the log has ended. */
import type { Choice } from '../step.ts'
import type { Chooser } from './chooser.ts'

export function recorded(choices: Iterable<Choice>): Chooser {
  const left = choices[Symbol.iterator]()
  let next = left.next()
  return {
    order: () => (next.done === true ? [] : [next.value.by]),
    pick: () => (next.done === true ? [] : [next.value.offer]),
    budget: () => (next.done === true ? undefined : next.value.budget),
    took: () => void (next = left.next()),
  }
}
