/**
 * Breadth first with several workers: the same states with the same numbers, the same counts and the same findings as with one.
 * Round by round, the workers go on from the next states, hand what they find to those who keep it, and are told which numbers
 * the new states have: those in the order of the states that they were found from, and of the steps.
 */
import type { Judge } from '../properties/judge.ts'
import { NotDeterministic } from '../model.ts'
import { Rows, type Row } from '../worlds/rows.ts'
import type { Space } from '../worlds/space.ts'
import type { Step } from '../worlds/steps.ts'
import { Unsound, type Cut, type Limits, type Progress, type Search, type Searched, type Strategy } from '../strategy.ts'
import { told } from './partition.ts'
import { Parts } from './parts.ts'
import { ROUND, type Answers, type Port, type Sighting, type TaskOf, type Verb } from './port.ts'

/** `kept`: are the states wanted afterwards, all in one place? */
export const parallel = (port: Port, kept: boolean): Strategy => ({
  name: 'bfs',
  search: (space, judge, limits) => new Parallel(port, space, judge, limits).search(kept),
})

/** Something that has to wait for workers: may be told meanwhile why to stop, which it does at the end of the round. */
type Waiting<T> = Generator<Progress, T, Cut | undefined>

class Parallel<M, F> {
  readonly #port: Port
  readonly #space: Space<M, F>
  readonly #judge: Judge<M, F>
  readonly #limits: Limits
  readonly #parts: Parts<M, F>
  /** By worker: the numbers of the states that were new. */
  #numbers: readonly Int32Array[] = []
  #states = 1
  #transitions = 0
  #depth = 0
  #next = 0
  #bytes = 0
  #cut: Cut | undefined

  constructor(port: Port, space: Space<M, F>, judge: Judge<M, F>, limits: Limits) {
    this.#port = port
    this.#space = space
    this.#judge = judge
    this.#limits = limits
    this.#parts = new Parts(space)
  }

  *search(kept: boolean): Search {
    yield* this.#begin()
    for (let end = 1; this.#next < this.#states && this.#cut === undefined && !this.#judge.decided;) {
      if (this.#next === end) {
        if (this.#depth + 1 === this.#limits.maxDepth) {
          this.#cut = 'max depth'
          break
        }
        this.#depth++
        end = this.#states
      }
      yield* this.#round(Math.min(end, this.#next + ROUND))
      this.#cut ??= yield this.#progress()
    }
    const searched: Searched = { ...this.#progress(), cut: this.#cut }
    return kept && this.#cut === undefined && searched.frontier === 0 ? { ...searched, rows: yield* this.#gathered() } : searched
  }

  #progress(): Progress {
    return {
      states: this.#states,
      transitions: this.#transitions,
      depth: this.#depth,
      frontier: this.#states - this.#next,
      bytes: this.#bytes,
    }
  }

  *#begin(): Waiting<void> {
    const begun = yield* this.#all<'begin'>(() => ({ do: 'begin' }))
    const ours = told(this.#space.model, this.#space)
    if (begun.some(({ model }) => model !== ours))
      throw new Unsound('the workers have made another model than the one that is to be explored: they must make it from the same parts')
    this.#numbers = begun.map(({ first }) => (first ? Int32Array.of(0) : new Int32Array(0)))
  }

