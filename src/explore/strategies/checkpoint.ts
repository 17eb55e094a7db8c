/**
 * A paused search as bytes: a line with its checksum and, as JSON, whose it is and how long everything is; then numbers of 32
 * bits (the states at which something was decided, the strategy's lists, the states as they are packed), and their checksum.
 */
import { crc32 } from 'node:zlib'
import type { ActorName } from '../../system/actor.ts'
import { BadCheckpoint, type Paused } from './paused.ts'
import { Rows } from '../worlds/rows.ts'
import { choicesOf, tokenOf } from '../token.ts'

const FORMAT = 'mirrorwalk checkpoint 1'

/** What a checkpoint is of, by what it is called: all of it must be the same for who goes on from it. */
export type Identity = Readonly<Record<string, string>>

interface Header {
  readonly format: string
  readonly of: Identity
  readonly counters: readonly number[]
  readonly deciding: number
  readonly lists: readonly number[]
  readonly bits: readonly number[]
  readonly states: number
  readonly found: readonly { readonly property: number; readonly why: string; readonly token: string }[]
}

export function* encoded(of: Identity, names: readonly ActorName[], paused: Paused): Generator<Uint8Array> {
  const { rows, deciding, counters, lists, found } = paused
  const header: Header = {
    format: FORMAT,
    of,
    counters,
    deciding: deciding.length,
    lists: lists.map(list => list.length),
    bits: rows.bits,
    states: rows.size,
    found: found.map(({ property, why, trail }) => ({ property, why, token: tokenOf(names, trail) })),
  }
  let crc = 0
  const summed = (part: Uint8Array): Uint8Array => {
    crc = crc32(part, crc)
    return part
  }
  const text = JSON.stringify(header)
  yield Buffer.from(`${sumOf(text)} ${text}\n`)
  for (const list of [deciding, ...lists]) yield summed(bytesOf(Int32Array.from(list)))
  for (const part of rows.packed()) yield summed(bytesOf(part))
  yield bytesOf(Int32Array.of(crc))
}

/** Bytes that are read one behind the other; throws `BadCheckpoint` where there are no more. */
export interface Source {
  line(): string
  fill(part: Uint8Array): void
}

/** Throws `BadCheckpoint` for what is not whole, or is of something else than `of`. */
export function decoded(of: Identity, names: readonly ActorName[], source: Source): Paused {
  const header = headerOf(source.line())
  for (const [what, ours] of Object.entries(of)) {
    const theirs = header.of[what]
    if (theirs !== ours) throw new BadCheckpoint(`it is of ${what} ${theirs ?? 'none'}; what is to be explored is of ${what} ${ours}`)
  }
  let crc = 0
  const read = (part: Int32Array): Int32Array => {
    source.fill(bytesOf(part))
    crc = crc32(bytesOf(part), crc)
    return part
  }
  const list = (length: number): readonly number[] => [...read(new Int32Array(length))]
  const deciding = list(header.deciding)
  const lists = header.lists.map(list)
  const rows = Rows.restored(header.bits, header.states, read)
  const sum = Int32Array.of(0)
  source.fill(bytesOf(sum))
  if (sum[0] !== (crc | 0)) throw new BadCheckpoint('its checksum is wrong: it was changed, or not written to its end')
  const found = header.found.map(({ property, why, token }) => ({ property, why, trail: choicesOf(names, token) }))
  return { rows, deciding, counters: header.counters, lists, found }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength)

const sumOf = (text: string): string => crc32(text).toString(16).padStart(8, '0')

function headerOf(line: string): Header {
  const text = line.slice(line.indexOf(' ') + 1)
  if (!text.startsWith(`{"format":"${FORMAT}"`)) throw new BadCheckpoint(`it does not begin as a checkpoint does ('${FORMAT}')`)
  if (line !== `${sumOf(text)} ${text}`) throw new BadCheckpoint('the checksum of its first line is wrong: it was changed')
  return JSON.parse(text) as Header
}
