/** Running a built scenario: one order of events, judged at every step. */
import type { Observable } from 'rxjs'
import { BadTrail } from '../explore/model.ts'
import { choicesOf } from '../explore/token.ts'
import { causeOf } from '../kernel/failure.ts'
import { onlyCatches } from '../kernel/locks.ts'
import type { RangeContext, RangeEvent } from '../kernel/range.ts'
import type { ThreadContext, ThreadEvent } from '../kernel/thread.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { Chooser } from '../system/choosers/chooser.ts'
import { leading } from '../system/choosers/leading.ts'
import { random } from '../system/choosers/random.ts'
import { roundRobin } from '../system/choosers/round-robin.ts'
import { Live, type Ended, type Entry } from '../system/live.ts'
import { step, type Choice } from '../system/step.ts'
import { initialWorld, snapshotOf, type World } from '../system/world.ts'
import { difference } from './brief.ts'
import { Circles, comesToRest, isUnderWay, type Livelock } from './livelock.ts'
import { planned, type Progress } from './plan.ts'
import { answerOf, toldBy, unlike, type Told } from './answers.ts'
import type { Built, Expectation } from './api.ts'
import { linuxSystem, type Kinds, type LinuxSystem } from './standard.ts'
import { viewOf, type View } from './view.ts'

/** Whether an expectation came true; null: the run was over too early to say. */
export interface Verdict {
  readonly expectation: string
  readonly holds: boolean | null
  /** The step at which it was decided. */
  readonly step?: number
  readonly why?: string
}

export interface Report {
  readonly title: string
  readonly profile: string
  /** 'holds' if every expectation does, 'violated' if one does not, else 'unknown'. */
  readonly verdict: 'holds' | 'violated' | 'unknown'
  readonly verdicts: readonly Verdict[]
  readonly steps: number
  readonly ended: Ended | Livelock
  /** Where the kernel died, and why, if it did. */
  readonly died?: Death
}

export interface Death {
  readonly by: string
  /** The function of the kernel. */
  readonly where: string
  readonly cause: string
  readonly step: number
}

export interface RunOptions {
  /** Chooses at random, by this seed; without it, the order that the scenario has, or each actor in turn. */
  readonly seed?: number
  /** Takes the order of events that a token stands for, as exploring has found it; then goes on as it would without. */
  readonly token?: string
  /** Steps after which the run is cut short. */
  readonly steps?: number
  readonly kinds?: Kinds
}

export type LinuxEntry = Entry<Memory, Fact>

/** A run in progress: subscribe first, then let it go. */
export interface ScenarioRun {
  readonly system: LinuxSystem
  readonly live: Live<Memory, Fact>
  readonly entries$: Observable<LinuxEntry>
  /** Runs on for a while; the report, once the run is over. */
  advance(): Report | undefined
  /** Ends the run where it is: what was found out so far. */
  stop(): Report
}

const STEP_LIMIT = 1_000_000
/** Steps in one `advance()`: some ten milliseconds. */
const STRIDE = 2_000

export function prepare(built: Built, options: RunOptions = {}): ScenarioRun {
  const system = linuxSystem(built.system, options.kinds)
  const live = new Live(system)
  const chooser = planned(
    built.plan,
    progressOf(system),
    options.seed === undefined ? roundRobin() : random(options.seed),
    options.seed === undefined,
  )
  const led = options.seed === undefined ? choicesOfRun(built, system, options.token) : []
  const judge = new Judge(built, system, live.world, options.seed === undefined && options.token === undefined)
  const circles = new Circles(system, chooser)
  let livelock: Livelock | undefined
  live.entries$.subscribe(entry => {
    judge.see(entry)
    livelock ??= circles.see(entry)
  })
  // Of a kernel that has died, nobody does anything any more; and of what goes in circles, nothing more is to be seen.
  const isOn = (): boolean => judge.died === undefined && livelock === undefined
  const steered = led.length === 0 ? chooser : leading(led, chooser)
  const alive: Chooser = { ...steered, order: (active, world) => (isOn() ? steered.order(active, world) : []) }
  const limit = options.steps ?? STEP_LIMIT
  const report = (ended: Report['ended']): Report => {
    live.end()
    const verdicts = judge.verdicts(ended)
    return {
      title: built.title,
      profile: built.system.profile,
      verdict: overall(verdicts, ended),
      verdicts,
      steps: live.n,
      ended,
      ...(judge.died === undefined ? {} : { died: judge.died }),
    }
  }
  return {
    system,
    live,
    entries$: live.entries$,
    advance() {
      const ended = live.run(alive, Math.min(STRIDE, limit - live.n))
      return ended.why === 'limit' && live.n < limit ? undefined : report(livelock ?? ended)
    },
    stop: () => report({ why: 'limit' }),
  }
}

