/**
 * How many interleavings the worlds that were found stand for, exactly: ways from the first world to those in which nobody
 * can act, counted along the graph of worlds, and never gone one by one.
 */
import type { Rows } from '../worlds/rows.ts'
import type { Space } from '../worlds/space.ts'

/** Complete orders of events; undefined if there are infinitely many, since some go in circles. */
export function interleavings<M, F>(space: Space<M, F>, rows: Rows): bigint | undefined {
  const { width } = space
  const row = new Int32Array(width)
  const waiting = new Int32Array(rows.size)
  for (let state = 0; state < rows.size; state++) {
    rows.read(state, row)
    const n = space.expand(row)
    for (let k = 0; k < n; k++) (waiting[rows.indexOf(space.nexts, k * width)] as number)++
  }
  // Worlds in an order in which all steps lead forward.
  const ways: bigint[] = Array.from({ length: rows.size }, () => 0n)
  ways[0] = 1n
  const ready = waiting[0] === 0 ? [0] : []
  let [passed, complete] = [0, 0n]
  while (ready.length > 0) {
    const state = ready.pop() as number
    passed++
    rows.read(state, row)
    const n = space.expand(row)
    const here = ways[state] as bigint
    ways[state] = 0n
    if (n === 0) complete += here
    for (let k = 0; k < n; k++) {
      const next = rows.indexOf(space.nexts, k * width)
      ways[next] = (ways[next] as bigint) + here
      if (--(waiting[next] as number) === 0) ready.push(next)
    }
  }
  return passed === rows.size ? complete : undefined
}
