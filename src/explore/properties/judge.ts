/** Keeps what was found out about each property while a search goes on. */
import type { Choice } from '../../system/step.ts'
import type { World } from '../../system/world.ts'
import { timesAgain } from '../worlds/again.ts'
import type { Model, Property, Wrong } from '../model.ts'
import { cheating, Reading } from '../worlds/reading.ts'
import type { Row } from '../worlds/rows.ts'
import type { Space } from '../worlds/space.ts'
import type { Step } from '../worlds/steps.ts'
import { waitsAfter, waitsText, type Wait } from './waits.ts'

/** What decides a property: what is so, and the choices that lead there. */
export interface Finding {
  readonly why: string
  readonly trail: readonly Choice[]
  /** Of a deadlock: who waits for whom. */
  readonly waits?: readonly Wait[]
}

/** What was found about a property, by its place among the model's. */
export interface Recalled extends Finding {
  readonly property: number
}

/** A way to a place, by whatever a strategy calls its places. */
export type Trail = (place: number) => readonly Choice[]

interface Watched<M> {
  readonly property: Property<M>
  readonly wrong: Reading<Wrong>
}

export class Judge<M, F> {
  readonly #space: Space<M, F>
  readonly #everywhere: readonly Watched<M>[]
  readonly #atRest: readonly Watched<M>[]
  readonly #deadlock: Property<M> | undefined
  readonly #steps: readonly Extract<Property<M>, { readonly kind: 'step' }>[]
  /** By step: what is wrong with it, by property. */
  readonly #judged: (readonly Wrong[])[] = []
  #asked = 0
  readonly #found = new Map<Property<M>, Finding>()
  readonly #wanted: number
  #trail: Trail = () => []

  constructor(model: Model<M, F>, space: Space<M, F>) {
    this.#space = space
    const { properties } = model
    this.#everywhere = properties.flatMap(property =>
      property.kind === 'always'
        ? [this.#watch(property, world => property.wrong(world))]
        : property.kind === 'sometimes'
          ? [this.#watch(property, world => told(property.holds(world)))]
          : [],
    )
    this.#atRest = properties.flatMap(property =>
      property.kind === 'finally'
        ? [this.#watch(property, world => (property.holds(world) ? undefined : 'it is not so when everybody is at rest'))]
        : [],
    )
    this.#steps = properties.filter(property => property.kind === 'step')
    this.#deadlock = properties.find(property => property.kind === 'deadlock')
    this.#wanted = properties.length
  }

  /** The strategy that searches now, and how it tells of its places. */
  follow(trail: Trail): void {
    this.#trail = place => this.#space.aside(() => trail(place))
  }

  get found(): ReadonlyMap<Property<M>, Finding> {
    return this.#found
  }

  /** Is there nothing left that going on could tell? */
  get decided(): boolean {
    return this.#wanted > 0 && this.#found.size === this.#wanted
  }

  /** All that was found, in the order in which it was. */
  list(): readonly Recalled[] {
    const { properties } = this.#space.model
    return [...this.#found].map(([property, finding]) => ({ property: properties.indexOf(property), ...finding }))
  }

  /** Goes on from what was found before. */
  recall(found: readonly Recalled[]): void {
    for (const { property, why, trail } of found) {
      const known = this.#space.model.properties[property]
      if (known === undefined) continue
      if (known === this.#deadlock) this.#blocked(known, trail)
      else this.find(known, why, trail)
    }
  }

  /** The same finding in other words. */
  retell(property: Property<M>, why: string): void {
    const finding = this.#found.get(property)
    if (finding !== undefined) this.#found.set(property, { ...finding, why })
  }

  /** Is something wrong? */
  get violated(): boolean {
    return [...this.#found.keys()].some(property => property.kind !== 'sometimes')
  }

  find(property: Property<M>, why: string, trail: readonly Choice[]): void {
    if (!this.#found.has(property)) this.#found.set(property, { why, trail })
  }

  /** A world that was not seen before. */
  world(row: Row, at: number, place: number): void {
    for (const { property, wrong } of this.#everywhere) {
      const why = wrong.at(row, at)
      if (why !== undefined && !this.#found.has(property)) this.find(property, why, this.#trail(place))
    }
  }

  /** The world that was expanded last, and in which nobody can act. */
  end(row: Row, at: number, place: number): void {
    const { refusals } = this.#space
    if (refusals.length > 0) {
      if (this.#deadlock === undefined || this.#found.has(this.#deadlock)) return
      return this.#blocked(this.#deadlock, this.#trail(place))
    }
    for (const { property, wrong } of this.#atRest) {
      const why = wrong.at(row, at)
      if (why !== undefined && !this.#found.has(property)) this.find(property, why, this.#trail(place))
    }
  }

  #blocked(deadlock: Property<M>, trail: readonly Choice[]): void {
    const waits = this.#space.aside(() => waitsAfter(this.#space, trail))
    this.#found.set(deadlock, { why: waitsText(waits), trail, waits })
  }

  /** A step from a place. */
  step(step: Step<F>, place: number): void {
    if (this.#steps.length === 0) return
    const wrongs = (this.#judged[step.n] ??= this.#wrongs(step))
    for (let i = 0; i < wrongs.length; i++) {
      const why = wrongs[i]
      const property = this.#steps[i]
      if (why === undefined || property === undefined || this.#found.has(property)) continue
      this.find(property, why, [...this.#trail(place), this.#space.choiceOf(step)])
    }
  }

  /** Could a property that looks at worlds tell the world after the step from that before it? */
  sees(step: Step<F>): boolean {
    const { source } = step
    return this.#everywhere.some(
      ({ wrong }) =>
        wrong.notices(source.by, source.from, step.own) ||
        wrong.notices(this.#space.width - 1, source.memory, step.memory) ||
        step.calls.some(call => wrong.notices(call.callee, call.from, call.to)),
    )
  }

  /** How many places of worlds the properties were seen to read so far. */
  get places(): number {
    return this.#everywhere.reduce((sum, { wrong }) => sum + wrong.reads.size, 0)
  }

  #wrongs(step: Step<F>): readonly Wrong[] {
    const deed = this.#space.deedOf(step)
    const wrongs = this.#steps.map(property => property.wrong(deed))
    for (let times = timesAgain(this.#asked++); times > 0; times--)
      for (const [i, property] of this.#steps.entries()) if (property.wrong(deed) !== wrongs[i]) throw cheating(property.name)
    return wrongs.every(wrong => wrong === undefined) ? NOTHING : wrongs
  }

  #watch(property: Property<M>, ask: (world: World<M>) => Wrong): Watched<M> {
    // A reading shows worlds of its space alone, and so memories of this kind.
    return { property, wrong: new Reading(this.#space, property.name, ask as (world: World<unknown>) => Wrong) }
  }
}

const NOTHING: readonly Wrong[] = []

const told = (holds: boolean | string): Wrong => (holds === false ? undefined : holds === true ? 'it is so' : holds)
