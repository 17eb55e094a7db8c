/**
 * What one worker does: it keeps the states that are its own by their hash, goes on from them, and hands their successors to
 * those who keep them. It takes successors in the order in which one worker alone would have found them, so that the first of
 * two that are the same is the one that counts.
 */
import { Judge } from '../properties/judge.ts'
import type { Model } from '../model.ts'
import { Rows, type Row } from '../worlds/rows.ts'
import { Space } from '../worlds/space.ts'
import type { Step } from '../worlds/steps.ts'
import { Parts } from './parts.ts'
import { ROUND, type Answers, type Box, type Sighting, type Task, type TaskOf, type Verb } from './port.ts'

export class Partition<M, F> {
  readonly #model: Model<M, F>
  readonly #space: Space<M, F>
  readonly #parts: Parts<M, F>
  readonly #judge: Judge<M, F>
  readonly #rows: Rows
  /** The numbers of its states, ascending. */
  #numbers = new Int32Array(1 << 10)
  #numbered = 0
  /** The first that it has not gone on from. */
  #next = 0
  readonly #worker: number
  readonly #workers: number
  /** Those of its states, by place, whose successors had parts without a number. */
  #strange: number[] = []
  #sightings: Sighting[] = []
  #seen = 0

  constructor(model: Model<M, F>, worker: number, workers: number) {
    this.#model = model
    this.#space = new Space(model)
    this.#parts = new Parts(this.#space)
    this.#judge = new Judge(model, this.#space)
    this.#rows = new Rows(this.#space.width)
    this.#worker = worker
    this.#workers = workers
  }

  answer(task: Task): Answers[Verb] {
    switch (task.do) {
      case 'begin':
        return this.#begin()
      case 'expand':
        return this.#expand(task)
      case 'agree':
        return this.#agree(task)
      case 'take':
        return this.#take(task)
      case 'count':
        return this.#count(task)
      case 'states':
        return this.#states(task)
    }
  }

