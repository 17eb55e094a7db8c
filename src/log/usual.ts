/**
 * What is usual: fields of steps that are the same whenever one actor does one thing. A writer learns them, block by block;
 * a checkpoint tells those that the steps behind it leave out. So each block is read by itself, and each record says by
 * itself who did what.
 */
/** The fields of a step that may be usual. */
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

/** A field of the steps in which one actor does one thing. */
class Slot {
  /** What it was when it was first seen in this block, or what is usual; undefined: it was not there. */
  #value: unknown
  #seen = false
  #same = 0
  #other = 0
  #usual = false

  /** Has a step with this value to tell it? Undefined: it does not have the field. */
  tells(value: unknown): boolean {
    if (!this.#seen) {
      this.#seen = true
      this.#value = value
    } else if (isAlike(this.#value, value)) {
      this.#same++
      return !this.#usual && value !== undefined
    } else this.#other++
    return value !== undefined || (this.#usual && this.#value !== undefined)
  }

  /** The block is over: what is usual in the next one, as text, if anything is. */
  settle(): string | undefined {
    const text = this.#same >= OFTEN && this.#same > this.#other && this.#value !== undefined ? JSON.stringify(this.#value) : undefined
    this.#seen = this.#usual = text !== undefined && text.length <= LONGEST_USUAL
    this.#same = this.#other = 0
    return this.#usual ? text : undefined
  }
}

/** Is the text of two plain values the same? Keys stand in their order; of tables it is not asked. */
function isAlike(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || 'toJSON' in a) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!isAlike(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  const [keys, others] = [Object.keys(a), Object.keys(b)]
  if (keys.length !== others.length) return false
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? ''
    if (key !== others[i] || !isAlike((a as Fields)[key], (b as Fields)[key])) return false
  }
  return true
}
type Fields = Readonly<Record<string, unknown>>

export type Slots = Readonly<Record<Field, Slot>>

/** What a writer has learned. */
export class Learned {
  readonly #slots = new Map<string, Map<string, Slots>>()

  of(by: string, what: string): Slots {
    let own = this.#slots.get(by)
    if (own === undefined) this.#slots.set(by, (own = new Map<string, Slots>()))
    let slots = own.get(what)
    if (slots === undefined) {
      const slot = (): Slot => new Slot()
      slots = { event: slot(), with: slot(), to: slot(), then: slot(), next: slot(), own: slot(), set: slot(), facts: slot() }
      own.set(what, slots)
    }
    return slots
  }

  /** What is usual in the block that begins, as the text of a `Usual`. */
  settle(): string {
    const kinds = (own: ReadonlyMap<string, Slots>): string =>
      objectText([...own], slots =>
        objectText(
          FIELDS.map(field => [field, slots[field]]),
          slot => slot.settle(),
        ),
      )
    return objectText([...this.#slots], kinds) || '{}'
  }
}

/** An object of those that have a text; none if there are none. */
function objectText<T>(entries: readonly (readonly [key: string, of: T])[], text: (of: T) => string | undefined): string {
  const told = entries.flatMap(([key, of]) => {
    const value = text(of)
    return value === undefined || value === '' ? [] : [`${JSON.stringify(key)}:${value}`]
  })
  return told.length === 0 ? '' : `{${told.join(',')}}`
}
