/**
 * A branch: what would have been. It leaves a run at a step, with something changed there if wanted (a kernel's rules, what
 * a thread is to do), and goes on by choices of its own. Here, and only here, steps are decided again.
 *
 * It is written as a log of its own that begins with the world in which it left its trunk.
 */
import type { Header, Origin, StepRecord } from '../log/records.ts'
import { worldOf, worldText } from '../log/records.ts'
import { recordOf } from '../log/told.ts'
import { LogWriter, type Sink } from '../log/writer.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { ActorName } from '../system/actor.ts'
import { roundRobin } from '../system/choosers/round-robin.ts'
import { Live, type Ended, type Entry } from '../system/live.ts'
import { indexOf } from '../system/world.ts'
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

  constructor(trunk: Run, n: number, world: LinuxWorld, { name, of, trunk: id, system, spec, changed }: Departure) {
    this.trunk = trunk
    this.system = system
    this.first = n
    const text = worldText(system, world)
    const from: Origin = { name, ...(of === undefined ? {} : { of }), trunk: id, step: n, changed, world: JSON.parse(text) }
    // As who reads the log will have it: what is equal there is equal here.
    this.#start = worldOf(system, JSON.parse(text))
    this.header = { ...trunk.header, system: spec, chooser: 'by hand', seed: null, from }
    this.#live = new Live(system, this.#start, n)
    this.#live.entries$.subscribe(entry => {
      this.#entries.push(entry)
      this.#records.push(JSON.parse(JSON.stringify(recordOf(system, entry))) as StepRecord)
    })
  }

  get name(): string {
    return this.header.from?.name ?? ''
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
    this.#entry(n)
    return this.#records[n - this.first - 1] as StepRecord
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

  /** One step of an actor; throws `CannotTake`. */
  take(by: ActorName, offer = 0, budget = 1): StepRecord {
    indexOf(this.system, by)
    const outcome = this.#live.choose({ by, offer, budget })
    if (outcome.kind === 'stepped') {
      this.#ended = undefined
      return this.record(outcome.n)
    }
    if (outcome.kind === 'blocked')
      throw new CannotTake(`${by} cannot ${outcome.do.replaceAll('_', ' ')}: ${outcome.on.to} does not take ${outcome.on.event.type} now`)
    const able = possibleIn(this.system, this.#live.world).filter(p => p.blockedOn === undefined)
    throw new CannotTake(
      `${by} has nothing to do${offer > 0 ? ' of this number' : ''}; who can act: ${[...new Set(able.map(p => p.choice.by))].join(', ') || 'nobody'}`,
    )
  }

  /** Runs on, each actor in turn, or one alone; until nobody can act, or `steps` were taken. */
  run(steps: number, only?: ActorName): Ended {
    const chooser = roundRobin()
    const ended = this.#live.run(
      only === undefined ? chooser : { ...chooser, order: active => active.filter(name => name === only) },
      steps,
    )
    this.#ended = only === undefined || ended.why === 'limit' ? ended.why : undefined
    return ended
  }

  /** Writes it as a log. */
  write(sink: Sink): void {
    const { mirrorwalk: _, ...header } = this.header
    const writer = new LogWriter(this.system, this.#start, header, sink)
    for (const entry of this.#entries) writer.step(entry)
    writer.end(this.#ended ?? 'interrupted')
  }
}

/**
 * A world in which an actor has this to do next: at once if it is doing nothing, else behind what it is doing.
 */
export function withStatement(system: LinuxSystem, world: LinuxWorld, by: ActorName, statement: object): LinuxWorld {
  const i = indexOf(system, by)
  const snapshot = world.actors[i]
  const context = (snapshot?.context ?? {}) as { readonly program?: readonly unknown[]; readonly agenda?: readonly unknown[] }
  if (snapshot === undefined || context.program === undefined) throw new CannotTake(`${by} has no program that something could be put into`)
  const busy = snapshot.value !== 'user' && snapshot.value !== 'idle' ? 1 : 0
  const program = context.program.toSpliced(busy, 0, statement)
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
  let common = 0
  const text = (run: Run, at: number): string | undefined => {
    if (at > run.last) return undefined
    const { by, do: what, event, facts } = run.record(at)
    // As for `partingOf`: what is still to be done does not count, for where that matters a later step shows it.
    const { agenda: _agenda, array: _array, out: _out, ...told } = event
    return JSON.stringify([by, what, told, facts])
  }
  for (; ; common++) {
    const [x, y] = [text(a, n + common + 1), text(b, n + common + 1)]
    if (x === undefined && y === undefined) return { common, here: undefined, there: undefined }
    if (x !== y) return { common, here: x === undefined ? undefined : n + common + 1, there: y === undefined ? undefined : n + common + 1 }
  }
}
