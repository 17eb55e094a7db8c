/**
 * Integrity: each record ends in a CRC-32 of its own bytes, seeded by that of the record before. What was changed, cut or
 * moved is found, and named. The checksum is compared as text: a flipped bit that turns `a` into `A` is a change too.
 */
import { crc32 } from 'node:zlib'
import type { ByteWriter } from './bytes.ts'

/** Below so many bytes a call of zlib takes longer than going through them here. */
const SHORT = 200

/** What one to eight steps of the CRC's register come to, by the byte that enters: eight bytes are taken at once. */
const T0 = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : 0xedb88320 ^ (crc >>> 1)
  return crc
})
const more = (table: Int32Array): Int32Array => table.map(crc => (crc >>> 8) ^ (T0[crc & 255] ?? 0))
const T1 = more(T0)
const T2 = more(T1)
const T3 = more(T2)
const T4 = more(T3)
const T5 = more(T4)
const T6 = more(T5)
const T7 = more(T6)

/** CRC-32 of bytes behind others of which it is `seed`. */
function crcOf(bytes: Uint8Array, from: number, to: number, seed: number): number {
  if (to - from > SHORT) return crc32(bytes.subarray(from, to), seed)
  let crc = ~seed
  let at = from
  for (; at + 8 <= to; at += 8) {
    crc ^= byteOf(bytes, at) | (byteOf(bytes, at + 1) << 8) | (byteOf(bytes, at + 2) << 16) | (byteOf(bytes, at + 3) << 24)
    crc = entryOf(T7, crc & 255) ^ entryOf(T6, (crc >>> 8) & 255) ^ entryOf(T5, (crc >>> 16) & 255) ^ entryOf(T4, crc >>> 24)
    crc ^= entryOf(T3, byteOf(bytes, at + 4)) ^ entryOf(T2, byteOf(bytes, at + 5))
    crc ^= entryOf(T1, byteOf(bytes, at + 6)) ^ entryOf(T0, byteOf(bytes, at + 7))
  }
  for (; at < to; at++) crc = entryOf(T0, (crc ^ byteOf(bytes, at)) & 255) ^ (crc >>> 8)
  return ~crc >>> 0
}
// Two of the same, each of one kind of array: an engine makes far better code of them than of one that takes both.
const byteOf = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0
const entryOf = (table: Int32Array, at: number): number => table[at] ?? 0

const KEY = ',"k":"'
const CLOSE = '"}'
const END = `${CLOSE}\n`
const DIGITS = 8
const TAIL = KEY.length + DIGITS + CLOSE.length

const digitsOf = (crc: number): string => crc.toString(16).padStart(DIGITS, '0')

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
    this.#last = crcOf(to.bytes, start, end, this.#last)
    to.at = end
    to.raw(KEY)
    to.hex(this.#last)
    to.raw(END)
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
    const crc = crcOf(line, 0, body.length, this.#last)
    if (line.subarray(-TAIL).toString('latin1') !== `${KEY}${digitsOf(crc)}${CLOSE}`) return undefined
    this.#last = crc
    return `${body.toString('utf8')}}`
  }
}
