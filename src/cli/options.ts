/** What the options of several verbs share: numbers, lists, JSON. */
import { InvalidArgumentError, Option } from 'commander'
import type { ExitCode } from './output.ts'

/** Makes of what a verb does what the command line calls. */
export type Verb = <A extends readonly unknown[]>(run: (...args: A) => ExitCode | Promise<ExitCode>) => (...args: A) => Promise<void>

export const whole = (word: string): number => {
  const n = Number(word)
  if (!Number.isSafeInteger(n) || n < 0) throw new InvalidArgumentError('Expected a whole number, 0 or more.')
  return n
}
export const listed = (word: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), word]
export const json = (): Option => new Option('--json', 'print JSON, for programs')
