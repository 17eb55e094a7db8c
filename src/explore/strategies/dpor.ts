/**
 * Dynamic partial-order reduction with wakeup trees (Abdulla, Aronis, Jonsson, Sagonas: "Optimal dynamic partial order
 * reduction"): one run for each class of orders of events. A run is gone to its end; then, for each of its steps that could
 * have come before one that it depends on, the run in which it does is put down where the two part, unless one that is
 * equivalent was gone already.
 *
 * Actors may have several offers, and calls may be refused: so the offers that an actor did not take are held against the
 * run, too, and a step that had to wait against whoever made it wait. Steps that a property can see never change places.
 */
import { Footprints, touch } from '../worlds/footprint.ts'
import type { Judge } from '../properties/judge.ts'
import { Rows, type Row } from '../worlds/rows.ts'
import type { Space } from '../worlds/space.ts'
import type { Refusal, Step } from '../worlds/steps.ts'
import { bytesAhead, STRIDE, type Cut, type Limits, type Search, type Strategy } from '../strategy.ts'

/** A run that is to be gone yet, by its first step and what comes then; of several, the first comes first. */
interface Branch<F> {
  readonly step: Step<F>
  readonly next: Branch<F>[]
}

/** A place of the run that is gone now. */
interface Frame<F> {
  readonly row: Row
  readonly state: number
  readonly stage: number
  readonly steps: readonly Step<F>[]
  readonly refusals: readonly Refusal<F>[]
  /** Steps from here that were gone on with, or that come to the same. */
  readonly sleep: Step<F>[]
  readonly tree: Branch<F>[]
  gone: boolean
  /** The step that is gone on with now: how many of its actor's it is, and how many of each actor's it comes after, itself included. */
  step: Step<F> | undefined
  clock: Int32Array
}

export const dpor: Strategy = {
  name: 'dpor',
  *search(space, judge, limits) {
    // What properties look at shows only when they are asked: if that was more than was known, all is gone through again.
    for (;;) {
      const known = judge.places
      const searched = yield* new Dpor(space, judge, limits).search()
      if (judge.places === known || searched.cut !== undefined || judge.decided) return searched
    }
  },
}

const NONE = new Int32Array(0)

class Dpor<M, F> {
  readonly #space: Space<M, F>
  readonly #judge: Judge<M, F>
  readonly #limits: Limits
  readonly #footprints: Footprints<M, F>
  readonly #visible: boolean[] = []
  readonly #path: Frame<F>[] = []
  readonly #onPath = new Set<number>()
  readonly #rows: Rows

  constructor(space: Space<M, F>, judge: Judge<M, F>, limits: Limits) {
    this.#space = space
    this.#judge = judge
    this.#limits = limits
    this.#footprints = new Footprints(space)
    this.#rows = new Rows(space.width)
  }

