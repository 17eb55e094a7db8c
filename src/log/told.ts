/**
 * What a step has to tell, taken apart (parts.ts): from a run, or from a record of one. A run mostly begins a step with
 * what the last one of the same actor made: whoever tells many steps keeps those contexts' values, by their places, as the
 * keys of an actor's context stand in one order for ever (see toldWorld), and takes each context apart once.
 */
import type { AnyEvent, Snapshot } from '../system/actor.ts'
import type { Entry } from '../system/live.ts'
import type { System } from '../system/world.ts'
import { Becomings, Pairs, Single, type Part } from './parts.ts'
import type { StepRecord } from './records.ts'
import type { Fields } from './shape.ts'
import { terseChange, terseList, whole } from './terse.ts'
import type { Field } from './usual.ts'
import { change, isNoChange } from './values.ts'

/** The values of a context, in the order of its keys. */
interface Taken {
  of: object
  readonly values: unknown[]
}

export class Told {
  n = 0
  by = ''
  do = ''
  offer: number | undefined
  budget: number | undefined
  cause = 0
  readonly event = new Single()
  readonly with = new Pairs()
  readonly to = new Single()
  readonly then = new Single()
  readonly next = new Single()
  readonly own = new Pairs()
  readonly set = new Becomings()
  readonly facts = new Single()
  /** In the order in which they are told. */
  readonly parts: readonly Part[] = [this.event, this.with, this.to, this.then, this.next, this.own, this.set, this.facts]
  /** By actor: its context when it was last seen. */
  readonly #last: Taken[] = []

  /**
   * A step that was taken. What its actor was told is told without what its context has anyway: a value of it, or the head
   * of a list of it.
   */
  entry<M, F>(system: System<M, F>, { n, cause, choice, do: what, before, world, facts, event, cut }: Entry<M, F>): this {
    this.#begin(n, choice.by, what, cause, facts)
    this.offer = choice.offer === 0 ? undefined : choice.offer
    this.budget = cut ? choice.budget : undefined
    const own = system.index.get(choice.by) ?? 0
    const [was, is] = [before.actors[own], world.actors[own]]
    if (was !== is && was !== undefined && is !== undefined) {
      if (was.value !== is.value) this.to.value = is.value
      this.#changes(own, was.context, is.context, this.own)
    }
    for (let i = 0; i < world.actors.length; i++) {
      if (i !== own && before.actors[i] !== world.actors[i]) this.#other(system.actors[i]?.name ?? '', i, before.actors[i], world.actors[i])
    }
    this.#told(event, is?.context as Fields | undefined)
    return this
  }

  /** A step that was recorded. */
  record({ n, by, do: what, offer, budget, cause, event, set, facts }: StepRecord): this {
    this.#begin(n, by, what, cause, facts)
    this.offer = offer
    this.budget = budget
    this.event.value = event.type
    for (const key in event) if (key !== 'type') this.with.add(key, event[key])
    for (const name in set) {
      const became = set[name]
      if (became === undefined) continue
      const [state, keys] = became
      if (name === by && state !== 0) this.to.value = state
      const to = name === by ? this.own : this.set.next(name, state).keys
      for (const key in keys) {
        const list = name === by ? this.#listOf(key) : undefined
        const told = list === undefined ? undefined : terseList(keys[key])
        if (list === undefined || told === undefined) to.add(key, keys[key])
        else list.value = told
      }
    }
    return this
  }

  /** The record of the step. */
  toRecord(): StepRecord {
    const line: Partial<Record<Field, unknown>> = {
      event: this.event.value,
      with: this.with.plain(),
      to: this.to.value,
      then: this.then.value,
      next: this.next.value,
      own: this.own.plain(),
      set: this.set.plain(),
      facts: this.facts.value,
    }
    return whole(
      { n: this.n, by: this.by, do: this.do, offer: this.offer, budget: this.budget, cause: this.cause, ...line },
      {},
    ) as StepRecord
  }

  #begin(n: number, by: string, what: string, cause: number, facts: readonly unknown[]): void {
    for (const part of this.parts) part.clear()
    this.n = n
    this.by = by
    this.do = what
    this.cause = cause
    if (facts.length > 0) this.facts.value = facts
  }

  #other(name: string, place: number, was: Snapshot | undefined, is: Snapshot | undefined): void {
    if (was === undefined || is === undefined) return
    const { state, keys } = this.set.next(name, was.value === is.value ? 0 : is.value)
    this.#changes(place, was.context, is.context, keys)
    if (state === 0 && !keys.isThere) this.set.drop()
  }

  /** The keys of a context that changed. */
  #changes(place: number, was: object, is: object, to: Pairs): void {
    if (was === is) return
    let last = this.#last[place]
    if (last?.of !== was) this.#last[place] = last = { of: was, values: Object.values(was) }
    last.of = is
    const { values } = last
    let at = 0
    for (const key in is) {
      const before = values[at]
      const after = (is as Fields)[key]
      if (before !== after) {
        values[at] = after
        this.#changed(to, key, before, after)
      }
      at++
    }
  }

  #changed(to: Pairs, key: string, before: unknown, after: unknown): void {
    if (typeof after !== 'object' || typeof before !== 'object') return to.add(key, after)
    const list = to === this.own ? this.#listOf(key) : undefined
    if (list !== undefined && Array.isArray(before) && Array.isArray(after)) {
      const told = terseChange(before, after)
      if (told !== undefined) {
        // Another list with the same in it is no change.
        if (told.length !== 1 || told[0] !== 0) list.value = told
        return
      }
    }
    const value = change(before, after)
    if (!isNoChange(value)) to.add(key, value)
  }

  /** What is told of a list of the actor itself in a part of its own. */
  #listOf(key: string): Single | undefined {
    return key === 'agenda' ? this.then : key === 'program' ? this.next : undefined
  }

  #told(event: AnyEvent, context: Fields = {}): void {
    this.event.value = event.type
    const fields = event as unknown as StepRecord['event']
    for (const key in fields) {
      const value = fields[key]
      if (key !== 'type' && context[key] !== value && !isHead(context, value)) this.with.add(key, value)
    }
  }
}

function isHead(context: Fields, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  for (const key in context) {
    const list = context[key]
    if (Array.isArray(list) && list[0] === value) return true
  }
  return false
}

/** A step as a record. */
export const recordOf = <M, F>(system: System<M, F>, entry: Entry<M, F>): StepRecord => new Told().entry(system, entry).toRecord()
