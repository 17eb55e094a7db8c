/**
 * A system that runs: choices → step → entries, as one RxJS pipeline. A step is decided as soon as it is chosen; what
 * came of it waits in an inbox until every subscriber has seen the step before. So a subscriber may run the next step
 * from inside its `next`, and all of them still see every entry, in order.
 */
import { concatMap, defer, distinctUntilChanged, filter, map, Observable, Subject, startWith, type OperatorFunction } from 'rxjs'
import type { ActorName, Offer, Snapshot } from './actor.ts'
import type { Chooser } from './choosers/chooser.ts'
import { offersOf, step, take, type Choice, type Exchange, type Refused, type Stepped } from './step.ts'
import { indexOf, initialWorld, type System, type World } from './world.ts'

/** A step that was taken, with its place in the run. */
export interface Entry<M, F> extends Stepped<M, F> {
  /** The logical clock: steps are counted from 1. */
  readonly n: number
  /** The latest earlier step that this one follows from: the last to change its actor, or one that it calls. 0: the beginning. */
  readonly cause: number
}

/** How a run ended. */
export type Ended =
  | { readonly why: 'at rest' }
  /** Somebody has work left, and nobody can act; each refused call says who waits for whom. */
  | { readonly why: 'blocked'; readonly waiting: readonly Refused[] }
  | { readonly why: 'limit' }

interface Wanted<F> {
  readonly choice: Choice
  /** The offer that the choice means, if it has been looked up. */
  readonly offer?: Offer<F>
  /** Who chose: is told of the step before any subscriber is, who may let it choose the next. */
  readonly chooser?: Chooser
}
/** A choice on its way through the pipeline. */
type Attempt<M, F> = Wanted<F> & { outcome?: Entry<M, F> | Refused }

export class Live<M, F> {
  readonly system: System<M, F>
  readonly entries$: Observable<Entry<M, F>>
  /** Every call and reply between actors, in order. */
  readonly exchange$: Observable<Exchange & { readonly n: number }>
  /** The world now, and after each step. */
  readonly world$: Observable<World<M>>
  /** Memory now, and whenever a step changed it. */
  readonly memory$: Observable<M>

  #world: World<M>
  #n = 0
  /** The step that last changed each actor. */
  readonly #changed: number[]
  readonly #choices = new Subject<Attempt<M, F>>()
  readonly #outcomes = new Subject<Entry<M, F> | Refused>()
  #defect = new Error('a choice that came to nothing, not even a refusal')
  /** The actors whose machines do something, and what they offered when they were last asked. */
  readonly #asked: readonly Asked<M, F>[]

