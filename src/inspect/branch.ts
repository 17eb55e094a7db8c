/**
 * A branch: what would have been. It leaves a run at a step, with something changed there if wanted (a kernel's rules, what
 * a thread is to do), and goes on by choices of its own. Here, and only here, steps are decided again.
 *
 * It is written as a log of its own that begins with the world in which it left its trunk.
 */
import type { Header, Origin, StepRecord } from '../log/records.ts'
import { choiceOf, FORMAT, worldOf, worldText } from '../log/records.ts'
import { recordOf } from '../log/told.ts'
import { LogWriter, type Sink } from '../log/writer.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { ActorName } from '../system/actor.ts'
import { roundRobin } from '../system/choosers/round-robin.ts'
import { Live, type Ended, type Entry } from '../system/live.ts'
import { indexOf } from '../system/world.ts'
import { toTheEnd } from '../system/to-the-end.ts'
import type { LinuxSystem, LinuxWorld } from './linux.ts'
import type { Run } from './recording.ts'
import { possibleIn } from './waiting.ts'

/** A choice that cannot be taken: who refuses, or what there is instead. */
export class CannotTake extends Error {
  override readonly name = 'CannotTake'
}

/** How a branch begins. */
export interface Departure {
  readonly name: string
  /** The branch that it leaves, if it leaves one. */
  readonly of?: string
  /** The checksum of its trunk's header. */
  readonly trunk: string
  /** The system with which it goes on, and that as data. */
  readonly system: LinuxSystem
  readonly spec: unknown
  readonly changed: readonly string[]
}

/** Steps between two reports of a run that goes on. */
const STRIDE = 1_000

const ENDS: readonly Ended['why'][] = ['at rest', 'blocked', 'limit']

export class Branch implements Run {
  readonly system: LinuxSystem
  readonly header: Header
  readonly first: number
  readonly trunk: Run
  readonly #live: Live<Memory, Fact>
  readonly #start: LinuxWorld
  readonly #entries: Entry<Memory, Fact>[] = []
  readonly #records: StepRecord[] = []
  #ended: Ended['why'] | undefined

  /** `header`: that of the branch's log, if there is one. */
  constructor(trunk: Run, n: number, world: LinuxWorld, { name, of, trunk: id, system, spec, changed }: Departure, header?: Header) {
    this.trunk = trunk
    this.system = system
    this.first = n
    const text = worldText(system, world)
    const from: Origin = { name, ...(of === undefined ? {} : { of }), trunk: id, step: n, changed, world: JSON.parse(text) }
    // As who reads the log will have it: what is equal there is equal here.
    this.#start = worldOf(system, JSON.parse(text))
    this.header = header ?? { ...trunk.header, system: spec, chooser: 'by hand', seed: null, from }
    this.#live = new Live(system, this.#start, n)
    this.#live.entries$.subscribe(entry => void this.#entries.push(entry))
  }

  /**
   * A branch that was recorded, to go on with: what was chosen there is decided again. Yields how far that is, and is told
   * whether to stop; undefined: it was.
   */
  static *again(trunk: Run, recorded: Run): Generator<number, Branch | undefined, boolean> {
    const { header, first, last, system } = recorded
    const { from } = header
    if (from === undefined) throw new CannotTake('this is no branch')
    const branch = new Branch(trunk, first, recorded.world(first), { ...from, system, spec: header.system }, header)
    for (let n = first + 1; n <= last; n++) {
      const record = recorded.record(n)
      const outcome = branch.#decided(() => branch.#live.choose(choiceOf(record)))
      if (outcome.kind !== 'stepped' || !isSameStep(branch.record(n), record))
        throw new CannotTake(
          `step ${n} does not come out as it was recorded, by version ${header.model} of the model: nobody can go on where it ended`,
        )
      if (n % STRIDE === 0 && (yield n)) return undefined
    }
    branch.#ended = ENDS.find(why => why === recorded.ended)
    return branch
  }

  get name(): string {
    return this.header.from?.name ?? ''
  }
  get origins(): readonly Origin[] {
    return this.header.from === undefined ? [] : [this.header.from]
  }
  get last(): number {
    return this.#live.n
  }
  get ended(): string | undefined {
    return this.#ended
  }

  world(n: number): LinuxWorld {
    return n === this.first ? this.#start : this.#entry(n).world
  }
  record(n: number): StepRecord {
    const entry = this.#entry(n)
    return (this.#records[n - this.first - 1] ??= JSON.parse(JSON.stringify(recordOf(this.system, entry))) as StepRecord)
  }
  formatOf(): number {
    return FORMAT
  }
  *candidates(n: number, back: boolean): Generator<number> {
    if (back) for (let at = Math.min(n, this.last); at > this.first; at--) yield at
    else for (let at = Math.max(n, this.first + 1); at <= this.last; at++) yield at
  }

  #entry(n: number): Entry<Memory, Fact> {
    const entry = this.#entries[n - this.first - 1]
    if (entry === undefined) throw new RangeError(`no step ${n} in this branch: there are ${this.first + 1} to ${this.last}`)
    return entry
  }

