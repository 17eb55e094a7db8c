/**
 * What a page frame is used for: a kind and flags, as a number in the `state` column, as a word (`anon:XD`) in facts; and
 * folios, of which there are two sizes: one frame, and 512 that begin at a multiple of 512.
 *
 * What belongs to a folio as a whole (references, and the flags but for X) is kept at its first frame, its head. The
 * others of a large folio have one reference each, which stands for being part of it.
 */
import { PMD_PAGES, pfn, type Pfn } from './address.ts'
import { isDevdax } from './dax.ts'
import type { Frames } from './memory.ts'

/** `file` is a page of a page cache; `driver` one that a driver has made and mapped, and that belongs to no file. */
const FRAME_KINDS = ['free', 'anon', 'file', 'driver', 'zero', 'fsdax', 'devdax', 'devpriv', 'devcoh'] as const
export type FrameKind = (typeof FRAME_KINDS)[number]

/** PageAnonExclusive: no other address space shares it, so a write fault may use it again. */
export const EXCLUSIVE = 1
/** The folio is dirty, whatever the entries that map it say. */
export const FOLIO_DIRTY = 2
/** Not swap-backed since `MADV_FREE`: reclaim may drop it as long as it is clean. */
export const LAZYFREE = 4
/** The head of a large folio. */
export const LARGE = 8
/** Such a head, of a 2 MiB page that belongs to the pool (hugetlb). */
export const POOL = 16
/** In the `lru` column: the folio was accessed by who marks that, and is among those that are used. */
export const REFERENCED = 1
export const ACTIVE = 2

const LETTERS = ['X', 'D', 'L', 'H', 'P']
const FLAG_BITS = LETTERS.length
export const FLAGS = (1 << FLAG_BITS) - 1

const pack = (kind: FrameKind, flags: number): number => (FRAME_KINDS.indexOf(kind) << FLAG_BITS) | flags

const words = Array.from({ length: FRAME_KINDS.length << FLAG_BITS }, (_, state) => {
  const letters = LETTERS.filter((_letter, bit) => ((state >>> bit) & 1) === 1).join('')
  const kind = FRAME_KINDS[state >>> FLAG_BITS] ?? 'free'
  return letters === '' ? kind : `${kind}:${letters}`
})
const states = new Map(words.map((word, state) => [word, state]))

export const ZERO_STATE = pack('zero', 0)
export const HUGE_ZERO_STATE = pack('zero', LARGE)

/** The word for a kind with flags. */
export const stateWord = (kind: FrameKind, flags = 0): string => words[pack(kind, flags)] ?? kind

/** The word for a number of the `state` column. */
export const stateWordOf = (state: number): string => words[state] ?? 'free'

/** The number behind a word; throws on a word that is none. */
export function stateOf(word: string): number {
  const state = states.get(word)
  if (state === undefined) throw new RangeError(`'${word}' is no state of a page frame`)
  return state
}

/** The frames of the DAX device are of one kind for ever. */
export const frameKind = (frames: Frames, frame: Pfn): FrameKind =>
  isDevdax(frame) ? 'devdax' : (FRAME_KINDS[frames.state.get(frame) >>> FLAG_BITS] ?? 'free')
/** PageAnon: anonymous memory, in the system's frames or in a device's. */
export const isAnon = (frames: Frames, frame: Pfn): boolean => ANON.has(frameKind(frames, frame))
const ANON: ReadonlySet<FrameKind> = new Set<FrameKind>(['anon', 'devpriv', 'devcoh'])
export const frameFlags = (frames: Frames, frame: Pfn): number => frames.state.get(frame) & FLAGS
export const isExclusive = (frames: Frames, frame: Pfn): boolean => (frameFlags(frames, frame) & EXCLUSIVE) !== 0

export const isLocked = (frames: Frames, frame: Pfn): boolean => frames.locked.get(frame) === 1

/** `page_folio()`: the head of the folio that a frame is part of. */
export function headOf(frames: Frames, frame: Pfn): Pfn {
  const first = pfn(frame - (frame % PMD_PAGES))
  return (frames.state.get(first) & LARGE) === 0 ? frame : first
}
export const isLarge = (frames: Frames, frame: Pfn): boolean => (frames.state.get(headOf(frames, frame)) & LARGE) !== 0
export const folioSize = (frames: Frames, head: Pfn): number => ((frames.state.get(head) & LARGE) === 0 ? 1 : PMD_PAGES)

/** `folio_mapcount()`: entries that map the folio, each counted once whatever its size. */
export function folioMapcount(frames: Frames, head: Pfn): number {
  if ((frames.state.get(head) & LARGE) === 0) return frames.maps.get(head)
  let count = frames.hugeMaps.get(head)
  for (const [, n, maps, stride] of frames.maps.runs(head, head + PMD_PAGES)) count += n * maps + (stride * n * (n - 1)) / 2
  return count
}