  #begin(): Answers['begin'] {
    const first = this.#space.start.slice()
    this.#parts.agreed(first, 1)
    const own = ownerOf(first, 0, first.length, this.#workers) === this.#worker
    if (own) this.#rows.add(first, 0, -1)
    return { model: told(this.#model, this.#space), first: own }
  }

  #expand({ numbers, end }: TaskOf<'expand'>): Answers['expand'] {
    this.#number(numbers)
    const { width } = this.#space
    const row = new Int32Array(width)
    const boxes = this.#boxes()
    this.#strange = []
    let transitions = 0
    for (; this.#next < this.#numbered && (this.#numbers[this.#next] as number) < end; this.#next++) {
      const state = this.#numbers[this.#next] as number
      this.#rows.read(this.#next, row)
      this.#parts.own(row)
      const n = this.#space.expand(row)
      transitions += n
      this.#judgeSteps(row, state, n)
      if (this.#parts.agreed(this.#space.nexts, n)) this.#hand(boxes, state, n)
      else this.#strange.push(this.#next)
    }
    return { transitions, boxes: boxes.map(box => box.filled), strange: this.#strange.map(i => this.#entry(i)), sightings: this.#told() }
  }

  #judgeSteps(row: Row, state: number, n: number): void {
    if (n === 0) {
      this.#judge.end(row, 0, 0)
      this.#sighted(state, -1)
    }
    for (let k = 0; k < n; k++) {
      this.#judge.step(this.#space.steps[k] as Step<F>, 0)
      this.#sighted(state, k)
    }
  }

  #agree({ rows }: TaskOf<'agree'>): Answers['agree'] {
    for (const row of rows) this.#parts.learn(row)
    const boxes = this.#boxes()
    const row = new Int32Array(this.#space.width)
    for (const i of this.#strange) {
      this.#rows.read(i, row)
      this.#parts.own(row)
      const n = this.#space.expand(row)
      this.#parts.agreed(this.#space.nexts, n)
      this.#hand(boxes, this.#numbers[i] as number, n)
    }
    return { boxes: boxes.map(box => box.filled) }
  }

  #take({ boxes }: TaskOf<'take'>): Answers['take'] {
    const { width } = this.#space
    const entry = width + 2
    const keys = new Filling(2)
    const row = new Int32Array(width)
    const at = boxes.map(() => 0)
    for (;;) {
      // The successors of one state stand in one list.
      let first = -1
      for (let b = 0; b < boxes.length; b++) {
        if ((at[b] as number) >= (boxes[b] as Box).length) continue
        if (first < 0 || fromIn(boxes, at, b) < fromIn(boxes, at, first)) first = b
      }
      if (first < 0) break
      const box = boxes[first] as Box
      const from = fromIn(boxes, at, first)
      let i = at[first] as number
      for (; i < box.length && box[i] === from; i += entry) {
        if (this.#rows.add(box, i + 2, from) < 0) continue
        const step = box[i + 1] as number
        keys.add(from, step)
        for (let c = 0; c < width; c++) row[c] = box[i + 2 + c] as number
        this.#parts.own(row)
        this.#judge.world(row, 0, 0)
        this.#sighted(from, step)
      }
      at[first] = i
    }
    return { keys: keys.filled, sightings: this.#told(), bytes: this.#rows.bytesWith(ROUND) + this.#numbers.byteLength }
  }

  #count({ from, to }: TaskOf<'count'>): Answers['count'] {
    const row = new Int32Array(this.#space.width)
    let transitions = 0
    for (let i = this.#indexOf(from); i < this.#indexOf(to); i++) {
      this.#rows.read(i, row)
      this.#parts.own(row)
      transitions += this.#space.expand(row)
    }
    return { transitions }
  }

  #states({ from, to }: TaskOf<'states'>): Answers['states'] {
    const entry = this.#space.width + 2
    const [first, end] = [this.#indexOf(from), this.#indexOf(to)]
    const states = new Int32Array((end - first) * entry)
    for (let i = first, at = 0; i < end; i++, at += entry) {
      states[at] = this.#numbers[i] as number
      states[at + 1] = this.#rows.from(i)
      this.#rows.read(i, states, at + 2)
    }
    return { states }
  }

  /** The number of a state, and its row. */
  #entry(i: number): Int32Array {
    const entry = new Int32Array(1 + this.#space.width)
    entry[0] = this.#numbers[i] as number
    this.#rows.read(i, entry, 1)
    return entry
  }

  /** The first of its states whose number is no less. */
  #indexOf(number: number): number {
    let [low, high] = [0, this.#numbered]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#numbers[middle] as number) < number) low = middle + 1
      else high = middle
    }
    return low
  }

  #number(numbers: Int32Array): void {
    const end = this.#numbered + numbers.length
    if (end > this.#numbers.length) {
      const larger = new Int32Array(Math.max(end, this.#numbers.length * 2))
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    this.#numbers.set(numbers, this.#numbered)
    this.#numbered = end
  }

  #boxes(): readonly Filling[] {
    return Array.from({ length: this.#workers }, () => new Filling(this.#space.width + 2))
  }

  /** The successors that were expanded last, to those who keep them. */
  #hand(boxes: readonly Filling[], state: number, n: number): void {
    const { nexts, width } = this.#space
    for (let k = 0; k < n; k++) (boxes[ownerOf(nexts, k * width, width, this.#workers)] as Filling).add(state, k, nexts, k * width)
  }

  /** What was found at a state, or by a step from it. */
  #sighted(from: number, step: number): void {
    if (this.#judge.found.size === this.#seen) return
    for (const { property } of this.#judge.list().slice(this.#seen)) this.#sightings.push({ property, from, step })
    this.#seen = this.#judge.found.size
  }

  #told(): readonly Sighting[] {
    const sightings = this.#sightings
    this.#sightings = []
    return sightings
  }
}

const fromIn = (boxes: readonly Box[], at: readonly number[], b: number): number => (boxes[b] as Box)[at[b] as number] as number

/** Whose a state is. */
function ownerOf(rows: Row, at: number, width: number, workers: number): number {
  let h = 0
  for (let i = 0; i < width; i++) h = Math.imul(h ^ (rows[at + i] as number), 0x9e3779b1) ^ (h >>> 15)
  return ((h ^ (h >>> 16)) >>> 0) % workers
}

/** What is explored, as far as it can be told: whoever makes something else is no help. */
export const told = <M, F>({ properties }: Model<M, F>, space: Space<M, F>): string =>
  JSON.stringify([space.names, properties.map(({ kind, name }) => [kind, name]), space.world(space.start)])

/** A list that is filled entry by entry. */
class Filling {
  readonly #entry: number
  #data: Int32Array
  #length = 0

  constructor(entry: number) {
    this.#entry = entry
    this.#data = new Int32Array(entry << 8)
  }

  add(a: number, b: number, rows?: Row, at = 0): void {
    const entry = this.#entry
    if (this.#length + entry > this.#data.length) {
      const larger = new Int32Array(this.#data.length * 2)
      larger.set(this.#data)
      this.#data = larger
    }
    const data = this.#data
    const to = this.#length
    data[to] = a
    data[to + 1] = b
    if (rows !== undefined) for (let i = 2; i < entry; i++) data[to + i] = rows[at + i - 2] as number
    this.#length = to + entry
  }

  get filled(): Int32Array {
    return this.#data.slice(0, this.#length)
  }
}