  /** One step of an actor, of all its offers this one, and so many pages of it at most; throws `CannotTake`. */
  take(by: ActorName, offer = 0, budget = 1): StepRecord {
    indexOf(this.system, by)
    const outcome = this.#decided(() => this.#live.choose({ by, offer, budget }))
    if (outcome.kind === 'stepped') {
      this.#ended = undefined
      return this.record(outcome.n)
    }
    if (outcome.kind === 'blocked')
      throw new CannotTake(`${by} cannot ${outcome.do.replaceAll('_', ' ')}: ${outcome.on.to} does not take ${outcome.on.event.type} now`)
    const possible = possibleIn(this.system, this.#live.world)
    const own = possible.filter(p => p.choice.by === by)
    if (own.length > 0)
      throw new CannotTake(
        `${by} has no offer ${offer} now: ${own.map(p => `${p.choice.offer} is ${p.do.replaceAll('_', ' ')}`).join(', ')}`,
      )
    const able = possible.filter(p => p.blockedOn === undefined)
    throw new CannotTake(`${by} has nothing to do; who can act: ${[...new Set(able.map(p => p.choice.by))].join(', ') || 'nobody'}`)
  }

  /** Runs on, each actor in turn, or one alone; until nobody can act, or `steps` were taken. */
  run(steps: number, only?: ActorName): Ended {
    return toTheEnd(this.running(steps, only))
  }

  /** The same, bit by bit: yields how far it is, and is told whether to stop there. */
  *running(steps: number, only?: ActorName): Generator<number, Ended, boolean> {
    const inTurn = roundRobin()
    const chooser =
      only === undefined ? inTurn : { ...inTurn, order: (active: readonly ActorName[]) => active.filter(name => name === only) }
    this.#ended = undefined
    for (let left = steps; ; left -= STRIDE) {
      const ended = this.#decided(() => this.#live.run(chooser, Math.min(STRIDE, left)))
      if (ended.why !== 'limit' || left <= STRIDE) {
        if (only === undefined) this.#ended = ended.why
        return ended
      }
      if (yield this.last) return ended
    }
  }

  /** A rule or a machine that is at its end is told as whatever else cannot be: what was taken before it stays. */
  #decided<T>(decide: () => T): T {
    try {
      return decide()
    } catch (error) {
      throw new CannotTake(
        `nobody can go on behind step ${this.last}, up to where all is kept: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }

  /** Writes it as a log. */
  write(sink: Sink): void {
    const { mirrorwalk: _, ...header } = this.header
    const writer = new LogWriter(this.system, this.#start, header, sink)
    for (const entry of this.#entries) writer.step(entry)
    writer.end(this.#ended ?? 'interrupted')
  }
}

const isSameStep = (a: StepRecord, b: StepRecord): boolean =>
  a.do === b.do && a.event.type === b.event.type && JSON.stringify([a.facts, a.set]) === JSON.stringify([b.facts, b.set])

/** States in which an actor does nothing that would have to be done first. */
const AT_LEISURE: ReadonlySet<string> = new Set(['user', 'idle', 'not_forked'])
const GONE: ReadonlySet<string> = new Set(['exited', 'dead'])

/**
 * A world in which an actor has this to do next: at once if it is doing nothing, else behind what it is doing; and behind so
 * many statements that it was given in this way before.
 */
export function withStatement(system: LinuxSystem, world: LinuxWorld, by: ActorName, statement: object, behind = 0): LinuxWorld {
  const i = indexOf(system, by)
  const snapshot = world.actors[i]
  const context = (snapshot?.context ?? {}) as { readonly program?: readonly unknown[]; readonly agenda?: readonly unknown[] }
  if (snapshot === undefined || context.program === undefined) throw new CannotTake(`${by} has no program that something could be put into`)
  if (GONE.has(snapshot.value)) throw new CannotTake(`${by} is ${snapshot.value}: it does nothing any more`)
  const busy = AT_LEISURE.has(snapshot.value) ? 0 : 1
  const program = context.program.toSpliced(busy + behind, 0, statement)
  return { memory: world.memory, actors: world.actors.with(i, { value: snapshot.value, context: { ...context, program } }) }
}

/** Steps that a branch and its trunk have in common behind the place where they part in name; then the first of each that differs. */
export interface Compared {
  readonly common: number
  readonly here: number | undefined
  readonly there: number | undefined
}

/** Where two runs that share a world at `n` part: the first step of each that the other does not take. */
export function compareFrom(a: Run, b: Run, n: number): Compared {
  const from = comparing(a, b, n)
  for (;;) {
    const { done, value } = from.next(false)
    if (done === true && value !== undefined) return value
  }
}

/** The same, bit by bit: yields how far it is, and is told whether to stop; undefined: it was. */
export function* comparing(a: Run, b: Run, n: number): Generator<number, Compared | undefined, boolean> {
  const text = (run: Run, at: number): string | undefined => {
    if (at > run.last) return undefined
    const { by, do: what, event, facts } = run.record(at)
    // As for `partingOf`: what is still to be done does not count, for where that matters a later step shows it.
    const { agenda: _agenda, array: _array, out: _out, ...told } = event
    return JSON.stringify([by, what, told, facts])
  }
  for (let common = 0; ; common++) {
    const at = n + common + 1
    const [x, y] = [text(a, at), text(b, at)]
    if (x === undefined && y === undefined) return { common, here: undefined, there: undefined }
    if (x !== y) return { common, here: x === undefined ? undefined : at, there: y === undefined ? undefined : at }
    if (at % STRIDE === 0 && (yield at)) return undefined
  }
}
