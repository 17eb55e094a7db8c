/**
 * What became of an actor in a step: its contexts before and after, compared value by value, by their places, as the keys
 * of an actor's context stand in one order for ever (see worldText). A step mostly begins with what the last one of the
 * same actor made: whoever makes records of many steps keeps those values, and takes each context apart once.
 */
import type { Snapshot } from '../system/actor.ts'
import type { SetRecord } from './records.ts'
import { change, isNoChange } from './values.ts'

/** The values of a context, in the order of its keys. */
interface Parts {
  of: object
  readonly values: unknown[]
}

export class Contexts {
  /** By actor: what it was when last seen. */
  readonly #last: Parts[] = []

  /** What the actor in this place became; undefined: it is as it was. */
  set(place: number, was: Snapshot | undefined, is: Snapshot | undefined): SetRecord | undefined {
    if (was === is || was === undefined || is === undefined) return undefined
    const keys = was.context === is.context ? undefined : this.#keys(place, was.context, is.context)
    return keys === undefined && was.value === is.value ? undefined : [was.value === is.value ? 0 : is.value, keys ?? {}]
  }

  /** The keys that changed. */
  #keys(place: number, was: object, is: object): Record<string, unknown> | undefined {
    let last = this.#last[place]
    if (last?.of !== was) this.#last[place] = last = { of: was, values: Object.values(was) }
    last.of = is
    const { values } = last
    let told: Record<string, unknown> | undefined
    let at = 0
    for (const key in is) {
      const before = values[at]
      const after = (is as Readonly<Record<string, unknown>>)[key]
      if (!Object.is(before, after)) {
        values[at] = after
        const value = change(before, after)
        if (!isNoChange(value)) (told ??= {})[key] = value
      }
      at++
    }
    return told
  }
}
