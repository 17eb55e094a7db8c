/** What a step changed, in words: only what is another afterwards, each part by its path. */
import { stateDifferences, valueDifferences, type StateDifference } from './diff/states.ts'
import type { LinuxWorld } from './linux.ts'
import { differs, valueInWords, type Path } from './path.ts'
import type { Run } from './recording.ts'

export interface Change {
  /** What is watched, or the part of it that changed. */
  readonly text: string
  readonly before: string
  readonly after: string
}

/** What is another at a path in another world. */
export function changesAt(path: Path, before: LinuxWorld, after: LinuxWorld): readonly Change[] {
  if (!differs(path, before, after)) return []
  if (path.parts !== undefined) return path.parts().flatMap(part => changesAt(part, before, after))
  const [a, b] = [path.read(before), path.read(after)]
  if (isPlain(a) && isPlain(b) && !RANGE.test(path.text)) return [...valueDifferences(path.text, a, b)].map(inWords)
  return [{ text: path.text, before: path.show(before), after: path.show(after) }]
}

/** What is otherwise at one place of a run than at another, anywhere. */
export function changesBetween(run: Run, from: number, to: number): readonly Change[] {
  const { system } = run
  return [...stateDifferences({ system, world: run.world(from) }, { system, world: run.world(to) })].map(inWords)
}

/** What a step changed. */
export const changesOf = (run: Run, n: number): readonly Change[] => (n <= run.first ? [] : changesBetween(run, n - 1, n))

/** Has it parts that can be told? What a range of indices has is told as it is. */
const isPlain = (value: unknown): boolean => typeof value === 'object' && value !== null
const RANGE = /\.\d+[-–]\d+(\.\w+)?$/

const inWords = ({ path, a, b }: StateDifference): Change => ({ text: path, before: word(a), after: word(b) })
/** Of agendas and programs, only what is to be done. */
const word = (value: unknown): string =>
  typeof value === 'string' ? value : isAgenda(value) ? `[${value.map(item => item.do).join(', ')}]` : valueInWords(value)
const isAgenda = (value: unknown): value is readonly { readonly do: string }[] =>
  Array.isArray(value) && value.length > 0 && value.every(item => typeof item === 'object' && item !== null && typeof item.do === 'string')

/** Lines of them: a diff in which all that stayed is left out. */
export const changeText = (changes: readonly Change[]): readonly string[] =>
  changes.length === 0 ? ['  nothing changed'] : changes.map(change => `  ${changeLine(change)}`)

export const changeLine = ({ text, before, after }: Change): string => `${text}: ${before} → ${after}`
