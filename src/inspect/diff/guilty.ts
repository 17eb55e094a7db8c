/**
 * Which order makes the difference: of two runs that do not come to the same, the pair of steps that come in one order here
 * and in the other there, such that turning them round in the one makes of it what the other is.
 */
import { choiceOf, foldStep, type StepRecord } from '../../log/records.ts'
import { offersOf, step, type Choice, type Exchange } from '../../system/step.ts'
import type { LinuxSystem, LinuxWorld } from '../linux.ts'
import { decided } from '../moment.ts'
import type { Taken } from '../query/condition.ts'
import { footprint } from './footprint.ts'
import { beginOf, byActor, type Divergence, type Place, type Reversal, type Run, type TraceDifference } from './traces.ts'

type Fields = Readonly<Record<string, unknown>>

/** What a run came to. */
export interface JudgedRun {
  readonly holds: boolean
  readonly text: string
}

/** Judges a run, step by step: its last word counts. */
export interface Judge {
  see(moment: Taken): void
  verdict(): JudgedRun
}

/** Where one run holds and the other does not, only that counts. */
const isLike = (x: JudgedRun, [a, b]: readonly [JudgedRun, JudgedRun]): boolean =>
  a.holds === b.holds ? x.text === b.text : x.holds === b.holds

export interface Guilty {
  /** In the first run, `first` comes before `second`. */
  readonly pair: Reversal
  /** Turning them round in one run gives the verdict of the other; null: not tried, or it cannot be done. */
  readonly flips: boolean | null
}

export interface GuiltyOptions {
  /** The runs' own verdicts, if they were judged. */
  readonly verdicts?: readonly [JudgedRun, JudgedRun]
  readonly judge?: () => Judge
  /** Steps that may be decided to find out. */
  readonly effort?: number
}

/** Candidates, most likely first, and the one that flips the verdict, if one is found. */
export function guiltyPair(
  system: LinuxSystem,
  a: Run,
  b: Run,
  difference: TraceDifference,
  options: GuiltyOptions = {},
): Guilty | undefined {
  const pairs = [...difference.divergences.flatMap(d => seenOtherwise(system, a, b, d)), ...difference.reversals]
  const first = pairs[0]
  if (first === undefined) return undefined
  const { verdicts, judge, effort = 100_000 } = options
  if (verdicts === undefined || judge === undefined || verdicts[0].text === verdicts[1].text) return { pair: first, flips: null }
  let left = effort
  let tried = false
  const back = [verdicts[1], verdicts[0]] as const
  for (const there of [true, false]) {
    for (const pair of pairs) {
      const run = there ? a : b
      if (left < run.steps.length) return { pair: first, flips: null }
      left -= run.steps.length
      const come = there ? turnedRound(system, a, b, pair, judge()) : turnedRound(system, b, a, turned(pair), judge())
      if (come !== undefined && isLike(come, there ? verdicts : back)) return { pair, flips: true }
      tried ||= pair === first && come !== undefined
    }
  }
  return { pair: first, flips: tried ? false : null }
}

/** The same pair, as the second run has it. */
function turned({ first, second, on }: Reversal): Reversal {
  const from = ({ by, a, b }: Place): Place => ({ by, a: b, b: a })
  return { first: from(second), second: from(first), on }
}

/** What a step looks at: actors that it calls, and pages that the item it works on is about. */
interface Looks {
  readonly actors: ReadonlySet<string>
  readonly mm: string | undefined
  readonly from: number
  readonly to: number
  /** The pages are hardly what it looks at. */
  readonly aside: boolean
}

/** Steps of others whose order to this one differs, and that write what it looks at: the likeliest first, then the nearest of the first run. */
function seenOtherwise(system: LinuxSystem, a: Run, b: Run, { place }: Divergence): readonly Reversal[] {
  const { by } = place
  const [ofA, ofB] = [byActor(a), byActor(b)]
  const [atA, atB] = [ofA.get(by)?.[place.a], ofB.get(by)?.[place.b]]
  if (atA === undefined || atB === undefined) return []
  const looks = [looksAt(system, a, atA), looksAt(system, b, atB)]
  const found: { readonly pair: Reversal; readonly aside: boolean; readonly distance: number }[] = []
  for (const other of new Set([...ofA.keys(), ...ofB.keys()])) {
    if (other === by) continue
    const [inA, inB] = [ofA.get(other) ?? [], ofB.get(other) ?? []]
    const [before, after] = [countBefore(inA, atA), countBefore(inB, atB)]
    const [run, places] = before > after ? [a, inA] : [b, inB]
    for (let j = Math.max(before, after) - 1; j >= Math.min(before, after); j--) {
      const record = run.steps[places[j] ?? -1]
      const on = record === undefined ? undefined : looks.map(l => writtenOf(record, l, by)).find(o => o !== undefined)
      if (on === undefined) continue
      const theirs: Place = { by: other, a: j, b: j }
      const pair = before > after ? { first: theirs, second: place, on } : { first: place, second: theirs, on }
      const aside = looks.every(l => l.aside) && !on.startsWith('actor ')
      found.push({ pair, aside, distance: Math.abs(atA - (inA[j] ?? Infinity)) })
    }
  }
  return found.toSorted((x, y) => Number(x.aside) - Number(y.aside) || x.distance - y.distance).map(({ pair }) => pair)
}

