/**
 * Which steps of one run are which of another, actor by actor. How far one step goes depends on whether others could act: what
 * is one step here may be several there, as long as the actor has done the same behind them, and stands where it stood.
 */
import type { StepRecord } from '../../log/records.ts'
import { changed, isEqual } from '../../log/values.ts'

/** Steps of one actor, by their places among its own: [from, to) in one run is [from, to) in the other. */
export interface Match {
  readonly a: readonly [from: number, to: number]
  readonly b: readonly [from: number, to: number]
}

/** The steps of an actor in a run, in order; and all steps that change it. */
export interface Own {
  readonly steps: readonly StepRecord[]
  readonly changes: readonly StepRecord[]
}

/** As far as both runs of an actor are the same, from the first step on. */
export function matched(by: string, a: Own, b: Own): readonly Match[] {
  const matches: Match[] = []
  const stands = [new Standing(by, a), new Standing(by, b)] as const
  for (let i = 0, j = 0; i < a.steps.length && j < b.steps.length;) {
    const [x, y] = [a.steps[i], b.steps[j]]
    if (x === undefined || y === undefined || x.do !== y.do) break
    const [to, other] = isAlike(x, y) ? [i + 1, j + 1] : together(a, b, i, j, stands)
    if (to === i) break
    matches.push({ a: [i, to], b: [j, other] })
    i = to
    j = other
  }
  return matches
}

/** Does an actor do the same in two steps, and is it told the same? What became of others stands in their order. */
function isAlike(a: StepRecord, b: StepRecord): boolean {
  if (a.offer !== b.offer || a.event.type !== b.event.type || a.facts.length !== b.facts.length) return false
  return isEqual(said(a.event), said(b.event)) && isEqual(a.facts, b.facts) && isBecoming(a.set[a.by], b.set[b.by])
}

type Becoming = StepRecord['set'][string] | undefined
const isBecoming = (a: Becoming, b: Becoming): boolean => a?.[0] === b?.[0] && isEqual(said(a?.[1] ?? {}), said(b?.[1] ?? {}))

/** An empty object in place of another is no change; where a world was read, as a branch's is at its beginning, it is written as one. */
function said(fields: Fields): Fields {
  for (const key in fields)
    if (isEmpty(fields[key])) return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)))
  return fields
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  for (const _ in value) return false
  return true
}

type Fields = Readonly<Record<string, unknown>>

/** The most steps that may be one. */
const LONGEST = 4096

/** The ends of steps that do the same together; where they begin, if they do not. */
function together(a: Own, b: Own, i: number, j: number, [inA, inB]: readonly [Standing, Standing]): readonly [number, number] {
  const [ends, others] = [slice(a.steps, i), slice(b.steps, j)]
  if (ends === i + 1 && others === j + 1) return [i, j]
  // A slice may have ended early in either run: the ends are those behind which the actor stands alike.
  const behind = new Map(inA.behind(i, ends).map((text, n) => [text, i + n + 1]))
  for (const [n, text] of inB.behind(j, others).entries()) {
    const [to, other] = [behind.get(text), j + n + 1]
    if (to !== undefined && isEqual(units(a.steps, i, to), units(b.steps, j, other))) return [to, other]
  }
  return [i, j]
}

/** The end of steps in a row that do one thing; all but the last were bounded. */
function slice(steps: readonly StepRecord[], from: number): number {
  let to = from + 1
  while (to < steps.length && to - from < LONGEST && steps[to - 1]?.budget !== undefined && steps[to]?.do === steps[from]?.do) to++
  return to
}

/** Facts page by page, and values read, in an order of their own. */
function units(steps: readonly StepRecord[], from: number, to: number): readonly string[] {
  const all: string[] = []
  for (let i = from; i < to; i++) {
    const { facts, event } = steps[i] as StepRecord
    for (const fact of facts as readonly (readonly unknown[])[]) all.push(...unitsOf(fact))
    const values = event['values']
    if (Array.isArray(values)) all.push(...values.map(value => `value ${String(value)}`))
  }
  return all.toSorted()
}

const RUNS: ReadonlySet<unknown> = new Set(['pte', 'pmd', 'pud', 'pgd', 'tlb'])
const FRAMES: ReadonlySet<unknown> = new Set(['refs', 'maps', 'hugeMaps', 'state', 'lru'])
const NUMBERED: ReadonlySet<unknown> = new Set(['content', 'anonVma', 'index'])

function unitsOf(fact: readonly unknown[]): readonly string[] {
  const [kind, second] = fact
  if (RUNS.has(kind)) {
    const [, mm, index, count, word, target, step] = fact as readonly [string, string, number, number, string, number, number]
    return Array.from({ length: Math.min(count, LONGEST) }, (_, i) => `${kind as string} ${mm} ${index + i} ${word} ${target + i * step}`)
  }
  if (FRAMES.has(kind)) {
    const [first, count, value] = [Number(second), Number(fact[2]), fact[3]]
    return Array.from({ length: Math.min(count, LONGEST) }, (_, i) => `${kind as string} ${first + i} ${String(value)}`)
  }
  if (NUMBERED.has(kind)) {
    const [, first, count, value, step] = fact as readonly [string, number, number, number, number]
    return Array.from({ length: Math.min(count, LONGEST) }, (_, i) => `${kind as string} ${first + i} ${value + i * step}`)
  }
  return [JSON.stringify(fact)]
}

/** What an actor's own state and context are behind its steps, from what is recorded of them. */
class Standing {
  readonly #by: string
  readonly #own: Own
  /** Behind the first `#at` of the steps that change it. */
  #stand: Stand = { state: '', context: {} }
  #at = 0

  constructor(by: string, own: Own) {
    this.#by = by
    this.#own = own
  }

  /** As text, behind each of its steps [from, to); `from` never goes back. */
  behind(from: number, to: number): readonly string[] {
    for (; this.#isBy(this.#at, from); this.#at++) this.#stand = this.#changed(this.#stand, this.#at)
    let stand = this.#stand
    let at = this.#at
    return Array.from({ length: to - from }, (_, i) => {
      for (; this.#isBy(at, from + i + 1); at++) stand = this.#changed(stand, at)
      return JSON.stringify([stand.state, Object.entries(stand.context).toSorted(([a], [b]) => (a < b ? -1 : 1))])
    })
  }

  /** Is a change one that came with the first `n` steps? */
  #isBy(at: number, n: number): boolean {
    return (this.#own.changes[at]?.n ?? Infinity) <= (this.#own.steps[n - 1]?.n ?? 0)
  }

  #changed({ state, context }: Stand, at: number): Stand {
    const [now, keys] = this.#own.changes[at]?.set[this.#by] ?? [0, {}]
    const fresh = Object.entries(keys).map(([key, told]) => [key, changed(context[key], told)])
    return { state: now === 0 ? state : now, context: { ...context, ...Object.fromEntries(fresh) } }
  }
}

interface Stand {
  readonly state: string
  readonly context: Fields
}
