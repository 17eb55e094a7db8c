/**
 * Integrity: each record ends in a CRC-32 of its own bytes, seeded by that of the record before. What was changed, cut or
 * moved is found, and named. The checksum is compared as text: a flipped bit that turns `a` into `A` is a change too.
 */
import { crc32 } from 'node:zlib'

const KEY = ',"k":"'
const TAIL = KEY.length + 8 + '"}'.length

export class Chain {
  #last = 0

  /** A record's text, closed by its checksum. */
  seal(text: string): string {
    const body = text.slice(0, -1)
    this.#last = crc32(body, this.#last)
    return `${body}${KEY}${hex(this.#last)}"}`
  }

  /** The record that a line holds, without its checksum; undefined if the line is not what was written behind the one before. */
  open(line: Buffer): string | undefined {
    const body = line.subarray(0, -TAIL)
    const crc = crc32(body, this.#last)
    if (line.subarray(-TAIL).toString('latin1') !== `${KEY}${hex(crc)}"}`) return undefined
    this.#last = crc
    return `${body.toString('utf8')}}`
  }
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0')