  /** `n`: the step after which the world is as it is, if not the beginning; all follows from that then. */
  constructor(system: System<M, F>, world: World<M> = initialWorld(system), n = 0) {
    this.system = system
    this.#world = world
    this.#n = n
    this.#changed = system.actors.map(() => n)
    this.#asked = system.actors.flatMap(({ name, kind }, i) =>
      Object.keys(kind.does).length === 0 ? [] : [{ name, i, snapshot: undefined, memory: undefined, offers: [] }],
    )
    this.entries$ = this.#outcomes.pipe(filter(outcome => outcome.kind === 'stepped'))
    this.exchange$ = this.entries$.pipe(concatMap(({ n, calls }) => calls.map(c => ({ ...c, n }))))
    this.world$ = defer(() =>
      this.entries$.pipe(
        map(entry => entry.world),
        startWith(this.#world),
      ),
    )
    this.memory$ = this.world$.pipe(
      map(w => w.memory),
      distinctUntilChanged(),
    )
    this.#choices
      .pipe(
        map(attempt => (attempt.outcome = this.#decide(attempt))),
        inOrder(),
      )
      .subscribe({
        next: outcome => this.#outcomes.next(outcome),
        error: (error: unknown) => (this.#defect = error instanceof Error ? error : new Error(String(error))),
      })
  }

  get world(): World<M> {
    return this.#world
  }

  /** Steps taken so far. */
  get n(): number {
    return this.#n
  }

  /** One actor's snapshot now, and whenever a step changed it. */
  actor$(name: ActorName): Observable<Snapshot> {
    const i = indexOf(this.system, name)
    return this.world$.pipe(
      map(w => w.actors[i] as Snapshot),
      distinctUntilChanged(),
    )
  }

  /** Takes a choice: the step that it made, or why it made none. */
  choose(choice: Choice): Entry<M, F> | Refused {
    return this.#attempt({ choice })
  }

  /** Lets a chooser choose one step. What it was, or why there was none. */
  turn(chooser: Chooser): Entry<M, F> | Exclude<Ended, { readonly why: 'limit' }> {
    const active = this.#active()
    const waiting: Refused[] = []
    for (const by of chooser.order(active, this.#world)) {
      const budget = chooser.budget?.(by) ?? (active.length === 1 ? Infinity : 1)
      const offers = this.#offers(by, budget)
      for (const i of chooser.pick(offers.length, by)) {
        const offer = offers[i]
        if (offer === undefined) continue
        const outcome = this.#attempt({ choice: { by, offer: i, budget }, offer, chooser })
        if (outcome.kind === 'stepped') return outcome
        waiting.push(outcome)
      }
    }
    return active.length === 0 ? { why: 'at rest' } : { why: 'blocked', waiting }
  }

  /** Runs until nobody can act, or `steps` were taken. */
  run(chooser: Chooser, steps = Infinity): Ended {
    for (let left = steps; left > 0; left--) {
      const turned = this.turn(chooser)
      if ('why' in turned) return turned
    }
    return { why: 'limit' }
  }

  /** Ends the streams: who writes a log closes it then. */
  end(): void {
    this.#outcomes.complete()
  }

  #attempt(wanted: Wanted<F>): Entry<M, F> | Refused {
    const attempt: Attempt<M, F> = wanted
    this.#choices.next(attempt)
    // The pipeline ends at a defect of a rule or a machine: whoever chose is told of it, then and ever after.
    if (attempt.outcome === undefined) throw this.#defect
    return attempt.outcome
  }

  #decide({ choice, offer, chooser }: Wanted<F>): Entry<M, F> | Refused {
    const outcome = offer === undefined ? step(this.system, this.#world, choice) : take(this.system, this.#world, choice, offer)
    if (outcome.kind !== 'stepped') return outcome
    const { before, world, calls, facts, event, cut } = outcome
    const n = this.#n + 1
    const cause = this.#causeOf(outcome)
    for (let i = 0; i < world.actors.length; i++) if (world.actors[i] !== before.actors[i]) this.#changed[i] = n
    this.#n = n
    this.#world = world
    chooser?.took?.(choice)
    // Written out: spreading an object in a loop like this one costs more than the step.
    return { kind: 'stepped', choice: outcome.choice, do: outcome.do, before, world, calls, facts, event, cut, n, cause }
  }

  #causeOf({ choice, calls }: Stepped<M, F>): number {
    let cause = this.#changed[indexOf(this.system, choice.by)] ?? 0
    for (const { to } of calls) cause = Math.max(cause, this.#changed[indexOf(this.system, to)] ?? 0)
    return cause
  }

  /** Actors that are not at rest. Rest follows from the context alone, so it lasts until the context changes. */
  #active(): readonly ActorName[] {
    const active: ActorName[] = []
    for (const asked of this.#asked) {
      const snapshot = this.#world.actors[asked.i]
      if (asked.snapshot !== snapshot) this.#ask(asked)
      if (asked.offers.length > 0) active.push(asked.name)
    }
    return active
  }

  #offers(by: ActorName, budget: number): readonly Offer<F>[] {
    const asked = this.#asked.find(a => a.name === by)
    if (asked === undefined || budget !== 1) return offersOf(this.system, this.#world, by, budget)
    if (asked.snapshot !== this.#world.actors[asked.i] || asked.memory !== this.#world.memory) this.#ask(asked)
    return asked.offers
  }

  #ask(asked: Asked<M, F>): void {
    asked.snapshot = this.#world.actors[asked.i]
    asked.memory = this.#world.memory
    asked.offers = offersOf(this.system, this.#world, asked.name, 1)
  }
}

/** What an actor offered, with a budget of one, in a world with this snapshot of it and this memory. */
interface Asked<M, F> {
  readonly name: ActorName
  readonly i: number
  snapshot: Snapshot | undefined
  memory: M | undefined
  offers: readonly Offer<F>[]
}

/** Delivers values one after the other: one that is sent while another is being delivered waits until that is done. */
function inOrder<T>(): OperatorFunction<T, T> {
  return source =>
    new Observable(subscriber => {
      const inbox: T[] = []
      let delivering = false
      return source.subscribe({
        next: value => {
          inbox.push(value)
          if (delivering) return
          delivering = true
          for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) subscriber.next(next)
          delivering = false
        },
        error: error => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
    })
}
