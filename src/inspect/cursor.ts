/**
 * A place in a run, and the ways to move it: one step on or back, to where something holds or changes, to a step by number,
 * to another step of the same actor, and back and forward through the places where one has been.
 *
 * The cursor stands on a step: the world is the one after it. On `first` it stands at the beginning.
 */
import type { Key } from '../log/keys.ts'
import { toTheEnd } from '../system/to-the-end.ts'
import { changesAt, type Change } from './changes.ts'
import { momentAt } from './moment.ts'
import { differs, type Path } from './path.ts'
import { Places } from './places.ts'
import type { Condition } from './query/condition.ts'
import type { LinuxWorld } from './linux.ts'
import type { Run } from './recording.ts'

/** A step by its number, the end, or so many percent of the run. */
export type Where = number | 'end' | { readonly percent: number }

/** Why a motion ended where it did. */
export interface Stop {
  readonly n: number
  readonly why: 'moved' | 'condition' | 'watch' | 'end' | 'beginning' | 'stopped'
  /** What changed there of what is watched. */
  readonly changes: readonly Change[]
  /** The condition that holds there. */
  readonly condition?: Condition
}

/** A search that can be watched and stopped: yields how far it is, and is told whether to stop there. */
export type Searching = Generator<number, Stop, boolean>

/** Steps between two reports. */
const STRIDE = 256

export class Cursor {
  readonly run: Run
  #n: number
  #watched: readonly Path[] = []
  readonly #places: Places<number>

  constructor(run: Run, n = run.first) {
    this.run = run
    this.#n = this.#clamped(n)
    this.#places = new Places(this.#n)
  }

  get n(): number {
    return this.#n
  }
  get world(): LinuxWorld {
    return this.run.world(this.#n)
  }

  get watched(): readonly Path[] {
    return this.#watched
  }
  watch(path: Path): void {
    this.unwatch(path.text)
    this.#watched = [...this.#watched, path]
  }
  /** Was it watched? */
  unwatch(text: string): boolean {
    const { length } = this.#watched
    this.#watched = this.#watched.filter(path => path.text !== text)
    return this.#watched.length < length
  }

  step(count = 1): Stop {
    return this.#moved(this.#n + count)
  }
  reverseStep(count = 1): Stop {
    return this.#moved(this.#n - count)
  }

  /** To a step by number, to so many percent of the run, or to its end. */
  goto(where: Where): Stop {
    return this.#moved(this.placeOf(where))
  }
  /** The number that such a place has, if it is one of the run. */
  placeOf(where: Where): number {
    const { first, last } = this.run
    return where === 'end' ? last : typeof where === 'number' ? where : first + Math.round(((last - first) * where.percent) / 100)
  }

  /** On to the next step at which something watched changes, or a condition holds; else to the end. */
  continue(conditions: readonly Condition[] = []): Stop {
    return toTheEnd(this.searching(conditions))
  }
  reverseContinue(conditions: readonly Condition[] = []): Stop {
    return toTheEnd(this.searching(conditions, true))
  }
  /** The same, bit by bit. */
  searching(conditions: readonly Condition[] = [], back = false): Searching {
    return this.#search(back, conditions, true)
  }

  /** To the next step of an actor, or to the one before. */
  next(actor: string): Stop {
    return toTheEnd(this.#search(false, [byActor(actor)], false))
  }
  prev(actor: string): Stop {
    return toTheEnd(this.#search(true, [byActor(actor)], false))
  }

  /** To where one was before; undefined if nowhere. */
  back(): Stop | undefined {
    return this.#revisit(this.#places.back())
  }
  forward(): Stop | undefined {
    return this.#revisit(this.#places.forward())
  }

  #revisit(n: number | undefined): Stop | undefined {
    return n === undefined ? undefined : this.#arrive(n, 'moved')
  }

  *#search(back: boolean, conditions: readonly Condition[], watching: boolean): Searching {
    const watched = watching ? this.#watched : []
    const { run } = this
    const wanted = [...watched, ...conditions]
    const keys = wanted.some(({ keys }) => keys === undefined) ? undefined : wanted.flatMap<Key>(({ keys }) => keys ?? [])
    for (const { prepare } of conditions) if (prepare !== undefined && !(yield* prepare())) return this.#went(this.#n, 'stopped')
    // Nothing is asked for but where it ends.
    const steps = wanted.length === 0 ? [] : run.candidates(this.#n + (back ? -1 : 1), back, keys)
    for (const n of steps) {
      if (n <= run.first) break
      if (n % STRIDE === 0 && (yield n)) return this.#went(n, 'stopped')
      if (watched.some(path => differs(path, run.world(n - 1), run.world(n)))) return this.#went(n, 'watch')
      const condition = conditions.find(c => c.holds(momentAt(run, n)))
      if (condition !== undefined) return this.#went(n, 'condition', condition)
    }
    return back ? this.#went(run.first, 'beginning') : this.#went(run.last, 'end')
  }

  #moved(to: number): Stop {
    const n = this.#clamped(to)
    return this.#went(n, n < to ? 'end' : n > to ? 'beginning' : 'moved')
  }

  #went(n: number, why: Stop['why'], condition?: Condition): Stop {
    this.#places.visit(n)
    return this.#arrive(n, why, condition)
  }

  #arrive(n: number, why: Stop['why'], condition?: Condition): Stop {
    this.#n = n
    this.run.ready?.(n)
    return { n, why, changes: this.#changesAt(n), ...(condition === undefined ? {} : { condition }) }
  }

  /** What the step changed of what is watched. */
  #changesAt(n: number): readonly Change[] {
    if (n <= this.run.first) return []
    const [before, after] = [this.run.world(n - 1), this.run.world(n)]
    return this.#watched.flatMap(path => changesAt(path, before, after))
  }

  #clamped(n: number): number {
    return Math.max(this.run.first, Math.min(n, this.run.last))
  }
}

const byActor = (name: string): Condition => ({
  text: `by ${name}`,
  isOracle: false,
  holds: ({ step }) => step?.by === name,
  why: () => undefined,
  keys: [{ in: 'by', name }],
})
