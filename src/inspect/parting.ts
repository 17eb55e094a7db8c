/**
 * Where two runs part: the first step at which they do not do the same, or at which not the same becomes of memory. Clocks,
 * causes and digests do not count, and neither does what is still to be done: where that matters, a later step shows it.
 */
import { revived } from '../log/values.ts'
import type { Fact } from '../memory/facts.ts'
import { describe, type Described } from './describe.ts'
import { factInWords } from './facts-in-words.ts'
import type { Run } from './recording.ts'

/** A step of a run, with its number and its actor. */
export interface DoneStep extends Described {
  readonly n: number
  readonly by: string
}

/** In what two steps differ: who acts, what is done, the calls to others, the facts about memory, what the actor is told. */
export type Aspect = 'by' | 'do' | 'calls' | 'facts' | 'told'

export interface Parting<S> {
  /** How many steps they have in common, from the beginning on. */
  readonly common: number
  /** The first step of each that the other does not take; undefined: it is over. */
  readonly sides: readonly [S | undefined, S | undefined]
  readonly differsIn: readonly Aspect[]
}

/** What counts of a step, aspect by aspect. */
const COUNTS: Readonly<Record<Aspect, (step: DoneStep) => unknown>> = {
  by: step => step.by,
  do: step => step.do,
  calls: step => step.calls.map(({ to, event }) => [to, event]),
  facts: step => step.facts,
  told: step => toldOf(step),
}
const ASPECTS = Object.keys(COUNTS) as readonly Aspect[]
/** What is done, whatever becomes of it. */
export const DEEDS: readonly Aspect[] = ['by', 'do']

/** How many steps two runs have in common, from the first on, as far as these aspects go. */
export function commonSteps(a: readonly DoneStep[], b: readonly DoneStep[], aspects: readonly Aspect[] = ASPECTS): number {
  const end = Math.min(a.length, b.length)
  for (let i = 0; i < end; i++) if (aspectsOf(a[i], b[i]).some(aspect => aspects.includes(aspect))) return i
  return end
}

/** Where two runs part, of which these are all the steps; undefined: nowhere. */
export function partingOf<S extends DoneStep>(
  a: readonly S[],
  b: readonly S[],
  aspects: readonly Aspect[] = ASPECTS,
): Parting<S> | undefined {
  const common = commonSteps(a, b, aspects)
  const sides = [a[common], b[common]] as const
  return sides[0] === undefined && sides[1] === undefined ? undefined : { common, sides, differsIn: aspectsOf(...sides) }
}

function aspectsOf(a: DoneStep | undefined, b: DoneStep | undefined): readonly Aspect[] {
  if (a === undefined || b === undefined) return a === b ? [] : ['do']
  return ASPECTS.filter(aspect => !same(COUNTS[aspect](a), COUNTS[aspect](b)))
}

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

/** What the actor's machine was told, without what it has still to do. */
export const toldOf = ({ event }: DoneStep): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(event).filter(([key]) => key !== 'agenda' && key !== 'left'))

/** A side of a parting in words. */
export interface Side {
  readonly n: number
  readonly by: string
  readonly text: string
  /** What only this side has: facts, calls, and what its actor is told. */
  readonly only: readonly string[]
  /** Facts that both have. */
  readonly shared: number
}

/** Both sides of a parting in words; null for one that is over. */
export function sidesOf({ sides: [a, b] }: Parting<DoneStep>): readonly [Side | null, Side | null] {
  return [a === undefined ? null : sideOf(a, b), b === undefined ? null : sideOf(b, a)]
}

function sideOf(step: DoneStep, other: DoneStep | undefined): Side {
  const facts = without(step.facts, other?.facts ?? [])
  const theirs = new Set(without(other?.facts ?? [], step.facts).map(factInWords))
  const calls = without(callsOf(step), other === undefined ? [] : callsOf(other))
  const told = toldOf(step)
  const tells = other === undefined ? {} : toldOf(other)
  // What follows from another thing being done needs no telling.
  const alike = other !== undefined && step.do === other.do
  return {
    n: step.n,
    by: step.by,
    text: describe(step).text,
    only: [
      ...facts.map(fact => inWords(fact, theirs)),
      ...(alike ? calls.map(([to, event]) => `calls ${to}: ${JSON.stringify(event)}`) : []),
      ...(alike ? Object.keys(told).flatMap(key => (same(told[key], tells[key]) ? [] : [`${key}: ${JSON.stringify(told[key])}`])) : []),
    ],
    shared: step.facts.length - facts.length,
  }
}

/** What each of two recorded steps has that the other has not, where words do not tell them apart. */
export function partedSteps(a: Run, n: number, b: Run, m: number): readonly [string, string] {
  const [x, y] = [recorded(a, n), recorded(b, m)]
  const [one, other] = [sideOf(x, y).only, sideOf(y, x).only]
  if (one.length + other.length === 0) return ['with something else still to be done', 'with something else still to be done']
  const words = (only: readonly string[]): string => (only.length === 0 ? 'without that' : `with ${only.join('; ')}`)
  return [words(one), words(other)]
}

function recorded(run: Run, n: number): DoneStep {
  const { by, do: what, event, facts } = run.record(n)
  // What is still to be done does not count, nor what is at hand for it.
  const { array: _array, out: _out, ...told } = event
  return { n, by, do: what, event: revived(told) as DoneStep['event'], calls: [], facts: revived(facts) as readonly Fact[] }
}

const callsOf = ({ calls }: DoneStep): readonly (readonly [to: string, event: object])[] => calls.map(({ to, event }) => [to, event])

/** A fact in words, if they tell it from those of the other side. */
function inWords(fact: Fact, theirs: ReadonlySet<string>): string {
  const words = factInWords(fact)
  return words === '' || theirs.has(words) ? JSON.stringify(fact) : words
}

/** What `list` has and `other` has not, each as often as it has it more. */
function without<T>(list: readonly T[], other: readonly T[]): readonly T[] {
  const left = new Map<string, number>()
  for (const x of other) left.set(JSON.stringify(x), (left.get(JSON.stringify(x)) ?? 0) + 1)
  return list.filter(x => {
    const key = JSON.stringify(x)
    const count = left.get(key) ?? 0
    if (count > 0) left.set(key, count - 1)
    return count === 0
  })
}
