/**
 * What is usual: fields of steps that are the same whenever one actor does one thing. A writer learns them, block by block;
 * a checkpoint tells those that the steps behind it leave out. So each block is read by itself, and each record says by
 * itself who did what.
 */
import type { ByteWriter } from './bytes.ts'
import type { Part } from './parts.ts'

/** The fields of a step that may be usual, in the order in which they are told. */
export const FIELDS = ['event', 'with', 'to', 'then', 'next', 'own', 'set', 'facts'] as const
export type Field = (typeof FIELDS)[number]

/** By actor and by what it does: the fields that its steps have unless they say otherwise. */
export type Usual = Readonly<Record<string, Readonly<Record<string, Readonly<Partial<Record<Field, unknown>>>>>>>

/** What an actor's steps have unless they say otherwise. */
export function usually(usual: Usual, by: string, what: string): Readonly<Partial<Record<Field, unknown>>> | undefined {
  const own = Object.hasOwn(usual, by) ? usual[by] : undefined
  return own !== undefined && Object.hasOwn(own, what) ? own[what] : undefined
}

/** Characters of a field that may be usual: so what a log stands for is no more than so many times its own size. */
export const LONGEST_USUAL = 512
/** How often a field must have been the same in a block, and more often than not. */
const OFTEN = 4
/** So many steps say whether a field is to be usual: what is other by then is not looked at any more. */
const ENOUGH = 16

/**
 * The steps in which one actor does one thing, field by field, in the order of `FIELDS`: of a set of fields, the bits say
 * which are in it. Most steps have nothing to tell in most fields, nor had those before them, and nobody looks further.
 */
class Deed {
  /** Who does what, as it is written. */
  readonly name: Uint8Array
  /** What a field was when it was first seen in this block, or what is usual; undefined: it was not there. */
  readonly #values: unknown[] = FIELDS.map(() => undefined)
  readonly #same = FIELDS.map(() => 0)
  readonly #other = FIELDS.map(() => 0)
  /** Seen in this block, or usual. */
  #seen = 0
  /** Not there when they were first seen in this block. */
  #absent = 0
  #usual = 0
  /** Seen often enough, and not usual. */
  #settled = 0

  constructor(by: string, what: string) {
    this.name = Buffer.from(`,"by":${JSON.stringify(by)},"do":${JSON.stringify(what)}`)
  }

  /** Is this field not there, as before? */
  lacks(i: number): boolean {
    return (this.#absent & (1 << i)) !== 0
  }

  /** Has a step to tell this part, which is field number `i`? */
  tells(i: number, part: Part): boolean {
    const bit = 1 << i
    const { isThere } = part
    if ((this.#settled & bit) !== 0) return isThere
    if ((this.#seen & bit) === 0) {
      this.#seen |= bit
      if (isThere) this.#values[i] = part.plain()
      else this.#absent |= bit
      return isThere
    }
    const isSame = isThere && (this.#absent & bit) === 0 && part.isLike(this.#values[i])
    const counts = isSame ? this.#same : this.#other
    const count = (counts[i] ?? 0) + 1
    counts[i] = count
    // What usually is there, and is not, is told as well.
    if ((this.#usual & bit) !== 0) return !isSame
    if (count + ((isSame ? this.#other : this.#same)[i] ?? 0) >= ENOUGH) this.#settled |= bit
    return isThere
  }

  /** The block is over: writes the fields that are usual in the next one, if any are. */
  settle(to: ByteWriter): boolean {
    const was = this.#usual
    this.#usual = this.#absent = this.#settled = 0
    for (let i = 0; i < FIELDS.length; i++) {
      const [same, other, value] = [this.#same[i] ?? 0, this.#other[i] ?? 0, this.#values[i]]
      this.#same[i] = this.#other[i] = 0
      const bit = 1 << i
      // What was usual is as long as it was.
      const isUsual = same >= OFTEN && same > other && ((was & bit) !== 0 || JSON.stringify(value).length <= LONGEST_USUAL)
      if (!isUsual) continue
      if (this.#usual === 0) to.raw('{')
      to.field(this.#usual === 0, FIELDS[i] ?? '', value)
      this.#usual |= bit
    }
    this.#seen = this.#usual
    if (this.#usual !== 0) to.raw('}')
    return this.#usual !== 0
  }
}

/** What a writer has learned. */
export class Learned {
  readonly #deeds = new Map<string, Map<string, Deed>>()

  of(by: string, what: string): Deed {
    let own = this.#deeds.get(by)
    if (own === undefined) this.#deeds.set(by, (own = new Map<string, Deed>()))
    let deed = own.get(what)
    if (deed === undefined) own.set(what, (deed = new Deed(by, what)))
    return deed
  }

  /** What is usual in the block that begins, written as a `Usual`. */
  settle(to: ByteWriter): void {
    if (!writeThose(to, this.#deeds, own => writeThose(to, own, deed => deed.settle(to)))) to.raw('{}')
  }
}

/** Writes an object of those of which something is written, if any are. */
function writeThose<T>(to: ByteWriter, those: ReadonlyMap<string, T>, write: (one: T) => boolean): boolean {
  let any = false
  for (const [name, one] of those) {
    const { at } = to
    to.key(any ? ',' : '{', name)
    if (write(one)) any = true
    else to.at = at
  }
  if (any) to.raw('}')
  return any
}
