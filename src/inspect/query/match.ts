/**
 * Which steps of a log a query means. Steps are seen once, in order; of each, a byte is kept for each term. What comes
 * later in the log may decide whether an earlier step is meant, so the answer is complete when all has been seen.
 */
import type { Query } from './parse.ts'
import type { LoggedStep } from './terms.ts'

/** What of a step a query could still mean, when nothing is known of the others. */
export function couldMean(query: Query, step: LoggedStep): boolean {
  switch (query.kind) {
    case 'test':
      return query.test(step)
    case 'and':
      return couldMean(query.a, step) && couldMean(query.b, step)
    case 'or':
      return couldMean(query.a, step) || couldMean(query.b, step)
    case 'not':
      return query.of.kind !== 'test' || !query.of.test(step)
    case 'before':
    case 'after':
    case 'between':
    case 'inside':
      return couldMean(query.of, step)
  }
}

/** No step behind this one can be meant. */
export function lastMeant(query: Query): number {
  switch (query.kind) {
    case 'test':
      return query.until
    case 'and':
      return Math.min(lastMeant(query.a), lastMeant(query.b))
    case 'or':
      return Math.max(lastMeant(query.a), lastMeant(query.b))
    case 'after':
      return lastMeant(query.of)
    case 'not':
    case 'before':
    case 'between':
    case 'inside':
      return Infinity
  }
}

/** A row of bits, one a step, that grows. */
class Bits {
  #bytes = new Uint8Array(1024)
  length = 0

  push(bit: boolean): void {
    if (this.length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.length)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes[this.length++] = bit ? 1 : 0
  }
  at(i: number): boolean {
    return this.#bytes[i] === 1
  }
}

type Row = (i: number) => boolean

/** Sees the steps of a log, and says which are meant. */
export class Matcher {
  readonly #query: Query
  readonly #seen = new Map<Query, Bits>()
  /** Of each step its actor, by number. */
  readonly #by: number[] = []
  readonly #actors = new Map<string, number>()
  readonly #first: number

  /** `first`: the number of the first step that will be seen. */
  constructor(query: Query, first = 1) {
    this.#query = query
    this.#first = first
  }

  see(step: LoggedStep): void {
    this.#by.push(this.#actor(step.by))
    this.#note(this.#query, step)
  }

  /** The steps that are meant, as far as can be said by now. */
  meant(): readonly number[] {
    const row = this.#row(this.#query)
    const meant: number[] = []
    for (let i = 0; i < this.#by.length; i++) if (row(i)) meant.push(i + this.#first)
    return meant
  }

  #actor(name: string): number {
    const known = this.#actors.get(name)
    if (known !== undefined) return known
    this.#actors.set(name, this.#actors.size)
    return this.#actors.size - 1
  }

  #note(query: Query, step: LoggedStep): void {
    switch (query.kind) {
      case 'test':
        return this.#keep(query, query.test(step))
      case 'and':
      case 'or':
        this.#note(query.a, step)
        return this.#note(query.b, step)
      case 'not':
        return this.#note(query.of, step)
      case 'before':
      case 'after':
        this.#note(query.of, step)
        return this.#note(query.mark, step)
      case 'between':
        this.#note(query.of, step)
        this.#note(query.from, step)
        return this.#note(query.to, step)
      case 'inside':
        this.#note(query.of, step)
        return this.#keep(query, this.#isInside(query, step))
    }
  }

  #keep(query: Query, bit: boolean): void {
    let bits = this.#seen.get(query)
    if (bits === undefined) this.#seen.set(query, (bits = new Bits()))
    bits.push(bit)
  }

  readonly #open = new Map<Query, Set<string>>()

  /** Is something of another actor under way, before which this step takes place? */
  #isInside(query: Query & { readonly kind: 'inside' }, step: LoggedStep): boolean {
    let open = this.#open.get(query)
    if (open === undefined) this.#open.set(query, (open = new Set()))
    const inside = open.size > (open.has(step.by) ? 1 : 0)
    if (query.who(step.by)) {
      if (query.window.closes(step)) open.delete(step.by)
      if (query.window.opens(step)) open.add(step.by)
    }
    return inside
  }

  #row(query: Query): Row {
    switch (query.kind) {
      case 'test': {
        const bits = this.#seen.get(query)
        return i => bits?.at(i) === true
      }
      case 'and': {
        const [a, b] = [this.#row(query.a), this.#row(query.b)]
        return i => a(i) && b(i)
      }
      case 'or': {
        const [a, b] = [this.#row(query.a), this.#row(query.b)]
        return i => a(i) || b(i)
      }
      case 'not': {
        const of = this.#row(query.of)
        return i => !of(i)
      }
      case 'before':
      case 'after':
        return this.#aside(query)
      case 'between':
        return this.#between(query)
      case 'inside': {
        const [of, bits] = [this.#row(query.of), this.#seen.get(query)]
        return i => bits?.at(i) === true && of(i)
      }
    }
  }

  #aside(query: Query & { readonly kind: 'before' | 'after' }): Row {
    const [of, mark] = [this.#row(query.of), this.#row(query.mark)]
    const n = this.#by.length
    if (query.kind === 'after') {
      let first = 0
      while (first < n && !mark(first)) first++
      return i => i > first && of(i)
    }
    let last = n - 1
    while (last >= 0 && !mark(last)) last--
    return i => i < last && of(i)
  }

  /** Behind the last `from` without a `to` since, and before a `to`; of one actor, or of any. */
  #between(query: Query & { readonly kind: 'between' }): Row {
    const [of, from, to] = [this.#row(query.of), this.#row(query.from), this.#row(query.to)]
    const meant = new Uint8Array(this.#by.length)
    const begun = new Map<number, number>()
    for (let i = 0; i < this.#by.length; i++) {
      const key = query.one ? (this.#by[i] ?? 0) : 0
      const since = begun.get(key)
      if (since !== undefined && to(i)) {
        meant.fill(1, since + 1, i)
        begun.delete(key)
      }
      if (from(i)) begun.set(key, i)
    }
    return i => meant[i] === 1 && of(i)
  }
}
