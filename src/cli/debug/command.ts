/** What a command of the debugger is, and how it goes about long work. */
import { Mistake, type Session } from './session.ts'

/** What a command has to say; where that takes long, bit by bit: yields the step it is at, and is told whether to stop. */
export type Said = readonly string[] | Generator<number, readonly string[], boolean>

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
