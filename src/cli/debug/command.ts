/** What a command of the debugger is, and how it goes about long work. */
import { Mistake } from './mistake.ts'
import type { Session } from './session.ts'

/** What a command has to say that may take long, bit by bit: yields the step it is at, or where it is in words, and is told whether to stop. */
export type Saying = Generator<number | string, readonly string[], boolean>
export type Said = readonly string[] | Saying

export interface Command {
  /** The name, and short forms of it. */
  readonly names: readonly string[]
  readonly args: string
  readonly help: string
  /** `rest` is what stands behind the name. */
  run(session: Session, rest: string): Said
}

/** A whole number, or one if nothing is said. */
export function countOf(rest: string): number {
  if (rest === '') return 1
  const n = Number(rest)
  if (!Number.isSafeInteger(n) || n < 1) throw new Mistake(`expected a number of steps, got '${rest}'`)
  return n
}