/** The choices that a run begins with: those of a token, else of the order that the scenario has. Throws `BadTrail` for ones that it cannot take. */
function choicesOfRun(built: Built, system: LinuxSystem, token = built.order): readonly Choice[] {
  if (token === undefined) return []
  const choices = choicesOf(
    system.actors.map(a => a.name),
    token,
  )
  let world = initialWorld(system)
  for (const [i, choice] of choices.entries()) {
    const taken = step(system, world, choice)
    if (taken.kind !== 'stepped') throw new BadTrail(i + 1, choice.by)
    world = taken.world
  }
  return choices
}

/** Runs and judges a scenario that was built for a profile. */
export function runScenario(built: Built, options: RunOptions = {}): Report {
  const run = prepare(built, options)
  for (;;) {
    const report = run.advance()
    if (report !== undefined) return report
  }
}

/** What is left of an actor's program; a statement counts until its actor has come to rest behind it. */
const progressOf =
  (system: LinuxSystem): Progress =>
  (world, by) => {
    const { value, context } = snapshotOf(system, world as World<Memory>, by)
    const { program, agenda } = context as ThreadContext | RangeContext
    return { state: value, left: program.length, next: agenda.find(item => !onlyCatches(item))?.do }
  }

/** Nothing more will happen: everybody is at rest, or goes in circles for ever. */
const isOver = ({ why }: Report['ended']): boolean => why === 'at rest' || why === 'livelock'

function overall(verdicts: readonly Verdict[], ended: Report['ended']): Report['verdict'] {
  if (verdicts.some(v => v.holds === false)) return 'violated'
  return verdicts.some(v => v.holds === null) || !isOver(ended) ? 'unknown' : 'holds'
}

/** The error that an expectation names. */
export const errorIn = (expectation: Expectation): unknown =>
  expectation.kind === 'returns'
    ? expectation.value
    : expectation.kind === 'answers' && typeof expectation.wanted === 'object'
      ? expectation.wanted.err
      : undefined

const survives = ({ where, cause, step }: Death): Verdict => ({
  expectation: 'the kernel survives',
  holds: false,
  step,
  why: `it died in ${where}(): ${cause}`,
})

/** What an expectation finds in the world after a step, if it looks there at all, and finds anything. */
function findingOf(expectation: Expectation, view: View): { readonly why?: string } | undefined {
  switch (expectation.kind) {
    case 'always':
    case 'violated': {
      const why = expectation.oracle(view)
      return why === undefined ? undefined : { why }
    }
    case 'sometimes':
    case 'eventually':
      return expectation.holds(view) ? {} : undefined
    default:
      return undefined
  }
}

/** Keeps what was found out about each expectation while the run goes on. */
class Judge {
  readonly #expectations: readonly Expectation[]
  readonly #names: readonly string[]
  readonly #found = new Map<Expectation, { readonly step: number; readonly why?: string }>()
  readonly #answers = new Map<string, Told[]>()
  readonly #values = new Map<string, readonly number[]>()
  readonly #ordered: boolean
  #died: Death | undefined
  #world: World<Memory>

  /** `ordered`: the run takes the scenario's own order, which is what it promises to show something in. */
  constructor(built: Built, system: LinuxSystem, world: World<Memory>, ordered: boolean) {
    this.#ordered = ordered
    this.#expectations = built.expectations
    this.#names = system.actors.map(a => a.name)
    this.#world = world
  }

  get died(): Death | undefined {
    return this.#died
  }

