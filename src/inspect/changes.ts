/** What a step changed, in words: only what is another afterwards, each part by its path. */
import { stateDifferences, valueDifferences, type StateDifference } from './diff/states.ts'
import type { LinuxSystem, LinuxWorld } from './linux.ts'
import { differs, valueInWords, type Path } from './path.ts'
import { cameTo, type Run } from './recording.ts'

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

/** What is otherwise at one place of a run than at another, anywhere; `of`: the run that the first place is in, if not the same. */
export const changesBetween = (run: Run, from: number, to: number, of = run): readonly Change[] =>
  changesOfWorlds(of.system, of.world(from), run.system, run.world(to))

/** What a step changed. */
export const changesOf = (run: Run, n: number): readonly Change[] =>
  n <= run.first ? [] : changesOfWorlds(run.system, run.world(n - 1), run.system, cameTo(run, n))

/** What was changed by hand behind a step, where a branch begins. */
export function changedByHand(run: Run, n: number): readonly Change[] {
  const before = run.unchanged?.(n)
  return before === undefined ? [] : changesOfWorlds(run.system, before, run.system, run.world(n))
}

const changesOfWorlds = (a: LinuxSystem, before: LinuxWorld, b: LinuxSystem, after: LinuxWorld): readonly Change[] =>
  [...stateDifferences({ system: a, world: before }, { system: b, world: after })].map(inWords)

/** A change of what a path leads to: by a step, or by hand behind it. */
export interface Changing {
  readonly n: number
  readonly byHand: boolean
}
/** Steps between two reports. */
const STRIDE = 256

/**
 * The last change of it up to a step, or the first one from a step on; undefined: there is none. Yields how far it is, and is
 * told whether to stop.
 */
export function* searchingChange(
  run: Run,
  path: Path,
  n: number,
  back: boolean,
): Generator<number, Changing | 'stopped' | undefined, boolean> {
  const hands = run.origins.map(({ step }) => step).filter(step => (back ? step <= n : step >= n) && isChangedByHand(run, path, step))
  const hand = hands.length === 0 ? undefined : { n: back ? Math.max(...hands) : Math.min(...hands), byHand: true }
  const steps = n > run.last || (back && n <= run.first) ? [] : run.candidates(Math.max(n, run.first + 1), back, path.keys)
  for (const at of steps) {
    if (at <= run.first || at > run.last) break
    // What is changed by hand comes behind the step.
    if (hand !== undefined && (back ? at <= hand.n : at > hand.n)) break
    if (at % STRIDE === 0 && (yield at)) return 'stopped'
    if (differs(path, run.world(at - 1), cameTo(run, at))) return { n: at, byHand: false }
  }
  return hand
}

function isChangedByHand(run: Run, path: Path, n: number): boolean {
  const before = run.unchanged?.(n)
  return before !== undefined && differs(path, before, run.world(n))
}

/** A change that was made by hand: where, and what it was. */
export const handLines = (run: Run, n: number, path: Path): readonly string[] => [
  whereByHand(run, n),
  ...changesAt(path, cameTo(run, n), run.world(n)).map(change => `  ${changeLine(change)}`),
]
export const whereByHand = (run: Run, n: number): string => {
  const made = run.origins.filter(({ step, changed }) => step === n && changed.length > 0)
  return `behind step ${n}, by hand: ${made.map(({ name, changed }) => `branch ${name} begins there, with ${changed.join('; ')}`).join('; ')}`
}

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
