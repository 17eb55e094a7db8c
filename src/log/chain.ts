/**
 * Integrity: each record ends in a CRC-32 of its own bytes, seeded by that of the record before. What was changed, cut or
 * moved is found, and named. The checksum is compared as text: a flipped bit that turns `a` into `A` is a change too.
 */
import { crc32 } from 'node:zlib'
import type { ByteWriter } from './bytes.ts'

const KEY = ',"k":"'
const CLOSE = '"}'
const DIGITS = 8
const TAIL = KEY.length + DIGITS + CLOSE.length

const HEX = '0123456789abcdef'
const digitsOf = (crc: number): string => crc.toString(16).padStart(DIGITS, '0')
const hexDigit = (crc: number, shift: number): number => HEX.charCodeAt((crc >>> shift) & 15)

const NO_DIGITS = '0'.repeat(DIGITS)

/** Closes records by their checksums, as they are written one behind the other. */
export class Sealer {
  #last = 0

  /** The checksum that the next record follows from, as text. */
  get last(): string {
    return digitsOf(this.#last)
  }

  /** The record that stands in `to` from `start` on gets its checksum and its end. */
  seal(to: ByteWriter, start: number): void {
    // The closing brace comes behind the checksum.
    const end = to.at - 1
    this.#last = crc32(to.view(start, end), this.#last)
    to.at = end
    to.raw(KEY)
    for (let shift = 28; shift >= 0; shift -= 4) to.byte(hexDigit(this.#last, shift))
    to.raw(CLOSE)
    to.raw('\n')
  }
}

/** Reads records as a sealer wrote them, from the first on, or from behind the one with the checksum `after`. */
export class Opener {
  #last: number

  constructor(after = NO_DIGITS) {
    this.#last = Number.parseInt(after, 16)
  }

  /** The checksum that the next record has to follow from. */
  get last(): string {
    return digitsOf(this.#last)
  }

  /** The record that a line holds, without its checksum; undefined if the line is not what was written behind the one before. */
  open(line: Buffer): string | undefined {
    const body = line.subarray(0, -TAIL)
    const crc = crc32(body, this.#last)
    if (line.subarray(-TAIL).toString('latin1') !== `${KEY}${digitsOf(crc)}${CLOSE}`) return undefined
    this.#last = crc
    return `${body.toString('utf8')}}`
  }
}
