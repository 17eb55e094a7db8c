/** What a page frame is used for: a kind and flags, as a number in the `state` column, as a word (`anon:XD`) in facts. */
import type { Pfn } from './address.ts'
import type { Frames } from './memory.ts'

const FRAME_KINDS = ['free', 'anon', 'file', 'zero'] as const
export type FrameKind = (typeof FRAME_KINDS)[number]

/** PageAnonExclusive: no other address space shares it, so a write fault may use it again. */
export const EXCLUSIVE = 1
/** The folio is dirty, whatever the entries that map it say. */
export const FOLIO_DIRTY = 2
/** Not swap-backed since `MADV_FREE`: reclaim may drop it as long as it is clean. */
export const LAZYFREE = 4
const LETTERS = ['X', 'D', 'L']
const FLAG_BITS = LETTERS.length

const pack = (kind: FrameKind, flags: number): number => (FRAME_KINDS.indexOf(kind) << FLAG_BITS) | flags

const words = Array.from({ length: FRAME_KINDS.length << FLAG_BITS }, (_, state) => {
  const letters = LETTERS.filter((_letter, bit) => ((state >>> bit) & 1) === 1).join('')
  const kind = FRAME_KINDS[state >>> FLAG_BITS] ?? 'free'
  return letters === '' ? kind : `${kind}:${letters}`
})
const states = new Map(words.map((word, state) => [word, state]))

export const ZERO_STATE = pack('zero', 0)

/** The word for a kind with flags. */
export const stateWord = (kind: FrameKind, flags = 0): string => words[pack(kind, flags)] ?? kind

/** The number behind a word; throws on a word that is none. */
export function stateOf(word: string): number {
  const state = states.get(word)
  if (state === undefined) throw new RangeError(`'${word}' is no state of a page frame`)
  return state
}

export const frameKind = (frames: Frames, frame: Pfn): FrameKind => FRAME_KINDS[frames.state.get(frame) >>> FLAG_BITS] ?? 'free'
export const frameFlags = (frames: Frames, frame: Pfn): number => frames.state.get(frame) & ((1 << FLAG_BITS) - 1)
export const isExclusive = (frames: Frames, frame: Pfn): boolean => (frameFlags(frames, frame) & EXCLUSIVE) !== 0
