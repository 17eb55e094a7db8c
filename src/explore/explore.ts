/** Exploring a model: a strategy goes through its worlds, and what was found becomes verdicts. */
import type { Choice } from '../system/step.ts'
import type { World } from '../system/world.ts'
import { cannotTellCircles, isNotLookedFor, planned, refusePausing, shared, type Plan } from './choice.ts'
import { classes } from './answers/classes.ts'
import { interleavings } from './answers/count.ts'
import { coverage, type CoveredMachine } from './answers/coverage.ts'
import { Judge, type Finding } from './properties/judge.ts'
import { endless, endsOf, lassoWithout, type Lasso } from './properties/liveness.ts'
import type { Model, Property } from './model.ts'
import type { Paused } from './strategies/paused.ts'
import { Reading } from './worlds/reading.ts'
import type { Rows } from './worlds/rows.ts'
import { Space } from './worlds/space.ts'
import type { Wait } from './properties/waits.ts'
import type { Port } from './workers/port.ts'
import type { Cut, Progress, Search, Searched } from './strategy.ts'

export type Verdict = 'holds' | 'violated' | 'unknown'

/** What an exploration found out about one property. */
export interface Found {
  readonly property: string
  readonly kind: Property<unknown>['kind']
  readonly verdict: Verdict
  readonly why?: string
  /** The choices that lead to what decides it: from the first step to the world, or the step, in question. */
  readonly trail?: readonly Choice[]
  /** Of a deadlock: who waits for whom. */
  readonly waits?: readonly Wait[]
  /** Of a lasso: how many of the last choices lead once around. */
  readonly circle?: number
}

/** What the worlds stand for. */
export interface Counted {
  /** Complete orders of events; undefined: infinitely many. */
  readonly interleavings: bigint | undefined
  /** Of which so many differ in more than the order of independent steps; undefined: too many to count. */
  readonly classes: bigint | undefined
}

export interface Exploration {
  readonly strategy: string
  readonly verdict: Verdict
  readonly found: readonly Found[]
  /** Did it go everywhere? If not, why, and what is left. */
  readonly complete: boolean
  readonly cut?: Cut
  readonly searched: Searched
  /** What was decided, and not looked up: steps, rules that were asked, memories that were met. */
  readonly decided: { readonly steps: number; readonly rules: number; readonly memories: number }
  readonly counted?: Counted
  readonly coverage?: readonly CoveredMachine[]
}

export interface ExploreOptions extends Plan {
  readonly maxStates?: number
  readonly maxDepth?: number
  /** What keeping the states may take. */
  readonly maxBytes?: number
  /** The search is to be one that can be paused: reports of progress then have `pause`, and so has what it came to. */
  readonly pausing?: boolean
  /** A search that was paused, to go on with. */
  readonly from?: Paused | undefined
  /** Workers among whom the states are shared out; they are not stopped when it ends. */
  readonly workers?: Port | undefined
  /** Also counts the interleavings, and their classes, exactly. */
  readonly count?: boolean
  /** Also tells which states and transitions of each machine were come to. */
  readonly coverage?: boolean
}

/** Explores bit by bit: is told of progress, and answers why it is to stop, if it is. Throws `Unsound` for what cannot be combined. */
export function* exploring<M, F>(model: Model<M, F>, options: ExploreOptions = {}): Generator<Progress, Exploration, Cut | undefined> {
  const { maxStates = Infinity, maxDepth = Infinity, maxBytes = Infinity, count = false, from } = options
  if (options.pausing === true || from !== undefined) refusePausing(options)
  const strategy = options.workers === undefined ? planned(options, model) : shared(options, options.workers, model)
  const space = new Space(model)
  const judge = new Judge(model, space)
  const searched = yield* within(strategy.search(space, judge, { maxStates, maxDepth, from }), maxBytes)
  if (options.reduction === 'symmetry') retell(model, space, judge)
  const whole = searched.cut === undefined && searched.frontier === 0
  const untold = cannotTellCircles(options)
  const { rows } = searched
  const circles: Endless<M> =
    whole && rows !== undefined && untold === undefined
      ? yield* endlessIn(model, space, searched, rows)
      : { lassos: new Map<Property<M>, Lasso>() }
  const notLookedFor = untold ?? circles.cut
  const found = model.properties.map((property): Found => {
    const { name, kind } = property
    if ((kind === 'eventually' || kind === 'livelock') && notLookedFor !== undefined)
      return { property: name, kind, verdict: 'unknown', why: `not looked for: ${notLookedFor}` }
    return verdictOn(property, judge.found.get(property), circles.lassos.get(property), whole)
  })
  const cut = searched.cut ?? circles.cut
  const counted =
    whole && cut === undefined && count && searched.rows !== undefined && options.reduction !== 'symmetry'
      ? countedIn(space, searched.rows)
      : undefined
  return {
    strategy: strategy.name,
    verdict: overall(found.filter((_, i) => !isNotLookedFor(model.properties[i] as Property<M>, options))),
    found,
    complete: whole,
    searched,
    decided: space.decided,
    ...(cut === undefined ? {} : { cut }),
    ...(counted === undefined ? {} : { counted }),
    ...(options.coverage === true ? { coverage: coverage(space) } : {}),
  }
}

