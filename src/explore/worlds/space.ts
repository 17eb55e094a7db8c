/**
 * The worlds of a model as rows of small integers, one an actor and one for memory, and the steps between them. A rule,
 * a transition of a machine, or a fold of facts is decided once and is a look-up from then on: what an actor offers is
 * kept by its snapshot and the memory; what comes of an offer, as a tree that asks the called actors one by one.
 */
import type { ActorName, AnyEvent, Call, Offer, Snapshot } from '../../system/actor.ts'
import { isActive, offersFrom, Undecided, type Choice } from '../../system/step.ts'
import { initialSnapshot } from '../../system/take.ts'
import type { World } from '../../system/world.ts'
import { timesAgain } from './again.ts'
import { Interner } from './intern.ts'
import { NotDeterministic, type Deed, type Model } from '../model.ts'
import type { Row } from './rows.ts'
import { Sequences } from './sequences.ts'
import { ASKING, REFUSED, STEP, type Asking, type Edge, type Node, type Refusal, type Source, type Step, type Taken } from './steps.ts'
import { Turns } from './turns.ts'

/** Snapshots of one actor. */
interface Column {
  readonly snapshots: Snapshot[]
  readonly byText: Map<string, number>
}

export class Space<M, F> {
  readonly model: Model<M, F>
  readonly names: readonly ActorName[]
  /** Columns of a row: the actors, and memory. */
  readonly width: number
  readonly start: Row
  /** What `expand` found: rows one behind the other, and the step that leads to each. */
  nexts: Row
  readonly steps: Step<F>[] = []
  readonly refusals: Refusal<F>[] = []
  /** The stage of the world that was expanded last. */
  stage = 0

  readonly interner = new Interner()
  readonly #columns: readonly Column[]
  readonly #memories: M[] = []
  readonly #memoryIds = new Map<number, number>()
  /** By actor, snapshot, memory and budget. */
  readonly #menus: (readonly Node<F>[])[][][]
  readonly #turns: Turns
  readonly #sequences: Sequences | undefined
  #found = 0
  #evaluations = 0
  #asked = 0

  constructor(model: Model<M, F>) {
    this.model = model
    const { actors } = model.system
    this.names = actors.map(a => a.name)
    this.width = actors.length + 1
    this.#columns = actors.map(() => ({ snapshots: [], byText: new Map() }))
    this.#menus = actors.map(() => [])
    const active = actors.flatMap((a, i) => (isActive(a.kind) ? [i] : []))
    this.#turns = new Turns(model.schedule, this.names, active)
    this.nexts = new Int32Array(this.width * 16)
    if (model.sequences !== undefined) {
      const fields = new Set(model.sequences)
      this.#sequences = new Sequences(fields, this.width - 1, (actor, id) => this.snapshot(actor, id), this.#snapshotId.bind(this))
    }
    this.start = this.rowOf({ memory: model.system.memory, actors: actors.map(a => initialSnapshot(a.kind.machine, a.input)) })
  }

  /** How often something was decided that was not known. */
  get decisions(): number {
    return this.#evaluations + this.#asked
  }

