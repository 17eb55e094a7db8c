/** Logs that cannot be gone on with, as errors: a file that is none, and a log that says what cannot be. */

import { inLine } from './unseen.ts'

/** A file that is no log of ours at all; the message says what was expected, and what to do. */
export class NotALog extends Error {
  override readonly name = 'NotALog'

  constructor(message: string) {
    super(inLine(message))
  }
}

/** Something in a log that is not what was written, or makes no sense, found when it was needed. */
export class DamagedLog extends Error {
  override readonly name = 'DamagedLog'

  /** The message may have words of the log in it: it stays on its line. */
  constructor(message: string, options?: ErrorOptions) {
    super(inLine(message), options)
  }
}

/** Errors that nobody meant to be read. */
const PLAIN: ReadonlySet<string> = new Set(['Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError'])
/** Of a message that has words of the log in it, so much is told. */
const TOLD = 300

/**
 * What became of something that a log tells of (`step 7`), when it was folded, decided again or built. A seal does not say that
 * a record makes sense, and so it is the log that is refused; errors that have something to say of their own stay what they are.
 */
export function senseless(what: string, error: unknown): Error {
  if (!(error instanceof Error)) return new DamagedLog(`${what} is sealed, and makes no sense: ${String(error)}`)
  if (!PLAIN.has(error.name) || 'syscall' in error) return error
  const { message } = error
  const told = message.length > TOLD ? `${message.slice(0, TOLD)}…` : message
  return new DamagedLog(`${what} is sealed, and makes no sense: ${told}. If mirrorwalk wrote this log, please report it as a defect.`, {
    cause: error,
  })
}
