/** A seeded random choice among all who can act, and among their offers; one seed gives one run. */
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { skipN } from 'pure-rand/utils/skipN'
import type { Chooser } from './chooser.ts'

/** Numbers that a small seed still shows in: runs of neighbouring seeds would begin alike. */
const WARM_UP = 64

export function random(seed: number): Chooser {
  const source = xoroshiro128plus(seed)
  skipN(source, WARM_UP)
  // The first enabled one of a uniformly random order is uniform among the enabled ones.
  function* shuffled<T>(items: T[]): Generator<T> {
    for (let left = items.length; left > 0; left--) {
      const i = left === 1 ? 0 : uniformInt(source, 0, left - 1)
      yield items[i] as T
      items[i] = items[left - 1] as T
    }
  }
  return {
    order: active => shuffled([...active]),
    pick: offers => shuffled(Array.from({ length: offers }, (_, i) => i)),
  }
}
