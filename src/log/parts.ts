/**
 * The parts that a step is told in: filled for one step, compared with what is usual, written, and filled again for the
 * next. Nothing is made on the way from a step to its line.
 */
import type { ByteWriter } from './bytes.ts'
import { Table } from '../memory/table.ts'
import { isFields, type Fields } from './shape.ts'

export interface Part {
  /** Has the step anything to tell here? */
  readonly isThere: boolean
  /** Is it, in JSON, what this plain value is? */
  isLike(plain: unknown): boolean
  plain(): unknown
  write(to: ByteWriter): void
  clear(): void
}

/** A value. */
export class Single implements Part {
  value: unknown = undefined

  get isThere(): boolean {
    return this.value !== undefined
  }
  isLike(plain: unknown): boolean {
    return isAlike(this.value, plain)
  }
  plain(): unknown {
    return this.value
  }
  write(to: ByteWriter): void {
    to.value(this.value)
  }
  clear(): void {
    this.value = undefined
  }
}

/** Fields of an object. */
export class Pairs implements Part {
  readonly keys: string[] = []
  readonly values: unknown[] = []
  count = 0

  add(key: string, value: unknown): void {
    this.keys[this.count] = key
    this.values[this.count++] = value
  }

  get isThere(): boolean {
    return this.count > 0
  }
  isLike(plain: unknown): boolean {
    if (!isFields(plain)) return false
    let at = 0
    for (const key in plain) {
      if (at >= this.count || key !== this.keys[at] || !isAlike(this.values[at], plain[key])) return false
      at++
    }
    return at === this.count
  }
  plain(): Fields {
    return Object.fromEntries(Array.from({ length: this.count }, (_, i) => [this.keys[i] ?? '', this.values[i]]))
  }
  write(to: ByteWriter): void {
    to.raw('{')
    for (let i = 0; i < this.count; i++) to.field(i === 0, this.keys[i] ?? '', this.values[i])
    to.raw('}')
  }
  clear(): void {
    this.count = 0
  }
}

/** What an actor became: its new state, if it has one, and what changed in its context. */
interface Became {
  name: string
  state: string | 0
  readonly keys: Pairs
}

/** What became of actors; of each a state, keys, or both. */
export class Becomings implements Part {
  readonly of: Became[] = []
  count = 0

  /** What becomes of one more. */
  next(name: string, state: string | 0): Became {
    const became = (this.of[this.count] ??= { name, state, keys: new Pairs() })
    became.name = name
    became.state = state
    became.keys.clear()
    this.count++
    return became
  }
  /** The last one stays as it is. */
  drop(): void {
    this.count--
  }

  get isThere(): boolean {
    return this.count > 0
  }
  isLike(plain: unknown): boolean {
    if (!isFields(plain)) return false
    let at = 0
    for (const name in plain) {
      const became = at < this.count ? this.of[at++] : undefined
      if (became?.name !== name || !isSame(became, plain[name])) return false
    }
    return at === this.count
  }
  plain(): Fields {
    return Object.fromEntries(this.of.slice(0, this.count).map(became => [became.name, plainOf(became)]))
  }
  write(to: ByteWriter): void {
    for (let i = 0; i < this.count; i++) {
      const became = this.of[i]
      if (became === undefined) continue
      to.key(i === 0 ? '{' : ',', became.name)
      writeBecame(to, became)
    }
    to.raw('}')
  }
  clear(): void {
    this.count = 0
  }
}

function isSame({ state, keys }: Became, plain: unknown): boolean {
  if (!keys.isThere) return plain === state
  if (state === 0) return keys.isLike(plain)
  return Array.isArray(plain) && plain[0] === state && keys.isLike(plain[1])
}
const plainOf = ({ state, keys }: Became): unknown => (state === 0 ? keys.plain() : keys.isThere ? [state, keys.plain()] : state)
function writeBecame(to: ByteWriter, { state, keys }: Became): void {
  if (state === 0) return keys.write(to)
  if (!keys.isThere) return to.value(state)
  to.raw('[')
  to.value(state)
  to.raw(',')
  keys.write(to)
  to.raw(']')
}

/** Is the text of two plain values the same? Keys stand in their order. A table is like itself alone. */
function isAlike(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!isAlike(a[i], b[i])) return false
    return true
  }
  if (!isFields(a) || !isFields(b) || a instanceof Table) return false
  const others = Object.keys(b)
  let at = 0
  for (const key in a) if (key !== others[at++] || !isAlike(a[key], b[key])) return false
  return at === others.length
}
