/** A mistake in a command of the debugger: told, and the session goes on. */
export class Mistake extends Error {
  override readonly name = 'Mistake'
}
