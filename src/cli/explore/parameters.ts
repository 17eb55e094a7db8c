/** Parameters of a scenario, as they are named on the command line: `devices=2`. */
import type { Scenario } from '../../scenario/api.ts'
import type { Value, Values } from '../../scenario/parameters.ts'
import { UsageError } from '../output.ts'

/** A name and what is said of it. */
export function pairOf(word: string): readonly [name: string, text: string] {
  const [, name, text] = /^([^=]+)=(.+)$/.exec(word) ?? []
  if (name === undefined || text === undefined) throw new UsageError(`'${word}': expected a name and a value, such as devices=2`)
  return [name, text]
}

/** A value of the kind that a scenario takes for a parameter; what it has no such parameter for, or takes otherwise, it says itself. */
export function valueOf({ parameters }: Scenario, name: string, text: string): Value {
  switch (typeof parameters[name]) {
    case 'number':
      return Number.isNaN(Number(text)) ? text : Number(text)
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    default:
      return text
  }
}

export const parametersOf = (scenario: Scenario, words: readonly string[] = []): Values =>
  Object.fromEntries(
    words.map(word => {
      const [name, text] = pairOf(word)
      return [name, valueOf(scenario, name, text)]
    }),
  )