  see(entry: LinuxEntry): void {
    this.#world = entry.world
    this.#note(entry)
    if (this.#expectations.length === 0) return
    const view = viewOf({ names: this.#names, world: entry.world })
    for (const expectation of this.#expectations) {
      if (this.#found.has(expectation)) continue
      const found = findingOf(expectation, view)
      if (found !== undefined) this.#found.set(expectation, { step: entry.n, ...found })
    }
  }

  /** Answers of statements, in the order of their program. */
  #note({ n, choice, event }: LinuxEntry): void {
    const what = event as ThreadEvent | RangeEvent
    if (what.type === 'oops') this.#died ??= { by: choice.by, where: what.where, cause: causeOf(what.where), step: n }
    const answer = this.#answerIn(choice.by, event as ThreadEvent | RangeEvent)
    if (answer === undefined) return
    this.#answers.set(choice.by, [...(this.#answers.get(choice.by) ?? []), answer])
  }

  #answerIn(by: string, event: ThreadEvent | RangeEvent): Told | undefined {
    if (event.type === 'signal') this.#values.delete(by)
    if (event.type !== 'accessed') return toldBy(event)
    const values = [...(this.#values.get(by) ?? []), ...event.values]
    this.#values.set(by, event.left === null ? [] : values)
    return event.left === null ? { short: values, ret: 0, err: null, values } : undefined
  }

  verdicts(ended: Report['ended']): readonly Verdict[] {
    const verdicts = this.#expectations.map(expectation => this.#verdict(expectation, ended))
    if (this.#died !== undefined && !this.#expectsDeath(this.#died)) return [survives(this.#died), ...verdicts]
    return ended.why === 'livelock' && !this.#expectations.some(e => this.#expectsLivelock(e, ended))
      ? [comesToRest(ended), ...verdicts]
      : verdicts
  }

  #expectsDeath({ where }: Death): boolean {
    return this.#expectations.some(e => errorIn(e) === `oops: ${where}`)
  }

  /** Is it told that this statement, which is the one under way, never comes back? */
  #expectsLivelock(expectation: Expectation, livelock: Livelock): boolean {
    if (errorIn(expectation) !== 'livelock' || !('statement' in expectation)) return false
    return isUnderWay(expectation.statement, livelock, this.#answers.get(expectation.statement.by)?.length ?? 0)
  }

  #verdict(expectation: Expectation, ended: Report['ended']): Verdict {
    const name = expectation.name
    const over = isOver(ended)
    if (ended.why === 'livelock' && this.#expectsLivelock(expectation, ended)) return { expectation: name, holds: true, step: ended.to }
    switch (expectation.kind) {
      case 'always': {
        const found = this.#found.get(expectation)
        return found === undefined ? { expectation: name, holds: over ? true : null } : { expectation: name, holds: false, ...found }
      }
      case 'sometimes':
      case 'violated': {
        const found = this.#found.get(expectation)
        if (found !== undefined) return { expectation: name, holds: true, ...found }
        return { expectation: name, holds: over && this.#ordered ? false : null, why: 'nothing was found in this order of events' }
      }
      case 'eventually': {
        const found = this.#found.get(expectation)
        if (found !== undefined) return { expectation: name, holds: true, ...found }
        return { expectation: name, holds: over ? false : null, why: 'it did not become so' }
      }
      case 'finally':
        return { expectation: name, holds: over ? expectation.holds(viewOf({ names: this.#names, world: this.#world })) : null }
      case 'returns': {
        const got = this.#answers.get(expectation.statement.by)?.[expectation.statement.index]
        if (got === undefined) return { expectation: name, holds: null, why: 'it has not answered' }
        const holds = JSON.stringify(got.short) === JSON.stringify(expectation.value)
        return holds
          ? { expectation: name, holds }
          : { expectation: name, holds, why: `it answers ${difference(expectation.value, got.short)}` }
      }
      case 'answers': {
        const got = this.#answers.get(expectation.statement.by)?.[expectation.statement.index]
        if (got === undefined) return { expectation: name, holds: null, why: 'it has not answered' }
        const answer = answerOf(got, expectation.statement)
        const wrong = unlike(answer, expectation.wanted)
        return wrong === undefined ? { expectation: name, holds: true } : { expectation: name, holds: false, why: wrong }
      }
    }
  }
}
