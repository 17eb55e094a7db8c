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
function crcOf(bytes: DataView, from: number, to: number, seed: number): number {
  if (to - from > SHORT) return crc32(new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from), seed)
  let crc = ~seed
  let at = from
  for (; at + 8 <= to; at += 8) {
    crc ^= bytes.getInt32(at, true)
    const next = bytes.getInt32(at + 4, true)
    crc = of(T7, crc) ^ of(T6, crc >>> 8) ^ of(T5, crc >>> 16) ^ of(T4, crc >>> 24)
    crc ^= of(T3, next) ^ of(T2, next >>> 8) ^ of(T1, next >>> 16) ^ of(T0, next >>> 24)
  }
  for (; at < to; at++) crc = of(T0, crc ^ bytes.getUint8(at)) ^ (crc >>> 8)
  return ~crc >>> 0
}
const of = (table: Int32Array, bits: number): number => table[bits & 255] ?? 0

const KEY = ',"k":"'
const CLOSE = '"}'
const END = `${CLOSE}\n`
const DIGITS = 8
const TAIL = KEY.length + DIGITS + CLOSE.length

/** The digit in this place, as a byte. */
const digitOf = (crc: number, i: number): number => HEX.charCodeAt((crc >>> (28 - 4 * i)) & 15)
const HEX = '0123456789abcdef'
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
    const body = line.length - TAIL
    if (body < 0) return undefined
    const crc = crcOf(new DataView(line.buffer, line.byteOffset, line.length), 0, body, this.#last)
    if (!isSealed(line, body, crc)) return undefined
    this.#last = crc
    return `${line.toString('utf8', 0, body)}}`
  }
}

/** Does a line end in this checksum, as it is written? */
function isSealed(line: Buffer, body: number, crc: number): boolean {
  const digits = body + KEY.length
  for (let i = 0; i < KEY.length; i++) if (line[body + i] !== KEY.charCodeAt(i)) return false
  for (let i = 0; i < DIGITS; i++) if (line[digits + i] !== digitOf(crc, i)) return false
  for (let i = 0; i < CLOSE.length; i++) if (line[digits + DIGITS + i] !== CLOSE.charCodeAt(i)) return false
  return true
}
