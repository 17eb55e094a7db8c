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

/** A field of the steps in which one actor does one thing. */
class Slot {
  /** What it was when it was first seen in this block, or what is usual; undefined: it was not there. */
  #value: unknown
  #seen = false
  #same = 0
  #other = 0
  #usual = false

  /** Has a step to tell this part? */
  tells(part: Part): boolean {
    const { isThere } = part
    // Most steps have nothing to tell in most fields, nor had those before them.
    if (this.#seen && this.#value === undefined && !isThere) return false
    if (!this.#usual && this.#same + this.#other >= ENOUGH) return isThere
    if (!this.#seen) {
      this.#seen = true
      this.#value = isThere ? part.plain() : undefined
    } else if (isThere && this.#value !== undefined && part.isLike(this.#value)) {
      this.#same++
      return !this.#usual
    } else this.#other++
    return isThere || (this.#usual && this.#value !== undefined)
  }

  /** The block is over: is what was seen usual in the next one? */
  settle(): boolean {
    const often = this.#same >= OFTEN && this.#same > this.#other && this.#value !== undefined
    // What was usual is as long as it was.
    this.#seen = this.#usual = often && (this.#usual || JSON.stringify(this.#value).length <= LONGEST_USUAL)
    this.#same = this.#other = 0
    return this.#usual
  }

  get value(): unknown {
    return this.#value
  }
}

/** What an actor does, as it is written. */
interface Deed {
  readonly name: Uint8Array
  /** In the order of `FIELDS`. */
  readonly slots: readonly Slot[]
}

/** What a writer has learned. */
export class Learned {
  readonly #deeds = new Map<string, Map<string, Deed>>()

  of(by: string, what: string): Deed {
    let own = this.#deeds.get(by)
    if (own === undefined) this.#deeds.set(by, (own = new Map<string, Deed>()))
    let deed = own.get(what)
    if (deed === undefined) {
      deed = { name: Buffer.from(`,"by":${JSON.stringify(by)},"do":${JSON.stringify(what)}`), slots: FIELDS.map(() => new Slot()) }
      own.set(what, deed)
    }
    return deed
  }

  /** What is usual in the block that begins, written as a `Usual`. */
  settle(to: ByteWriter): void {
    if (!writeThose(to, this.#deeds, own => writeThose(to, own, deed => settled(to, deed)))) to.raw('{}')
  }
}

/** Writes the fields of a deed that are usual from now on, if any are. */
function settled(to: ByteWriter, { slots }: Deed): boolean {
  let any = false
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]
    if (slot?.settle() !== true) continue
    if (!any) to.raw('{')
    to.field(!any, FIELDS[i] ?? '', slot.value)
    any = true
  }
  if (any) to.raw('}')
  return any
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
