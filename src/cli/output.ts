/** What the verbs share: exit codes, messages, colours, tables, progress, and being stopped. */
import { randomUUID } from 'node:crypto'
import { styleText } from 'node:util'
import { escaped, inLine, shown } from '../log/unseen.ts'

/** 0 what was claimed holds, 1 it does not, 2 cut short: unknown, 3 the command was not understood. */
export const EXIT = { holds: 0, violated: 1, unknown: 2, usage: 3 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A mistake of the user's: one clear message, no stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * Lines. What is printed may come from a log that anybody has written: nothing in it makes a line of its own, and of control
 * characters, only our own styles get through.
 */
export const print = (first = '', ...more: readonly string[]): void =>
  void process.stdout.write([first, ...more].map(line => `${withStyles(inLine(line))}\n`).join(''))
export const printJson = (value: unknown): void => print(shown(JSON.stringify(value), escaped))

/** Text of ours, in as many lines as it has, that does nothing else to a terminal. */
export const harmless = (text: string): string => withStyles(shown(text, escaped))

/** Stands where a style of ours begins or ends, until it is printed: nobody who has written a log could know it. */
const OWN = randomUUID()
const ESCAPE = String.fromCharCode(0x1b)
const withStyles = (text: string): string => text.replaceAll(OWN, ESCAPE)

type Style = Parameters<typeof styleText>[0]
/** Text in a colour, where a terminal shows it. */
export const styled = (style: Style, text: string): string =>
  colourful()
    ? styleText(style, '|', { validateStream: false })
        .replaceAll(ESCAPE, OWN)
        .replace('|', () => text)
    : text
export const colourful = (): boolean => process.stdout.isTTY && process.env['NO_COLOR'] === undefined
/** A terminal that does not know how wide it is says 0. */
export const columns = (): number => (process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : 110)
/** How wide lines may be: as wide as the terminal; where there is none, as `COLUMNS` says, and else as they are. */
export const lineWidth = (): number => {
  if (process.stdout.isTTY) return columns()
  const said = Number(process.env['COLUMNS'])
  return Number.isSafeInteger(said) && said > 0 ? said : Infinity
}

/** Rows in columns, the first row as a head; columns of numbers stand to the right. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => (row[i] ?? '').length)))
  const right = widths.map((_, i) => rows.slice(1).every(row => /^[\d.,%–-]*$/.test(row[i] ?? '')))
  return rows.map((row, at) => {
    const line = row.map((cell, i) => (right[i] === true ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  ')
    return at === 0 ? styled('dim', line.trimEnd()) : line.trimEnd()
  })
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString('en')} ${n === 1 ? one : many}`

/** Long work: shows how far it is on a terminal, lets other events in, and can be stopped by Ctrl-C. */
export class Work {
  #shown = 0
  #yielded = performance.now()
  readonly #started = performance.now()
  #stopped = false
  readonly #stop = (): void => void (this.#stopped = true)

  constructor() {
    process.once('SIGINT', this.#stop)
  }

  get stopped(): boolean {
    return this.#stopped
  }
  /** For those to whom Ctrl-C is a key. */
  stop(): void {
    this.#stopped = true
  }

  /** To be called often: cheap, unless there is something to show. */
  async breathe(what: () => string): Promise<void> {
    const now = performance.now()
    if (now - this.#yielded < 40) return
    await new Promise<void>(resolve => void setImmediate(resolve))
    this.#yielded = performance.now()
    if (!process.stderr.isTTY || now - this.#started < 700 || now - this.#shown < 100) return
    this.#shown = now
    // A line that is too long would leave its first half behind.
    process.stderr.write(`\r\u001b[K${harmless(what()).slice(0, (process.stderr.columns ?? 80) - 1)}`)
  }

  end(): void {
    process.removeListener('SIGINT', this.#stop)
    if (this.#shown > 0) process.stderr.write('\r\u001b[K')
    this.#shown = 0
  }
}
