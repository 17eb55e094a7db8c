/**
 * A world that comes back: who goes on from there goes in circles for ever. Numbers of sequences, which only count up, are
 * counted anew for that: what matters of them is their order, and whether they are odd.
 */
import { Table } from '../memory/table.ts'
import type { World } from './world.ts'

/** Fields that hold numbers of one sequence, wherever they stand in an actor's context. */
export const SEQUENCE: ReadonlySet<string> = new Set(['seq', 'invalidate_seq', 'lastseq'])

type Pairs = (readonly [before: number, after: number])[]

/** Are two worlds of one system the same but for the numbers of sequences? */
export function isSameWorld<M>(a: World<M>, b: World<M>): boolean {
  if (!a.actors.every((actor, i) => actor.value === b.actors[i]?.value)) return false
  const pairs: Pairs = []
  return (
    a.actors.every((actor, i) => isAlike(actor.context, b.actors[i]?.context, pairs)) &&
    countsAlike(pairs) &&
    isAlike(a.memory, b.memory, [])
  )
}

const isObject = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null

function isAlike(a: unknown, b: unknown, pairs: Pairs): boolean {
  if (!isObject(a) || !isObject(b)) return Object.is(a, b)
  if (a instanceof Table || b instanceof Table) return a === b || (a instanceof Table && b instanceof Table && a.changesTo(b).length === 0)
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every(key => {
    const [x, y] = [a[key], b[key]]
    if (!SEQUENCE.has(key) || typeof x !== 'number' || typeof y !== 'number') return isAlike(x, y, pairs)
    pairs.push([x, y])
    return true
  })
}

/** Do the numbers of one world stand to each other as those of the other do? */
function countsAlike(pairs: Pairs): boolean {
  const sorted = pairs.toSorted(([a], [b]) => a - b)
  return sorted.every(([x, y], i) => {
    if (Math.abs(x - y) % 2 !== 0) return false
    const before = sorted[i - 1]
    return before === undefined || Math.sign(x - before[0]) === Math.sign(y - before[1])
  })
}

/** Watches a run, step by step, for a world that was there before; it keeps one, and takes another ever more rarely (Brent). */
export class Recurrence<M> {
  #kept: World<M>
  #label: string
  #patience = 1
  #waited = 0

  /** `label`: worlds with different ones are known to differ, without a look at them. */
  constructor(world: World<M>, label = '') {
    this.#kept = world
    this.#label = label
  }

  /** The world after the next step: was it there before? Every circle is noticed, at the latest in its third round. */
  next(world: World<M>, label = ''): boolean {
    if (label === this.#label && isSameWorld(this.#kept, world)) return true
    if (++this.#waited === this.#patience) {
      this.#kept = world
      this.#label = label
      this.#patience *= 2
      this.#waited = 0
    }
    return false
  }
}