  /** Goes on from the states before `to`. */
  *#round(to: number): Waiting<void> {
    const expanded = yield* this.#all<'expand'>(w => ({ do: 'expand', numbers: this.#numbers[w] as Int32Array, end: to }))
    const late = yield* this.#agreed(expanded)
    const taken = yield* this.#all<'take'>(w => ({
      do: 'take',
      boxes: [...expanded, ...late].map(({ boxes }) => boxes[w] as Int32Array).filter(box => box.length > 0),
    }))
    this.#bytes = taken.reduce((sum, { bytes }) => sum + bytes, 0)
    const { numbers, froms } = numbered(
      taken.map(({ keys }) => keys),
      this.#states,
    )
    this.#numbers = numbers
    const sightings = [...expanded, ...taken].flatMap(answer => answer.sightings)
    const last = yield* this.#judged(sightings, froms)
    if (last === undefined) {
      this.#transitions += expanded.reduce((sum, { transitions }) => sum + transitions, 0)
      this.#states += froms.length
      this.#next = to
    } else {
      const counted = yield* this.#all<'count'>(() => ({ do: 'count', from: this.#next, to: last + 1 }))
      this.#transitions += counted.reduce((sum, { transitions }) => sum + transitions, 0)
      this.#states += upTo(last, froms)
      this.#next = last + 1
    }
  }

  /** Has the parts numbered that nobody has met before; the successors that have them. */
  *#agreed(expanded: readonly Answers['expand'][]): Waiting<readonly Answers['agree'][]> {
    const strange = expanded.flatMap(answer => answer.strange).toSorted((a, b) => (a[0] as number) - (b[0] as number))
    if (strange.length === 0) return []
    const rows = strange.map(row => row.subarray(1))
    for (const row of rows) this.#parts.learn(row)
    return yield* this.#all<'agree'>(() => ({ do: 'agree', rows }))
  }

  /** Keeps what was found first; the state that one worker alone would have gone on from last, if it would have stopped. */
  *#judged(sightings: readonly Sighting[], froms: Int32Array): Waiting<number | undefined> {
    const full = this.#fullAt(froms)
    const { properties } = this.#space.model
    let last = -1
    for (const { property, from, step } of sightings.toSorted((a, b) => a.from - b.from || a.step - b.step)) {
      const of = properties[property]
      if (of === undefined || this.#judge.found.has(of) || from > (full ?? Infinity)) continue
      yield* this.#find(from, step)
      last = Math.max(last, from)
    }
    if (this.#judge.decided && (full === undefined || last < full)) return Math.max(last, this.#next)
    if (full !== undefined) this.#cut = 'max states'
    return full
  }

  /** The state at which there are as many as there may be, if something is left then. */
  #fullAt(froms: Int32Array): number | undefined {
    const { maxStates } = this.#limits
    if (this.#states + froms.length < maxStates) return undefined
    const at = Math.max(this.#next, froms[maxStates - 1 - this.#states] ?? 0)
    return at + 1 < this.#states + upTo(at, froms) ? at : undefined
  }

  /** Finds here what a worker has seen at a state, or by one of its steps, and says how to get there. */
  *#find(state: number, step: number): Waiting<void> {
    const way = yield* this.#wayTo(state)
    const space = this.#space
    const choices = way.slice(1).map((row, i) => {
      const n = space.expand(way[i] as Row)
      return space.choiceOf(space.steps[this.#stepTo(row, n)] as Step<F>)
    })
    const row = way.at(-1) as Row
    space.expand(row)
    this.#judge.follow(() => choices)
    const taken = space.steps[step]
    if (step < 0 || taken === undefined) return this.#judge.end(row, 0, state)
    this.#judge.step(taken, state)
    this.#judge.follow(() => [...choices, space.choiceOf(taken)])
    this.#judge.world(space.nexts, step * space.width, state)
  }

  /** The rows of the states on the way to one. */
  *#wayTo(state: number): Waiting<readonly Row[]> {
    const way: Row[] = []
    for (let at = state; at >= 0;) {
      const found = yield* this.#all<'states'>(() => ({ do: 'states', from: at, to: at + 1 }))
      const entry = found.find(({ states }) => states.length > 0)?.states
      if (entry === undefined) throw new Error(`no worker has state ${at}`)
      const row = entry.slice(2)
      this.#parts.own(row)
      way.unshift(row)
      at = entry[1] as number
    }
    return way
  }

  #stepTo(row: Row, n: number): number {
    const { nexts, width } = this.#space
    for (let k = 0; k < n; k++) if (row.every((id, i) => nexts[k * width + i] === id)) return k
    throw new Error('no step leads to the next state of a way: a step is not deterministic')
  }

  /** All states in one set, as one worker alone would have it. */
  *#gathered(): Waiting<Rows> {
    const { width } = this.#space
    const entry = width + 2
    const rows = new Rows(width)
    const row = new Int32Array(width)
    for (let from = 0; from < this.#states; from += ROUND) {
      const to = Math.min(this.#states, from + ROUND)
      const parts = yield* this.#all<'states'>(() => ({ do: 'states', from, to }))
      const at = parts.map(() => 0)
      for (let state = from; state < to; state++) {
        const w = parts.findIndex(({ states }, i) => states[at[i] as number] === state)
        const { states } = parts[w] as Answers['states']
        const here = at[w] as number
        row.set(states.subarray(here + 2, here + entry))
        this.#parts.own(row)
        rows.add(row, 0, states[here + 1] as number)
        at[w] = here + entry
      }
    }
    return rows
  }

  /** Gives each worker a task, and waits for all of them. */
  *#all<V extends Verb>(task: (worker: number) => TaskOf<V>): Waiting<readonly Answers[V][]> {
    const { workers } = this.#port
    // A task's own verb says of what kind its answer is.
    const answers: Answers[V][] = []
    for (let w = 0; w < workers; w++) this.#port.submit(w, task(w))
    for (let left = workers; left > 0;) {
      for (const result of this.#port.results()) {
        if ('error' in result) throw errorOf(result.error)
        answers[result.worker] = result.answer as Answers[V]
        left--
      }
      if (left > 0) this.#cut ??= yield this.#progress()
    }
    return answers
  }
}

function errorOf({ name, message }: { readonly name: string; readonly message: string }): Error {
  return name === 'NotDeterministic' ? new NotDeterministic(message) : name === 'Unsound' ? new Unsound(message) : new Error(message)
}

/** The numbers of new states, by worker, and where each was found from: `keys` are ascending. */
function numbered(keys: readonly Int32Array[], first: number): { readonly numbers: readonly Int32Array[]; readonly froms: Int32Array } {
  const numbers = keys.map(list => new Int32Array(list.length / 2))
  const froms = new Int32Array(keys.reduce((sum, list) => sum + list.length / 2, 0))
  const at = keys.map(() => 0)
  for (let i = 0; i < froms.length; i++) {
    let least = -1
    for (let w = 0; w < keys.length; w++) {
      if (at[w] === (keys[w] as Int32Array).length) continue
      if (least < 0 || comesBefore(keys, at, w, least)) least = w
    }
    const place = at[least] as number
    froms[i] = (keys[least] as Int32Array)[place] as number
    ;(numbers[least] as Int32Array)[place / 2] = first + i
    at[least] = place + 2
  }
  return { numbers, froms }
}

function comesBefore(keys: readonly Int32Array[], at: readonly number[], a: number, b: number): boolean {
  const [x, y] = [keys[a] as Int32Array, keys[b] as Int32Array]
  const [i, j] = [at[a] as number, at[b] as number]
  return x[i] === y[j] ? (x[i + 1] as number) < (y[j + 1] as number) : (x[i] as number) < (y[j] as number)
}

/** How many of them were found from a state up to `last`: they are ascending. */
function upTo(last: number, froms: Int32Array): number {
  const after = froms.findIndex(from => from > last)
  return after < 0 ? froms.length : after
}
