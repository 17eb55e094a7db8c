/**
 * What never ends: circles of worlds in which everybody who can always act gets a turn (weak fairness), so that no scheduler
 * is to blame. Found in the whole graph of worlds, as its strongly connected parts; told as a lasso, the way to the circle
 * and once around it.
 */
import type { ActorName } from '../../system/actor.ts'
import type { Choice } from '../../system/step.ts'
import { connectedParts } from './parts.ts'
import type { Rows } from '../worlds/rows.ts'
import type { Space } from '../worlds/space.ts'
import { STRIDE } from '../strategy.ts'

/** A way that goes on for ever, or that ends without what was to happen. */
export interface Lasso {
  readonly way: readonly Choice[]
  /** Once around; empty: the way ends. */
  readonly circle: readonly Choice[]
}

/** The graph of worlds, as the successors of each. */
class Graph<M, F> {
  readonly space: Space<M, F>
  readonly rows: Rows
  readonly #row: Int32Array

  constructor(space: Space<M, F>, rows: Rows) {
    this.space = space
    this.rows = rows
    this.#row = new Int32Array(space.width)
  }

  row(state: number): Int32Array {
    this.rows.read(state, this.#row)
    return this.#row
  }

  successors(state: number): readonly number[] {
    const { space, rows } = this
    const n = space.expand(this.row(state))
    return Array.from({ length: n }, (_, k) => rows.indexOf(space.nexts, k * space.width))
  }
}

/**
 * A fair way through the worlds in which `goal` is not so: a circle that it can come to, and in which others go than `but`, or, unless `endings` is false, a world
 * in which all comes to an end. Undefined if there is none: it becomes so in the end, whatever happens.
 */
export function lassoWithout<M, F>(
  space: Space<M, F>,
  rows: Rows,
  goal: (row: Int32Array) => boolean,
  endings: boolean,
  but: ReadonlySet<number> = new Set(),
): Lasso | undefined {
  const graph = new Graph(space, rows)
  const met = new Uint8Array(rows.size)
  for (let state = 0; state < rows.size; state++) met[state] = goal(graph.row(state)) ? 1 : 0
  // Only worlds that are come to without meeting the goal on the way.
  const from = new Int32Array(rows.size).fill(-2)
  const queue: number[] = []
  if (met[0] === 0) {
    from[0] = -1
    queue.push(0)
  }
  for (const state of queue) {
    const next = graph.successors(state)
    if (next.length === 0 && endings) return { way: wayTo(graph, from, state), circle: [] }
    for (const s of next) {
      if (met[s] === 1 || from[s] !== -2) continue
      from[s] = state
      queue.push(s)
    }
  }
  const isMeant = (state: number): boolean => from[state] !== -2
  for (const { states, isCircle } of connectedParts(rows.size, isMeant, state => graph.successors(state).filter(isMeant))) {
    const circle = isCircle ? fairCircle(graph, states, but) : undefined
    if (circle !== undefined) return { way: wayTo(graph, from, states[0] as number), circle }
  }
  return undefined
}

/** Once through everything in a part that keeps it fair; undefined if somebody could always act there, and never does. */
function fairCircle<M, F>(graph: Graph<M, F>, part: readonly number[], but: ReadonlySet<number>): readonly Choice[] | undefined {
  const { space, rows } = graph
  const inside = new Set(part)
  /** Actors that act within the part, with such a step; and a state in which an actor cannot act. */
  const acts = new Map<number, readonly [from: number, to: number]>()
  const rests = new Map<number, number>()
  const active = new Set<number>()
  for (const state of part) {
    const n = space.expand(graph.row(state))
    const able = new Set<number>()
    for (let k = 0; k < n; k++) {
      const by = space.steps[k]?.source.by ?? 0
      able.add(by)
      active.add(by)
      const to = rows.indexOf(space.nexts, k * space.width)
      if (inside.has(to) && !acts.has(by)) acts.set(by, [state, to])
    }
    for (const by of space.names.keys()) if (!able.has(by) && !rests.has(by)) rests.set(by, state)
  }
  if ([...acts.keys()].every(by => but.has(by))) return undefined
  const stops: (readonly [from: number, to: number])[] = []
  for (const by of active) {
    const step = acts.get(by)
    const rest = rests.get(by)
    if (step !== undefined) stops.push(step)
    else if (rest !== undefined) stops.push([rest, rest])
    else return undefined
  }
  const first = part[0] as number
  const states = [first]
  for (const [from, to] of stops) {
    states.push(...between(graph, inside, states.at(-1) as number, from))
    if (to !== from) states.push(to)
  }
  if (states.length === 1 || states.at(-1) !== first)
    states.push(...between(graph, inside, states.at(-1) as number, first, states.length === 1))
  return choicesAlong(graph, states)
}

/** The shortest way from a state to another within a part, without the first; `around`: by at least one step. */
function between<M, F>(graph: Graph<M, F>, inside: ReadonlySet<number>, start: number, end: number, around = false): readonly number[] {
  if (start === end && !around) return []
  const from = new Map<number, number>()
  const queue = [start]
  for (const state of queue) {
    for (const s of graph.successors(state)) {
      if (!inside.has(s) || from.has(s)) continue
      from.set(s, state)
      if (s !== end) {
        queue.push(s)
        continue
      }
      const way = [end]
      for (let at = state; at !== start; at = from.get(at) as number) way.unshift(at)
      return way
    }
  }
  throw new Error('a strongly connected part that is not connected')
}

function wayTo<M, F>(graph: Graph<M, F>, from: Int32Array, state: number): readonly Choice[] {
  const states: number[] = []
  for (let at = state; at >= 0; at = from[at] as number) states.unshift(at)
  return choicesAlong(graph, states)
}

function choicesAlong<M, F>({ space, rows }: Graph<M, F>, states: readonly number[]): readonly Choice[] {
  const row = new Int32Array(space.width)
  return states.slice(1).map((to, i) => {
    rows.read(states[i] as number, row)
    const n = space.expand(row)
    for (let k = 0; k < n; k++) {
      const step = space.steps[k]
      if (step !== undefined && rows.indexOf(space.nexts, k * space.width) === to) return space.choiceOf(step)
    }
    throw new Error('two states without a step between them')
  })
}

/** A circle in which everybody gets a turn, and nothing ever ends, but for those in which only these go. */
export const endless = <M, F>(space: Space<M, F>, rows: Rows, but: readonly ActorName[] = []): Lasso | undefined =>
  lassoWithout(space, rows, () => false, false, new Set(but.map(name => space.names.indexOf(name))))

const ON_THE_WAY = 1
const LEFT = 2

/**
 * The worlds in which all ways end; undefined if one leads back to where it was. Once through all worlds, depth first; is asked
 * from time to time whether to go on.
 */
export function* endsOf<M, F>(space: Space<M, F>, rows: Rows): Generator<void, readonly number[] | undefined> {
  const { width } = space
  const row = new Int32Array(width)
  const met = new Uint8Array(rows.size)
  const way: number[] = []
  /** Where to go from the worlds on the way, one behind the other; and where those of each begin. */
  const open: number[] = []
  const starts: number[] = []
  const ends: number[] = []
  let entered = 0
  const enter = (state: number): void => {
    met[state] = ON_THE_WAY
    way.push(state)
    starts.push(open.length)
    rows.read(state, row)
    const n = space.expand(row)
    if (n === 0) ends.push(state)
    for (let k = 0; k < n; k++) open.push(rows.indexOf(space.nexts, k * width))
    entered++
  }
  enter(0)
  while (way.length > 0) {
    if (open.length === starts.at(-1)) {
      starts.pop()
      met[way.pop() as number] = LEFT
      continue
    }
    const next = open.pop() as number
    if (met[next] === ON_THE_WAY) return undefined
    if (met[next] !== 0) continue
    enter(next)
    if (entered % STRIDE === 0) yield
  }
  return ends
}

/** The choices of a lasso: the way, and once around. */
export const allOf = ({ way, circle }: Lasso): readonly Choice[] => [...way, ...circle]