  *search(): Search {
    const { maxStates, maxDepth } = this.#limits
    const [path, rows, judge] = [this.#path, this.#rows, this.#judge]
    let [transitions, runs, blocked, deepest, shallow, told] = [0, 0, 0, 0, 0, 0]
    let cut: Cut | undefined
    judge.follow(() => path.flatMap(({ step }) => (step === undefined ? [] : [this.#space.choiceOf(step)])))
    this.#enter(this.#space.start, -1, [], [])
    while (path.length > 0 && cut === undefined && !judge.decided) {
      const frame = path[path.length - 1] as Frame<F>
      if (frame.step !== undefined) {
        frame.sleep.push(frame.step)
        frame.step = undefined
      }
      const branch = this.#nextOf(frame, path.length <= maxDepth)
      if (branch === undefined) {
        if (!frame.gone) {
          const over = frame.steps.length === 0
          if (!over && path.length > maxDepth) shallow++
          else if (over) runs++
          else blocked++
          if (over || path.length > maxDepth) this.#races()
        }
        this.#leave()
        continue
      }
      frame.gone = true
      judge.step(branch.step, frame.state)
      this.#go(frame, branch.step)
      transitions++
      const row = frame.row.slice()
      this.#space.take(row, 0, branch.step.source.by, branch.step.source.at)
      const sleep = frame.sleep.filter(other => !this.#dependent(other, branch.step))
      if (this.#enter(row, frame.state, sleep, branch.next)) cut = 'a circle'
      deepest = Math.max(deepest, path.length - 1)
      if (rows.size >= maxStates) cut ??= 'max states'
      else if (transitions - told >= STRIDE) {
        told = transitions
        const stop = yield { states: rows.size, transitions, frontier: this.#open(), depth: path.length - 1, bytes: bytesAhead(rows) }
        cut ??= stop
      }
    }
    if (shallow > 0) cut ??= 'max depth'
    return { states: rows.size, transitions, depth: deepest, frontier: this.#open() + shallow, cut, runs, blocked, bytes: rows.bytes }
  }

  #open(): number {
    return this.#path.reduce((sum, { tree }) => sum + tree.length, 0)
  }

  /** What is gone from here next: what was put down, or, at first, anything that does not sleep. */
  #nextOf(frame: Frame<F>, deeper: boolean): Branch<F> | undefined {
    if (!deeper) return undefined
    const branch = frame.tree.shift()
    if (branch !== undefined) {
      const step = frame.steps.find(s => s.source.by === branch.step.source.by && s.source.at === branch.step.source.at)
      if (step === undefined) throw new Error('a run that was put down cannot be gone: a footprint leaves something out')
      return { step, next: branch.next }
    }
    if (frame.gone) return undefined
    const step = frame.steps.find(s => !frame.sleep.some(other => other.source.by === s.source.by && other.source.at === s.source.at))
    return step === undefined ? undefined : { step, next: [] }
  }

  /** Goes to a world; true if the run was there before, and so goes in circles. */
  #enter(row: Row, from: number, sleep: Step<F>[], tree: Branch<F>[]): boolean {
    const added = this.#rows.add(row, 0, from)
    const state = added < 0 ? ~added : added
    this.#judge.world(row, 0, state)
    const n = this.#space.expand(row)
    if (n === 0) this.#judge.end(row, 0, state)
    const circle = this.#onPath.has(state)
    this.#onPath.add(state)
    this.#path.push({
      row,
      state,
      stage: this.#space.stage,
      steps: this.#space.steps.slice(0, n),
      refusals: this.#space.refusals.slice(),
      sleep,
      tree,
      gone: false,
      step: undefined,
      clock: NONE,
    })
    return circle
  }

  #leave(): void {
    const frame = this.#path.pop()
    if (frame !== undefined) this.#onPath.delete(frame.state)
  }

  /** Takes a step from the last place: what it comes after. */
  #go(frame: Frame<F>, step: Step<F>): void {
    const path = this.#path
    const clock = new Int32Array(this.#space.width)
    for (let i = path.length - 2; i >= 0; i--) {
      const other = path[i] as Frame<F>
      const by = other.step?.source.by ?? 0
      if ((clock[by] as number) >= (other.clock[by] as number)) continue
      if (!this.#follows(other, frame, step)) continue
      for (let a = 0; a < clock.length; a++) clock[a] = Math.max(clock[a] as number, other.clock[a] as number)
    }
    ;(clock[step.source.by] as number)++
    frame.step = step
    frame.clock = clock
  }

  /** Does a step at a place depend on the one that was taken at an earlier place? */
  #follows(earlier: Frame<F>, place: Frame<F>, step: Step<F>): boolean {
    return earlier.stage !== place.stage || this.#dependent(earlier.step as Step<F>, step)
  }

  #dependent(a: Step<F>, b: Step<F>): boolean {
    return !this.#footprints.independent(a, b) || (this.#isVisible(a) && this.#isVisible(b))
  }

  #isVisible(step: Step<F>): boolean {
    return (this.#visible[step.n] ??= this.#judge.sees(step))
  }

  /** Does the i-th step come before the j-th in every equivalent run? A step comes before itself. */
  #before(i: number, j: number): boolean {
    const [a, b] = [this.#path[i] as Frame<F>, this.#path[j] as Frame<F>]
    const by = (a.step as Step<F>).source.by
    return (b.clock[by] as number) >= (a.clock[by] as number)
  }

  /** A run is over: what could have come earlier, or been done instead, is put down. */
  #races(): void {
    const end = this.#path.length - 1
    for (let k = 0; k < end; k++) {
      const { steps, refusals, step } = this.#path[k] as Frame<F>
      const taken = step as Step<F>
      const { by } = taken.source
      this.#hold(k, taken, taken)
      for (const other of steps) if (other.source.by === by && other !== taken) this.#hold(k, other, other, true)
      for (const other of refusals) if (other.source.by === by) this.#hold(k, other, undefined, true)
    }
    for (const refusal of (this.#path[end] as Frame<F>).refusals) this.#hold(end, refusal, undefined)
  }

  /** Holds an offer, taken or not, that its actor had at the k-th place, against the steps that it could have come before. */
  #hold(k: number, offer: Step<F> | Refusal<F>, step: Step<F> | undefined, instead = false): void {
    const path = this.#path
    const { by } = offer.source
    if (instead) this.#put(k, k, offer)
    let last = k - 1
    while (last >= 0 && path[last]?.step?.source.by !== by) last--
    const reversed: number[] = []
    for (let i = k - 1; i >= 0; i--) {
      const frame = path[i] as Frame<F>
      const other = frame.step as Step<F>
      if (other.source.by === by || (last >= 0 && this.#before(i, last)) || reversed.some(r => this.#before(i, r))) continue
      if (frame.stage !== path[k]?.stage) break
      const touches =
        step === undefined
          ? touch(this.#footprints.of(other), this.#footprints.ofRefusal(offer as Refusal<F>))
          : this.#dependent(other, step)
      if (touches && this.#put(i, k, offer)) reversed.push(i)
    }
  }

  /**
   * Puts down, at the i-th place, the run in which an offer that was there at the k-th comes before the i-th step, and before
   * it whatever does not follow from that. False if it cannot be taken then.
   */
  #put(i: number, k: number, { source }: Step<F> | Refusal<F>): boolean {
    const path = this.#path
    const moves: Step<F>[] = []
    for (let m = i + 1; m < path.length - 1; m++)
      if (!this.#before(i, m) && (k >= path.length - 1 || !this.#before(k, m))) moves.push((path[m] as Frame<F>).step as Step<F>)
    // What comes before it may be too much: then it is tried with less, but for what its actor has done itself.
    const own = moves.findLastIndex(move => move.source.by === source.by) + 1
    for (let length = moves.length; length >= own; length--) {
      const run = this.#taken((path[i] as Frame<F>).row, moves.slice(0, length), source)
      if (run === undefined) continue
      this.#insert(path[i] as Frame<F>, run)
      return true
    }
    return false
  }

  /** The steps of a run from a world, and of an offer at its end; undefined if one of them is refused. */
  #taken(from: Row, moves: readonly Step<F>[], end: Step<F>['source']): readonly Step<F>[] | undefined {
    const row = from.slice()
    const run: Step<F>[] = []
    for (const { by, at } of [...moves.map(move => move.source), end]) {
      const step = this.#space.take(row, 0, by, at)
      if (step === undefined || !('own' in step)) return undefined
      run.push(step)
    }
    return run
  }

  #insert(frame: Frame<F>, run: readonly Step<F>[]): void {
    if (frame.sleep.some(step => this.#isInitial(step, run)) || this.#isInitial(frame.step as Step<F>, run)) return
    let left = run
    let branches = frame.tree
    for (;;) {
      const branch = branches.find(({ step }) => this.#isInitial(step, left))
      if (branch === undefined) break
      // A branch that ends here is gone on from in every way.
      if (branch.next.length === 0) return
      const at = left.findIndex(step => step.source.by === branch.step.source.by)
      left = at < 0 ? left : left.toSpliced(at, 1)
      branches = branch.next
    }
    for (const step of left) {
      const next: Branch<F>[] = []
      branches.push({ step, next })
      branches = next
    }
  }

  /** Could a run, or one that is equivalent, begin with this step? */
  #isInitial(step: Step<F>, run: readonly Step<F>[]): boolean {
    for (const other of run) {
      if (other.source.by === step.source.by) return other.source.at === step.source.at
      if (this.#dependent(step, other)) return false
    }
    return true
  }
}
