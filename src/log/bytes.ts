/**
 * JSON written byte by byte into one growing buffer. Records are short and many: no string is made on the way, which
 * takes a third of the time of `JSON.stringify`. It agrees with that to the letter for plain values; a test says so.
 */

const code = (char: string): number => char.charCodeAt(0)
const [QUOTE, COMMA, COLON, ZERO, MINUS] = [code('"'), code(','), code(':'), code('0'), code('-')]
const [BRACE, BRACE_END, BRACKET, BRACKET_END] = [code('{'), code('}'), code('['), code(']')]
/** Below 2^31 numbers are taken apart digit by digit. */
const SMALL = 0x7fffffff

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
    if (!Number.isInteger(value) || value > SMALL || value < -SMALL || Object.is(value, -0)) return this.raw(JSON.stringify(value))
    if (this.at + 12 > this.#bytes.length) this.#grow(12)
    let left = value
    if (left < 0) {
      this.#bytes[this.at++] = MINUS
      left = -left
    }
    let digits = 1
    for (let n = left; n >= 10; n = (n / 10) | 0) digits++
    for (let i = this.at + digits - 1; i >= this.at; i--, left = (left / 10) | 0) this.#bytes[i] = ZERO + (left % 10)
    this.at += digits
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
    if ('toJSON' in object && typeof object.toJSON === 'function') return this.value(object.toJSON())
    this.byte(BRACE)
    let first = true
    for (const key of Object.keys(object)) {
      const value: unknown = (object as Readonly<Record<string, unknown>>)[key]
      if (value === undefined) continue
      this.key(key, first)
      this.value(value)
      first = false
    }
    this.byte(BRACE_END)
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