/** Goes on with a search as long as it keeps no more than it may. */
function* within(search: Search, maxBytes: number): Search {
  let cut: Cut | undefined
  for (;;) {
    const next = search.next(cut)
    if (next.done === true) return next.value
    cut = next.value.bytes > maxBytes ? 'max memory' : yield next.value
  }
}

/** What was found in a world that stands for others is told of the one that its trail leads to. */
function retell<M, F>(model: Model<M, F>, space: Space<M, F>, judge: Judge<M, F>): void {
  for (const property of model.properties) {
    const finding = judge.found.get(property)
    if (finding === undefined || property.kind !== 'always') continue
    const row = space.start.slice()
    for (const { by, offer } of finding.trail) space.take(row, 0, space.names.indexOf(by), offer)
    judge.retell(property, property.wrong(space.world(row)) ?? finding.why)
  }
}

/** What never comes to an end, by the property that minds; `cut`: why it was not looked for to the end. */
interface Endless<M> {
  readonly lassos: ReadonlyMap<Property<M>, Lasso>
  readonly cut?: Cut
}

function* endlessIn<M, F>(
  { properties }: Model<M, F>,
  space: Space<M, F>,
  searched: Searched,
  rows: Rows,
): Generator<Progress, Endless<M>, Cut | undefined> {
  const lassos = new Map<Property<M>, Lasso>()
  if (!properties.some(({ kind }) => kind === 'livelock' || kind === 'eventually')) return { lassos }
  const { states, transitions, frontier, depth, bytes = 0 } = searched
  const looking = endsOf(space, rows)
  let next = looking.next()
  while (next.done !== true) {
    const cut = yield { states, transitions, frontier, depth, bytes, doing: 'looking for circles' }
    if (cut !== undefined) return { lassos, cut }
    next = looking.next()
  }
  for (const property of properties) {
    const lasso = lassoFor(property, space, rows, next.value)
    if (lasso !== undefined) lassos.set(property, lasso)
  }
  return { lassos }
}

/** `ends`: where all ways end, if none goes in circles. */
function lassoFor<M, F>(property: Property<M>, space: Space<M, F>, rows: Rows, ends: readonly number[] | undefined): Lasso | undefined {
  if (property.kind === 'livelock') return ends === undefined ? endless(space, rows, property.but) : undefined
  if (property.kind !== 'eventually') return undefined
  const goal = new Reading(space, property.name, world => property.holds(world as World<M>))
  const row = new Int32Array(space.width)
  const isMetIn = (state: number): boolean => {
    rows.read(state, row)
    return goal.at(row)
  }
  // Wherever all comes to an end and it is so there, it has become so.
  if (ends?.every(isMetIn) === true) return undefined
  return lassoWithout(space, rows, at => goal.at(at), true)
}

function verdictOn<M>(property: Property<M>, finding: Finding | undefined, lasso: Lasso | undefined, whole: boolean): Found {
  const { name, kind } = property
  const base = { property: name, kind }
  if (finding !== undefined) return { ...base, verdict: kind === 'sometimes' ? 'holds' : 'violated', ...finding }
  if (lasso !== undefined) {
    const { way, circle } = lasso
    const why =
      circle.length === 0 ? 'all comes to an end without it' : `the last ${circle.length} steps lead back to where they began, for ever`
    return { ...base, verdict: 'violated', why, trail: [...way, ...circle], circle: circle.length }
  }
  if (!whole) return { ...base, verdict: 'unknown' }
  return kind === 'sometimes'
    ? { ...base, verdict: 'violated', why: 'it is so in no world that can be reached' }
    : { ...base, verdict: 'holds' }
}

function overall(found: readonly Found[]): Verdict {
  if (found.some(f => f.verdict === 'violated')) return 'violated'
  return found.some(f => f.verdict === 'unknown') ? 'unknown' : 'holds'
}

/** Places from which classes are counted, at most: each takes some hundred bytes. */
const MOST_PLACES = 2_000_000

const countedIn = <M, F>(space: Space<M, F>, rows: Rows): Counted => {
  const all = interleavings(space, rows)
  return { interleavings: all, classes: all === undefined ? undefined : classes(space, MOST_PLACES) }
}

/** Explores to the end, or to a limit. */
export function explore<M, F>(model: Model<M, F>, options: ExploreOptions = {}): Exploration {
  const going = exploring(model, options)
  for (;;) {
    const next = going.next()
    if (next.done === true) return next.value
  }
}
