/**
 * JSON written byte by byte into one growing buffer. Records are short and many: no string is made on the way, which
 * takes a third of the time of `JSON.stringify`. It agrees with that to the letter for plain values; a test says so.
 */

const code = (char: string): number => char.charCodeAt(0)
const [QUOTE, COMMA, COLON, ZERO, TEN] = [code('"'), code(','), code(':'), code('0'), code('a') - 10]
const [BRACE, BRACE_END, BRACKET, BRACKET_END] = [code('{'), code('}'), code('['), code(']')]

export class ByteWriter {
  #bytes = Buffer.allocUnsafe(1 << 16)
  at = 0

  /** What was written stands at its beginning; good until something is written or taken again. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Everything written; the writer begins anew. */
  taken(): Buffer {
    const bytes = this.#bytes.subarray(0, this.at)
    this.at = 0
    return bytes
  }

  byte(value: number): void {
    if (this.at >= this.#bytes.length) this.#grow(1)
    this.#bytes[this.at++] = value
  }

  /** Text as it is; ASCII only. */
  raw(text: string): void {
    const { length } = text
    if (this.at + length > this.#bytes.length) this.#grow(length)
    const bytes = this.#bytes
    let at = this.at
    for (let i = 0; i < length; i++) bytes[at++] = text.charCodeAt(i)
    this.at = at
  }

  number(value: number): void {
    if (value < 0 || (value | 0) !== value) return this.raw(JSON.stringify(value))
    if (value < 10) return this.byte(ZERO + value)
    if (this.at + 10 > this.#bytes.length) this.#grow(10)
    const bytes = this.#bytes
    let digits = 1
    for (let above = 10; digits < 10 && value >= above; above *= 10) digits++
    let left = value
    for (let i = this.at + digits - 1; i >= this.at; i--) {
      const rest = (left / 10) | 0
      bytes[i] = ZERO + left - 10 * rest
      left = rest
    }
    this.at += digits
  }

  /** Eight digits, the first of them for the highest bits. */
  hex(value: number): void {
    if (this.at + 8 > this.#bytes.length) this.#grow(8)
    for (let shift = 28; shift >= 0; shift -= 4) {
      const digit = (value >>> shift) & 15
      this.#bytes[this.at++] = digit < 10 ? ZERO + digit : TEN + digit
    }
  }

  string(text: string): void {
    const { length } = text
    if (this.at + length + 2 > this.#bytes.length) this.#grow(length + 2)
    const bytes = this.#bytes
    const start = this.at
    let at = start
    bytes[at++] = QUOTE
    for (let i = 0; i < length; i++) {
      const char = text.charCodeAt(i)
      if (char < 0x20 || char > 0x7e || char === 0x22 || char === 0x5c) return this.utf8(JSON.stringify(text))
      bytes[at++] = char
    }
    bytes[at++] = QUOTE
    this.at = at
  }

  /** `"key":`, with a comma before it unless it is the first of its object. */
  key(name: string, first: boolean): void {
    if (!first) this.byte(COMMA)
    this.string(name)
    this.byte(COLON)
  }

  /** A plain value: what `JSON.stringify` would write. */
  value(value: unknown): void {
    switch (typeof value) {
      case 'number':
        return this.number(value)
      case 'string':
        return this.string(value)
      case 'boolean':
        return this.raw(value ? 'true' : 'false')
      case 'object':
        if (value === null) return this.raw('null')
        return Array.isArray(value) ? this.#array(value) : this.#object(value)
      default:
        return this.raw('null')
    }
  }

  #array(array: readonly unknown[]): void {
    this.byte(BRACKET)
    for (let i = 0; i < array.length; i++) {
      if (i > 0) this.byte(COMMA)
      this.value(array[i])
    }
    this.byte(BRACKET_END)
  }

  #object(object: object): void {
    if (!isPlain(object) && 'toJSON' in object && typeof object.toJSON === 'function') return this.value(object.toJSON())
    this.byte(BRACE)
    let first = true
    const fields = object as Readonly<Record<string, unknown>>
    for (const key in fields) {
      const value = fields[key]
      if (value === undefined) continue
      this.key(key, first)
      this.value(value)
      first = false
    }
    this.byte(BRACE_END)
  }

  /** Bytes as they are: few, or `set` were quicker. */
  copy(few: Uint8Array): void {
    if (this.at + few.length > this.#bytes.length) this.#grow(few.length)
    const bytes = this.#bytes
    let at = this.at
    for (let i = 0; i < few.length; i++) bytes[at++] = few[i] ?? 0
    this.at = at
  }

  /** Text as it is, whatever is in it. */
  utf8(text: string): void {
    const most = text.length * 3
    if (this.at + most > this.#bytes.length) this.#grow(most)
    this.at += this.#bytes.write(text, this.at)
  }

  #grow(more: number): void {
    const larger = Buffer.allocUnsafe(2 * (this.at + more))
    this.#bytes.copy(larger, 0, 0, this.at)
    this.#bytes = larger
  }
}

/** An object of no class, as most are: it has no `toJSON` but one of its own, and plain data has none. */
const isPlain = (object: object): boolean => Object.getPrototypeOf(object) === Object.prototype
