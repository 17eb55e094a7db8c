/**
 * Interning: equal values become one small number. Values are immutable, so one that was seen before is known by its
 * identity; any other is compared by what it consists of, whose parts are numbers already.
 */

/** Gives out small numbers, from 0 on, for the members of one set of values. */
export class Interner {
  readonly #byIdentity = new WeakMap<object, number>()
  readonly #byText = new Map<string, number>()
  readonly #values: unknown[] = []

  /** The number of a value: the same for equal ones, whatever the order of their keys. */
  id(value: unknown): number {
    if (typeof value !== 'object' || value === null) return this.#named(textOf(value), value)
    const known = this.#byIdentity.get(value)
    if (known !== undefined) return known
    const id = this.#named(this.#textOf(value), value)
    this.#byIdentity.set(value, id)
    return id
  }

  /** The value that was first given a number. */
  value(id: number): unknown {
    return this.#values[id]
  }

  get size(): number {
    return this.#values.length
  }

  #named(text: string, value: unknown): number {
    const known = this.#byText.get(text)
    if (known !== undefined) return known
    const id = this.#values.push(value) - 1
    this.#byText.set(text, id)
    return id
  }

  #textOf(value: object): string {
    if (Array.isArray(value)) return `[${value.map(member => this.id(member)).join()}`
    if ('toJSON' in value) return `j${JSON.stringify(value)}`
    const record = value as Readonly<Record<string, unknown>>
    let text = '{'
    for (const key of Object.keys(record).toSorted()) text += `${key}:${this.id(record[key])},`
    return text
  }
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `"${value}`
    case 'number':
      return Object.is(value, -0) ? '0' : String(value)
    case 'function':
    case 'symbol':
      throw new TypeError(`a ${typeof value} in a world: what is in a world must be plain data, or no two worlds could be compared`)
    default:
      return String(value)
  }
}
