/** Breadth first: the shortest way to everything that is found, and among the shortest the first in the actors' order. */
import { begun, type Paused } from './paused.ts'
import { bytesAhead, itself, STRIDE, type Canonical, type Cut, type Strategy } from '../strategy.ts'

/** `canonical`: what a world is taken for, where worlds stand for others. */
export const breadthFirst = (canonical: Canonical = itself): Strategy => ({
  name: 'bfs',
  *search(space, judge, { maxStates, maxDepth, from }) {
    const { width } = space
    const row = new Int32Array(width)
    const { rows, deciding } = begun(space, judge, canonical, from)
    // States are numbered as they are found: those of one depth follow each other, up to `end`.
    let [transitions = 0, depth = 0, next = 0, end = 1] = from?.counters ?? []
    const pause = (): Paused => ({
      rows,
      deciding: deciding.states,
      counters: [transitions, depth, next, end],
      lists: [],
      found: judge.list(),
    })
    let cut: Cut | undefined
    for (let told = transitions; next < rows.size && cut === undefined && !judge.decided;) {
      if (next === end) {
        if (depth + 1 === maxDepth) {
          cut = 'max depth'
          break
        }
        depth++
        end = rows.size
      }
      const state = next++
      rows.read(state, row)
      const n = deciding.expand(row, state)
      transitions += n
      if (n === 0) judge.end(row, 0, state)
      for (let k = 0; k < n; k++) {
        judge.step(space.steps[k] as (typeof space.steps)[number], state)
        canonical(space.nexts, k * width)
        const found = rows.add(space.nexts, k * width, state)
        if (found >= 0) judge.world(space.nexts, k * width, found)
      }
      if (rows.size >= maxStates && next < rows.size) cut = 'max states'
      else if (transitions - told >= STRIDE) {
        told = transitions
        cut = yield { states: rows.size, transitions, frontier: rows.size - next, depth, bytes: bytesAhead(rows), pause }
      }
    }
    return { states: rows.size, transitions, depth, frontier: rows.size - next, cut, bytes: rows.bytes, rows, pause }
  },
})
