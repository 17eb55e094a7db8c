/** The lines of a log: from its bytes, or from a file piece by piece, so that a log of any size can be read. */
import { readSync } from 'node:fs'

export interface Line {
  readonly bytes: Buffer
  /** It ends in a newline. */
  readonly whole: boolean
  /** It is longer than any record may be; only its beginning is here. */
  readonly long?: boolean
}

/** No record is longer: a checkpoint of all that a world may hold has room. */
export const LONGEST = 1 << 27
const NEWLINE = 0x0a
const CHUNK = 1 << 20

export function* linesOf(bytes: Buffer): Generator<Line> {
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, at)
    const whole = newline >= 0
    yield { bytes: bytes.subarray(at, whole ? newline : undefined), whole }
    at = whole ? newline + 1 : bytes.length
  }
}

/** The lines of an open file from an offset on. Ends behind a line that is too long. */
export function* linesOfFile(fd: number, from = 0, longest = LONGEST): Generator<Line> {
  let held: Buffer[] = []
  let size = 0
  for (let offset = from; ;) {
    const chunk = Buffer.allocUnsafe(CHUNK)
    const read = readSync(fd, chunk, 0, CHUNK, offset)
    if (read === 0) break
    offset += read
    let at = 0
    for (let newline = chunk.subarray(0, read).indexOf(NEWLINE); newline >= 0; newline = chunk.subarray(0, read).indexOf(NEWLINE, at)) {
      const rest = chunk.subarray(at, newline)
      yield { bytes: held.length === 0 ? rest : Buffer.concat([...held, rest]), whole: true }
      held = []
      size = 0
      at = newline + 1
    }
    if (at < read) {
      held.push(chunk.subarray(at, read))
      size += read - at
    }
    if (size > longest) {
      yield { bytes: held[0] ?? chunk, whole: false, long: true }
      return
    }
  }
  if (size > 0) yield { bytes: Buffer.concat(held), whole: false }
}

/** The whole lines of a file that may still grow: where there is no next one, there may be later. */
export class GrowingLines implements IterableIterator<Line> {
  readonly #fd: number
  #offset = 0
  #held: Buffer[] = []
  readonly #lines: Line[] = []

  constructor(fd: number) {
    this.#fd = fd
  }

  [Symbol.iterator](): this {
    return this
  }

  /** Is there a line? */
  get ready(): boolean {
    while (this.#lines.length === 0 && this.#read());
    return this.#lines.length > 0
  }

  next(): IteratorResult<Line, undefined> {
    const line = this.ready ? this.#lines.shift() : undefined
    return line === undefined ? { done: true, value: undefined } : { done: false, value: line }
  }

  /** Reads on; false if there is nothing more at the moment. */
  #read(): boolean {
    const chunk = Buffer.allocUnsafe(1 << 16)
    const read = readSync(this.#fd, chunk, 0, chunk.length, this.#offset)
    this.#offset += read
    let at = 0
    const bytes = chunk.subarray(0, read)
    for (let newline = bytes.indexOf(NEWLINE); newline >= 0; newline = bytes.indexOf(NEWLINE, at)) {
      this.#lines.push({ bytes: Buffer.concat([...this.#held, bytes.subarray(at, newline)]), whole: true })
      this.#held = []
      at = newline + 1
    }
    if (at < read) this.#held.push(bytes.subarray(at))
    if (this.#held.length * chunk.length > LONGEST) this.#lines.push({ bytes: this.#held[0] ?? bytes, whole: false, long: true })
    return read > 0
  }
}
