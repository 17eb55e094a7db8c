/**
 * How many orders of events differ in more than the order of steps that have nothing to do with each other (Mazurkiewicz
 * classes): the runs that sleep sets would go to their end. Of those that come to one world with the same steps asleep, the
 * rest is the same, and is counted once.
 */
import { Footprints } from '../worlds/footprint.ts'
import { Rows } from '../worlds/rows.ts'
import { isSame } from '../strategies/sleep-sets.ts'
import type { Space } from '../worlds/space.ts'
import type { Step } from '../worlds/steps.ts'

interface Frame<F> {
  readonly key: string
  readonly steps: readonly Step<F>[]
  readonly next: readonly number[]
  readonly sleep: Step<F>[]
  at: number
  sum: bigint
}

/** Exactly; undefined if some order of events goes in circles, or if there are more than `limit` places to count from. */
export function classes<M, F>(space: Space<M, F>, limit = Infinity): bigint | undefined {
  const footprints = new Footprints(space)
  const rows = new Rows(space.width)
  const row = new Int32Array(space.width)
  const known = new Map<string, bigint>()
  const path: Frame<F>[] = []
  const onPath = new Set<string>()

  /** How many there are from a world, if that is known; else it is gone into. */
  const enter = (state: number, sleep: Step<F>[]): bigint | undefined => {
    const key = `${state}/${sleep
      .map(({ source }) => `${source.by}.${source.at}`)
      .toSorted()
      .join()}`
    const count = known.get(key)
    if (count !== undefined) return count
    rows.read(state, row)
    const n = space.expand(row)
    if (n === 0) return 1n
    const steps = space.steps.slice(0, n)
    const next = steps.map((_, k) => {
      const added = rows.add(space.nexts, k * space.width, state)
      return added < 0 ? ~added : added
    })
    path.push({ key, steps, next, sleep, at: -1, sum: 0n })
    onPath.add(key)
    return undefined
  }

  rows.add(space.start, 0, -1)
  let last = enter(0, [])
  while (path.length > 0) {
    const frame = path[path.length - 1] as Frame<F>
    if (last !== undefined) {
      frame.sum += last
      last = undefined
    }
    const done = frame.steps[frame.at]
    if (done !== undefined && frame.at >= 0) frame.sleep.push(done)
    do frame.at++
    while (frame.at < frame.steps.length && frame.sleep.some(s => isSame(s, frame.steps[frame.at] as Step<F>)))
    const step = frame.steps[frame.at]
    if (step === undefined) {
      path.pop()
      onPath.delete(frame.key)
      known.set(frame.key, frame.sum)
      last = frame.sum
      if (known.size > limit) return undefined
      continue
    }
    last = enter(
      frame.next[frame.at] as number,
      frame.sleep.filter(other => footprints.independent(other, step)),
    )
    if (last === undefined && path.slice(0, -1).some(other => other.key === path.at(-1)?.key)) return undefined
  }
  return last
}