const countBefore = (places: readonly number[], at: number): number => {
  const i = places.findIndex(place => place > at)
  return i < 0 ? places.length : i
}

function looksAt(system: LinuxSystem, run: Run, at: number): Looks {
  const { steps } = run
  let world = beginOf(system, run)
  for (let i = 0; i < at; i++) world = foldStep(system, world, steps[i] as StepRecord)
  const record = steps[at] as StepRecord
  const outcome = step(system, world, choiceOf(record))
  const calls: readonly Exchange[] = outcome.kind === 'stepped' ? outcome.calls : []
  const context = (world.actors[system.index.get(record.by) ?? -1]?.context ?? {}) as Fields
  const [item, statement] = [context['agenda'], context['program']].map(list =>
    Array.isArray(list) ? (list[0] as Fields | undefined) : undefined,
  )
  // Who calls somebody about his statement hardly looks at the pages that it is about.
  const aside = item === undefined && calls.length > 0
  const spans = [item ?? {}, statement ?? {}, ...calls.map(c => c.event as unknown as Fields)]
  const starts = spans.flatMap(s => [s['start'], s['at']]).filter(n => typeof n === 'number')
  const ends = spans.flatMap(s => [s['end'], typeof s['at'] === 'number' ? s['at'] + 1 : undefined]).filter(n => typeof n === 'number')
  const mm = [context['mm'], ...spans.map(s => s['mm'])].find(name => typeof name === 'string')
  return {
    actors: new Set([record.by, ...calls.map(c => c.to), ...Object.keys(record.set)]),
    mm,
    from: Math.min(...starts),
    to: Math.max(...ends),
    aside,
  }
}

/** What of that a step writes, if anything. */
function writtenOf(record: StepRecord, looks: Looks, by: string): string | undefined {
  let on: string | undefined
  footprint(record, (space, from, to) => {
    const pages = looks.mm !== undefined && space === `${looks.mm} pte` && from < looks.to && looks.from < to
    const actor = space.startsWith('actor ') && looks.actors.has(space.slice('actor '.length))
    if (pages || actor) on ??= space
  })
  return on ?? (looks.actors.has(record.by) && record.by !== by ? `actor ${record.by}` : undefined)
}

/**
 * The first run with a pair in the other order: as it was up to the pair; then the second run's way to the step that is to
 * come first; then on as it was, as far as that can be, until nobody can act.
 */
function turnedRound(system: LinuxSystem, a: Run, b: Run, { first, second }: Reversal, judge: Judge): JudgedRun | undefined {
  const again = new Again(system, beginOf(system, a), judge)
  const ofA = byActor(a).get(first.by)?.[first.a] ?? 0
  for (let i = 0; i < ofA; i++) if (!again.take(a.steps[i] as StepRecord)) return undefined
  const target = second.b + 1
  const way = b.steps.slice(0, (byActor(b).get(second.by)?.[second.b] ?? -1) + 1)
  while (again.done(second.by) < target) {
    const own = again.next(way, second.by)
    if (own !== undefined && again.take(own)) continue
    // Who cannot act has to be let: by those that came before it in the second run.
    const other = way.find(r => r.by !== first.by && r.by !== second.by && again.isNext(b, r) && again.take(r))
    if (other === undefined) return undefined
  }
  const rest = a.steps.slice(ofA)
  for (const record of rest) again.take(record)
  again.finish(2 * a.steps.length + 1000)
  return judge.verdict()
}

/** A run that is being decided by hand. */
class Again {
  readonly #system: LinuxSystem
  readonly #judge: Judge
  readonly #done = new Map<string, number>()
  #n = 0
  #world: LinuxWorld

  constructor(system: LinuxSystem, world: LinuxWorld, judge: Judge) {
    this.#system = system
    this.#judge = judge
    this.#world = world
  }

  done(by: string): number {
    return this.#done.get(by) ?? 0
  }

  /** The next step of an actor on a way; undefined if it is done with it. */
  next(way: readonly StepRecord[], by: string): StepRecord | undefined {
    return way.filter(r => r.by === by)[this.done(by)]
  }

  isNext(run: Run, record: StepRecord): boolean {
    return this.next(run.steps, record.by) === record
  }

  take(record: StepRecord): boolean {
    return this.#choose(choiceOf(record))
  }

  #choose(choice: Choice): boolean {
    const outcome = step(this.#system, this.#world, choice)
    if (outcome.kind !== 'stepped') return false
    this.#world = outcome.world
    this.#done.set(choice.by, this.done(choice.by) + 1)
    this.#judge.see(decided(this.#system, outcome, ++this.#n))
    return true
  }

  /** Each actor in turn, until nobody can act. */
  finish(most: number): void {
    for (let left = most; left > 0;) {
      let acted = false
      for (const { name, kind } of this.#system.actors) {
        if (Object.keys(kind.does).length === 0 || offersOf(this.#system, this.#world, name, 1).length === 0) continue
        if (this.#choose({ by: name, offer: 0, budget: 1 })) acted = true
        left--
      }
      if (!acted) return
    }
  }
}
