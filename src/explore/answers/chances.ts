/**
 * The chance of failing from each state on, if each choice is equally likely: the mean of what the choices lead to. From
 * the ends backwards that is a fraction, exactly. Where ways lead back in circles the means stand in equations, which
 * are solved exactly as long as the circle is small.
 */
import { FAILED, type Ahead } from './ahead.ts'
import { fraction, minus, numberOf, ONE, over, plus, times, ZERO, type Fraction } from './fraction.ts'
import { connectedParts } from '../properties/parts.ts'

/** As a fraction, or as near as numbers come to it. 0 and 1 are always fractions. */
export type Chance = Fraction | number

export const isSure = (chance: Chance | undefined): boolean => chance === ONE
export const isNever = (chance: Chance | undefined): boolean => chance === ZERO
export const valueOf = (chance: Chance): number => (typeof chance === 'number' ? chance : numberOf(chance))

/** States with chances between 0 and 1 beyond which fractions take too long. */
const MOST_FRACTIONS = 50_000
/** States of a circle beyond which its equations are solved step by step. */
const MOST_EQUATIONS = 24
const PRECISION = 1e-15
const MOST_ROUNDS = 100_000

/** `forever`: what goes on for ever and is never decided has failed. */
export function chancesOf<M, F>(ahead: Ahead<M, F>, forever: boolean): readonly Chance[] {
  const chances: Chance[] = Array.from({ length: ahead.size }, () => ZERO)
  const of = (state: number): Chance => (state === FAILED ? ONE : (chances[state] as Chance))
  let fractions = 0
  const successors = (state: number): readonly number[] => ahead.successors(state)
  const within = (state: number): readonly number[] => successors(state).filter(s => s !== FAILED)
  for (const { states, isCircle } of connectedParts(ahead.size, () => true, within)) {
    const [first = 0] = states
    const exact = fractions < MOST_FRACTIONS
    if (isCircle) {
      const inside = new Set(states)
      const exits = states.flatMap(state =>
        successors(state)
          .filter(s => !inside.has(s))
          .map(of),
      )
      const only = exits.length === 0 ? (forever ? ONE : ZERO) : exits.every(isSure) ? ONE : exits.every(isNever) ? ZERO : undefined
      if (only !== undefined) for (const state of states) chances[state] = only
      else if (exact && states.length <= MOST_EQUATIONS && exits.every(e => typeof e !== 'number')) solve(states, successors, chances)
      else approach(states, successors, chances)
    } else {
      const decided = ahead.decided(first)
      chances[first] = decided === undefined ? mean(successors(first).map(of), exact) : decided ? ONE : ZERO
    }
    if (!isSure(chances[first]) && !isNever(chances[first])) fractions += states.length
  }
  return chances
}

function mean(chances: readonly Chance[], exact: boolean): Chance {
  if (chances.every(isSure)) return ONE
  if (chances.every(isNever)) return ZERO
  if (exact && chances.every(c => typeof c !== 'number')) {
    const sum = chances.reduce(plus, ZERO)
    return fraction(sum.of, sum.in * BigInt(chances.length))
  }
  return chances.reduce<number>((sum, c) => sum + valueOf(c), 0) / chances.length
}

type Chances = Chance[]
type Successors = (state: number) => readonly number[]

/** The equations of a circle, by Gauss and Jordan. */
function solve(states: readonly number[], successors: Successors, chances: Chances): void {
  const place = new Map(states.map((state, i) => [state, i]))
  const size = states.length
  const rows = states.map((state, i) => {
    const next = successors(state)
    const row: Fraction[] = Array.from({ length: size + 1 }, (_, j) => (i === j ? ONE : ZERO))
    const share = fraction(1n, BigInt(next.length))
    for (const s of next) {
      const j = place.get(s)
      const known = s === FAILED ? ONE : (chances[s] as Fraction)
      if (j === undefined) row[size] = plus(row[size] as Fraction, times(share, known))
      else row[j] = minus(row[j] as Fraction, share)
    }
    return row
  })
  for (let i = 0; i < size; i++) {
    const pivot = rows.findIndex((row, r) => r >= i && (row[i] as Fraction).of !== 0n)
    const [row, other] = [rows[pivot] as Fraction[], rows[i] as Fraction[]]
    rows[pivot] = other
    const head = row[i] as Fraction
    rows[i] = row.map(x => over(x, head))
    for (const [r, target] of rows.entries()) {
      const factor = target[i] as Fraction
      if (r === i || factor.of === 0n) continue
      rows[r] = target.map((x, c) => minus(x, times(factor, (rows[i] as Fraction[])[c] as Fraction)))
    }
  }
  for (const [i, state] of states.entries()) chances[state] = rows[i]?.[size] ?? ZERO
}

/** The same step by step (Gauss and Seidel), until nothing changes any more. */
function approach(states: readonly number[], successors: Successors, chances: Chances): void {
  for (const state of states) chances[state] = 0
  const of = (state: number): number => (state === FAILED ? 1 : valueOf(chances[state] as Chance))
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let moved = 0
    for (const state of states) {
      const next = successors(state)
      const now = next.reduce((sum, s) => sum + of(s), 0) / next.length
      moved = Math.max(moved, Math.abs(now - (chances[state] as number)))
      chances[state] = now
    }
    if (moved < PRECISION) return
  }
}
