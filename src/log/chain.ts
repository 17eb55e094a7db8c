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
const hexDigit = (crc: number, shift: number): number => HEX.charCodeAt((crc >>> shift) & 15)

/** Closes records by their checksums, as they are written one behind the other. */
export class Sealer {
  #last = 0

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

/** Reads records as a sealer wrote them. */
export class Opener {
  #last = 0

  /** The record that a line holds, without its checksum; undefined if the line is not what was written behind the one before. */
  open(line: Buffer): string | undefined {
    const body = line.subarray(0, -TAIL)
    const crc = crc32(body, this.#last)
    const digits = crc.toString(16).padStart(DIGITS, '0')
    if (line.subarray(-TAIL).toString('latin1') !== `${KEY}${digits}${CLOSE}`) return undefined
    this.#last = crc
    return `${body.toString('utf8')}}`
  }
}
