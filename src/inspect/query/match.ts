/**
 * Which steps of a log a query means. Steps are seen once, in order; of each, a byte is kept for each part that a step
 * can be asked by itself. What comes later in the log may decide whether an earlier step is meant: until all has been
 * seen, there are steps that are meant whatever comes, and others that may be.
 */
import type { LinuxSystem } from '../linux.ts'
import { anyOf, isLocal, testOf, type MomentTest, type Taken } from './condition.ts'
import type { Query } from './query.ts'
import { WINDOWS, type LoggedStep, type Window } from './terms.ts'

/** No step behind this one can be meant. */
export function lastMeant(query: Query): number {
  switch (query.kind) {
    case 'step':
      return query.to
    case 'and':
      return Math.min(lastMeant(query.a), lastMeant(query.b))
    case 'or':
      return Math.max(lastMeant(query.a), lastMeant(query.b))
    case 'after':
      return lastMeant(query.of)
    default:
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
const never: Row = () => false
/** Of each step: is it meant, whatever comes; and could it be meant yet? Once all was seen, the two are one. */
interface Rows {
  readonly sure: Row
  readonly could: Row
}
const known = (row: Row): Rows => ({ sure: row, could: row })
const NEVER = known(never)
type Inside = Query & { readonly kind: 'inside' }

/** Sees the steps of a log, and says which are meant. */
export class Matcher {
  readonly #query: Query
  readonly #first: number
  /** The parts of the query that a step can be asked by itself, and what each of them said. */
  readonly #tests = new Map<Query, MomentTest>()
  readonly #seen = new Map<Query, Bits>()
  readonly #windows = new Map<Query, OpenWindow>()
  /** Of each step its actor, by number. */
  readonly #by: number[] = []
  readonly #actors = new Map<string, number>()

  /** `first`: the number of the first step that will be seen. */
  constructor(system: LinuxSystem, query: Query, first = 1) {
    this.#query = query
    this.#first = first
    this.#prepare(query, system)
  }

  #prepare(query: Query, system: LinuxSystem): void {
    if (isLocal(query)) this.#tests.set(query, testOf(query, system))
    else for (const part of partsOf(query)) this.#prepare(part, system)
    if (query.kind === 'inside') this.#windows.set(query, new OpenWindow(query))
  }

  /** Could this step be meant, whatever the others are? */
  see(moment: Taken): boolean {
    this.#by.push(this.#actor(moment.step.by))
    return this.#note(this.#query, moment)
  }

  /** The steps that are meant; as long as there may be more to see, those of which nothing that comes can make it untrue. */
  meant({ all = true }: { readonly all?: boolean } = {}): readonly number[] {
    const { sure } = this.#rows(this.#query, all)
    const meant: number[] = []
    for (let i = 0; i < this.#by.length; i++) if (sure(i)) meant.push(i + this.#first)
    return meant
  }

  #actor(name: string): number {
    const known = this.#actors.get(name)
    if (known !== undefined) return known
    this.#actors.set(name, this.#actors.size)
    return this.#actors.size - 1
  }

  /** Keeps what each part says of a step; could the query mean it? */
  #note(query: Query, moment: Taken): boolean {
    const test = this.#tests.get(query)
    if (test !== undefined) return this.#keep(query, test(moment))
    const could = partsOf(query).map(part => this.#note(part, moment))
    switch (query.kind) {
      case 'and':
        return could.every(Boolean)
      case 'or':
        return could.some(Boolean)
      case 'not':
        return true
      case 'inside':
        return this.#keep(query, this.#windows.get(query)?.see(moment.step) === true) && could[0] === true
      default:
        return could[0] === true
    }
  }

  #keep(query: Query, bit: boolean): boolean {
    let bits = this.#seen.get(query)
    if (bits === undefined) this.#seen.set(query, (bits = new Bits()))
    bits.push(bit)
    return bit
  }

  #rows(query: Query, all: boolean): Rows {
    const bits = this.#seen.get(query)
    if (this.#tests.has(query)) return known(i => bits?.at(i) === true)
    const [first = NEVER, second = NEVER, third = NEVER] = partsOf(query).map(part => this.#rows(part, all))
    switch (query.kind) {
      case 'and':
        return { sure: i => first.sure(i) && second.sure(i), could: i => first.could(i) && second.could(i) }
      case 'or':
        return { sure: i => first.sure(i) || second.sure(i), could: i => first.could(i) || second.could(i) }
      case 'not':
        return { sure: i => !first.could(i), could: i => !first.sure(i) }
      case 'before': {
        const last = this.#by.findLastIndex((_, i) => second.sure(i))
        const most = all ? last : Infinity
        return { sure: i => i < last && first.sure(i), could: i => i < most && first.could(i) }
      }
      case 'after': {
        const [sure, could] = [second.sure, second.could].map(row => this.#by.findIndex((_, i) => row(i)))
        return { sure: behind(sure, first.sure), could: behind(could, first.could) }
      }
      case 'between': {
        // Where its ends are not known yet, nothing is.
        if (!all && !(isLocal(query.from) && isLocal(query.to))) return { sure: never, could: first.could }
        const { between, open } = this.#between(second.sure, third.sure, query.one)
        return {
          sure: i => between[i] === 1 && first.sure(i),
          could: i => (between[i] === 1 || (!all && i > open)) && first.could(i),
        }
      }
      default:
        return { sure: i => bits?.at(i) === true && first.sure(i), could: i => bits?.at(i) === true && first.could(i) }
    }
  }

  /** Behind the last `from` without a `to` since, and before a `to`; of one actor, or of any. `open`: where the first begins that has no end yet. */
  #between(from: Row, to: Row, one: boolean): { readonly between: Uint8Array; readonly open: number } {
    const between = new Uint8Array(this.#by.length)
    const begun = new Map<number, number>()
    for (const [i, by] of this.#by.entries()) {
      const key = one ? by : 0
      const since = begun.get(key)
      if (since !== undefined && to(i)) {
        between.fill(1, since + 1, i)
        begun.delete(key)
      }
      if (from(i)) begun.set(key, i)
    }
    return { between, open: Math.min(...begun.values()) }
  }
}

const behind =
  (mark = -1, row: Row = never): Row =>
  i =>
    mark >= 0 && i > mark && row(i)

/** What a query is put together from, in the order in which it is written. */
function partsOf(query: Query): readonly Query[] {
  switch (query.kind) {
    case 'and':
    case 'or':
      return [query.a, query.b]
    case 'not':
    case 'inside':
      return [query.of]
    case 'before':
    case 'after':
      return [query.of, query.mark]
    case 'between':
      return [query.of, query.from, query.to]
    default:
      return []
  }
}

/** Who has something under way, of those that are asked about. */
class OpenWindow {
  readonly #window: Window
  /** Undefined: anybody but who takes the step. */
  readonly #who: ((name: string) => boolean) | undefined
  readonly #open = new Set<string>()

  constructor({ window, who }: Inside) {
    this.#window = WINDOWS[window]
    this.#who = who.length === 0 ? undefined : anyOf(who)
  }

  /** Is something under way, before which this step takes place? */
  see(step: LoggedStep): boolean {
    const own = this.#who === undefined && this.#open.has(step.by)
    const inside = this.#open.size > (own ? 1 : 0)
    if (this.#who === undefined || this.#who(step.by)) {
      if (this.#window.closes(step)) this.#open.delete(step.by)
      if (this.#window.opens(step)) this.#open.add(step.by)
    }
    return inside
  }
}