  /** Are these the numbers of parts that were met? */
  knows(row: Row): boolean {
    return row.every((id, i) => id < (this.#columns[i]?.snapshots ?? this.#memories).length)
  }

  /** Steps that were decided, rules that were asked, and memories that were met: all that was not a look-up. */
  get decided(): { readonly steps: number; readonly rules: number; readonly memories: number } {
    return { steps: this.#found, rules: this.#evaluations, memories: this.#memories.length }
  }

  /** Every snapshot of an actor that was met. */
  snapshots(actor: number): readonly Snapshot[] {
    return (this.#columns[actor] as Column).snapshots
  }

  /** Every event that was taken, by whom and in which snapshot, as often as it was decided. */
  *taken(): Generator<{ readonly actor: number; readonly from: number; readonly event: AnyEvent }> {
    const open = this.#menus.flat(2).flat()
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.kind === ASKING) open.push(...node.edges.flatMap(edge => edge.then))
      else if (node.kind === STEP) {
        for (const { callee, from, event } of node.calls) yield { actor: callee, from, event }
        yield { actor: node.source.by, from: ownBefore(node), event: node.event }
      }
    }
  }

  snapshot(actor: number, id: number): Snapshot {
    return (this.#columns[actor] as Column).snapshots[id] as Snapshot
  }

  memory(id: number): M {
    return this.#memories[id] as M
  }

  world(row: Row, at = 0): World<M> {
    return {
      memory: this.memory(row[at + this.width - 1] as number),
      actors: this.names.map((_, i) => this.snapshot(i, row[at + i] as number)),
    }
  }

  rowOf(world: World<M>): Row {
    const row = new Int32Array(this.width)
    for (const [i, snapshot] of world.actors.entries()) row[i] = this.#snapshotId(i, snapshot)
    row[this.width - 1] = this.memoryId(world.memory)
    this.#sequences?.number(row, 0)
    return row
  }

  /**
   * The steps that can be taken in a world: how many. They are in `steps`, with their rows in `nexts`, actor by actor and
   * offer by offer; what is offered and refused is in `refusals`. Both are good until the next call.
   */
  expand(row: Row, at = 0): number {
    const { width, steps, refusals } = this
    const last = width - 1
    const { actors, all, stage } = this.#turns.at(row, at)
    this.stage = stage
    refusals.length = 0
    let n = 0
    for (const actor of actors) {
      for (const offered of this.#menu(actor, row[at + actor] as number, row[at + last] as number, all)) {
        if ((n + 1) * width > this.nexts.length) this.#grow()
        const { nexts } = this
        const base = n * width
        for (let i = 0; i < width; i++) nexts[base + i] = row[at + i] as number
        let node = offered
        while (node.kind === ASKING) {
          const id = nexts[base + node.callee] as number
          const edge: Edge<F> = node.edges[id] ?? this.#ask(node, id)
          nexts[base + node.callee] = edge.to
          node = edge.then
        }
        if (node.kind === REFUSED) {
          refusals.push(node)
          continue
        }
        nexts[base + actor] = node.own
        nexts[base + last] = node.memory
        if (this.#sequences !== undefined) this.#sequences.number(nexts, base)
        steps[n++] = node
      }
    }
    return n
  }

  /** Runs something that expands worlds of its own, and leaves what the last `expand` found as it was. */
  aside<T>(run: () => T): T {
    const [nexts, steps, refusals, stage] = [this.nexts.slice(), this.steps.slice(), this.refusals.slice(), this.stage]
    const result = run()
    this.nexts.set(nexts)
    this.steps.splice(0, Infinity, ...steps)
    this.refusals.splice(0, Infinity, ...refusals)
    this.stage = stage
    return result
  }

  /** Takes one offer of one actor in the world at `at`, in place, if it is taken. */
  take(row: Row, at: number, actor: number, offer: number): Step<F> | Refusal<F> | undefined {
    const { actors, all } = this.#turns.at(row, at)
    if (!actors.includes(actor)) return undefined
    let node = this.#menu(actor, row[at + actor] as number, row[at + this.width - 1] as number, all)[offer]
    if (node === undefined) return undefined
    const before = row.slice(at, at + this.width)
    while (node.kind === ASKING) {
      const id = row[at + node.callee] as number
      const edge: Edge<F> = node.edges[id] ?? this.#ask(node, id)
      row[at + node.callee] = edge.to
      node = edge.then
    }
    if (node.kind === REFUSED) {
      row.set(before, at)
      return node
    }
    row[at + actor] = node.own
    row[at + this.width - 1] = node.memory
    this.#sequences?.number(row, at)
    return node
  }

  choiceOf({ source }: Step<F>): Choice {
    return { by: this.names[source.by] as ActorName, offer: source.at, budget: source.budget }
  }

  deedOf({ source, event }: Step<F>): Deed {
    const by = this.names[source.by] as ActorName
    return { by, do: source.offer.do, before: this.snapshot(source.by, source.from), event }
  }

  /** The number of an actor's snapshot. */
  #snapshotId(actor: number, { value, context }: Snapshot): number {
    const column = this.#columns[actor] as Column
    const contextId = this.interner.id(context)
    const text = `${value}/${contextId}`
    const known = column.byText.get(text)
    if (known !== undefined) return known
    const snapshot: Snapshot = { value, context: this.interner.value(contextId) as object }
    const id = column.snapshots.push(snapshot) - 1
    column.byText.set(text, id)
    this.#turns.note(actor, snapshot)
    return id
  }

  idOf(actor: number, snapshot: Snapshot): number {
    return this.#snapshotId(actor, snapshot)
  }

  memoryId(memory: M): number {
    const id = this.interner.id(memory)
    const known = this.#memoryIds.get(id)
    if (known !== undefined) return known
    const fresh = this.#memories.push(this.interner.value(id) as M) - 1
    this.#memoryIds.set(id, fresh)
    return fresh
  }

  #menu(actor: number, id: number, memory: number, all: boolean): readonly Node<F>[] {
    const byMemory = ((this.#menus[actor] as (readonly Node<F>[])[][])[id] ??= [])
    return (byMemory[memory * 2 + (all ? 1 : 0)] ??= this.#offers(actor, id, memory, all ? Infinity : 1))
  }

  #offers(by: number, from: number, memory: number, budget: number): readonly Node<F>[] {
    this.#evaluations++
    const { kind } = this.model.system.actors[by] as Model<M, F>['system']['actors'][number]
    const ask = (): readonly Offer<F>[] =>
      offersFrom(kind, this.names[by] as ActorName, this.snapshot(by, from), this.memory(memory), budget)
    const offers = ask()
    const told = (of: readonly Offer<F>[]): unknown => of.map(offer => [offer.do, offer.facts])
    this.#always(by, 'what it offers', told(offers), () => told(ask()))
    return offers.map((offer, at) => this.#next({ by, from, memory, budget, at, offer }, []))
  }

  /** What comes after these calls of an offer: the next call, or the step. */
  #next(source: Source<F>, before: readonly Taken[]): Node<F> {
    const made = source.offer.calls[before.length]
    const replies = before.map(taken => taken.reply)
    if (made !== undefined) {
      const { to, event }: Call = typeof made === 'function' ? made(replies) : made
      if (typeof made === 'function') this.#always(source.by, 'what it calls', { to, event }, () => made(replies))
      const callee = this.names.indexOf(to)
      if (callee < 0) throw new Error(`${this.names[source.by] ?? ''} calls '${to}', and there is no such actor`)
      return { kind: ASKING, source, callee, event, before, edges: [] }
    }
    const event = source.offer.event(replies)
    this.#always(source.by, 'what it is told', event, () => source.offer.event(replies))
    const now = ownBefore({ source, calls: before })
    const own = this.#take(source.by, now, event)
    if (own === undefined) throw new Undecided(this.names[source.by] ?? '', this.snapshot(source.by, now), event)
    const { facts } = source.offer
    const memory = facts.length === 0 ? source.memory : this.memoryId(this.model.system.fold(this.memory(source.memory), facts))
    return { kind: STEP, n: this.#found++, source, calls: before, event, own: own.to, memory }
  }

  #ask(asking: Asking<F>, id: number): Edge<F> {
    this.#asked++
    const { source, callee, event, before } = asking
    const taken = this.#take(callee, id, event)
    const edge: Edge<F> =
      taken === undefined
        ? { to: id, then: { kind: REFUSED, source, before, callee, event, from: id } }
        : { to: taken.to, then: this.#next(source, [...before, { callee, event, from: id, ...taken }]) }
    asking.edges[id] = edge
    return edge
  }

  #take(actor: number, id: number, event: AnyEvent): { readonly to: number; readonly reply: unknown } | undefined {
    const { system } = this.model
    const machine = (system.actors[actor] as (typeof system.actors)[number]).kind.machine
    const take = (): ReturnType<typeof system.take> => system.take(machine, this.snapshot(actor, id), event)
    const told = (of: ReturnType<typeof system.take>): unknown => [of?.next.value, of?.next.context, of?.reply]
    const taken = take()
    this.#always(actor, `what '${event.type}' makes of it`, told(taken), () => told(take()))
    return taken === undefined ? undefined : { to: this.#snapshotId(actor, taken.next), reply: taken.reply }
  }

  #always(actor: number, what: string, once: unknown, again: () => unknown): void {
    const id = this.interner.id(once)
    let times = timesAgain(this.#found)
    while (times > 0 && this.interner.id(again()) === id) times--
    if (times === 0) return
    throw new NotDeterministic(
      `${what} is not always the same for ${this.names[actor] ?? ''}, in one and the same world: something in its machine or its rules is not deterministic`,
    )
  }

  #grow(): void {
    const larger = new Int32Array(this.nexts.length * 2)
    larger.set(this.nexts)
    this.nexts = larger
  }
}

/** The snapshot in which an actor receives its own event: who is called by itself receives it as it is then. */
const ownBefore = <F>({ source, calls }: Pick<Step<F>, 'source' | 'calls'>): number =>
  calls.findLast(taken => taken.callee === source.by)?.to ?? source.from
