/** Counts over the steps of a log. */
import { KINDS, type LoggedStep } from './query/terms.ts'

type Counts = Map<string, number>

export interface Statistics {
  readonly steps: number
  readonly first: number
  readonly last: number
  /** Sorted, most first. */
  readonly actors: readonly (readonly [name: string, steps: number])[]
  readonly types: readonly (readonly [name: string, steps: number])[]
  readonly facts: readonly (readonly [kind: string, facts: number])[]
  /** Steps that have a name of their own in queries: `fault`, `retry`, `invalidation`. */
  readonly kinds: readonly (readonly [name: string, steps: number])[]
  readonly calls: number
  /** Steps that had to wait for another actor's. */
  readonly waited: number
}

const sorted = (counts: Counts): readonly (readonly [string, number])[] => [...counts].toSorted((a, b) => b[1] - a[1])
const count = (counts: Counts, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1)

export class Counting {
  readonly #actors: Counts = new Map()
  readonly #types: Counts = new Map()
  readonly #facts: Counts = new Map()
  readonly #kinds: Counts = new Map(Object.keys(KINDS).map(name => [name, 0]))
  #steps = 0
  #first = 0
  #last = 0
  #calls = 0
  #waited = 0

  see(step: LoggedStep & { readonly after?: number }): void {
    if (this.#steps++ === 0) this.#first = step.n
    this.#last = step.n
    count(this.#actors, step.by)
    count(this.#types, step.do)
    for (const [kind] of step.facts) count(this.#facts, kind)
    for (const [name, is] of Object.entries(KINDS)) if (is(step)) count(this.#kinds, name)
    this.#calls += step.calls.length
    if (step.after !== undefined) this.#waited++
  }

  get statistics(): Statistics {
    return {
      steps: this.#steps,
      first: this.#first,
      last: this.#last,
      actors: sorted(this.#actors),
      types: sorted(this.#types),
      facts: sorted(this.#facts),
      kinds: [...this.#kinds],
      calls: this.#calls,
      waited: this.#waited,
    }
  }
}
