/** Breadth first: the shortest way to everything that is found, and among the shortest the first in the actors' order. */
import { Rows } from './rows.ts'
import { bytesAhead, itself, STRIDE, trailTo, type Canonical, type Cut, type Strategy } from './strategy.ts'

/** `canonical`: what a world is taken for, where worlds stand for others. */
export const breadthFirst = (canonical: Canonical = itself): Strategy => ({
  name: 'bfs',
  *search(space, judge, { maxStates, maxDepth }) {
    const { width } = space
    const rows = new Rows(width)
    const row = space.start.slice()
    judge.follow(place => trailTo(space, rows, canonical, place))
    canonical(row, 0)
    rows.add(row, 0, -1)
    judge.world(row, 0, 0)
    let [transitions, depth, next] = [0, 0, 0]
    let cut: Cut | undefined
    // States are numbered as they are found: those of one depth follow each other.
    for (let end = rows.size, told = 0; next < rows.size && cut === undefined && !judge.decided; next++) {
      if (next === end) {
        if (depth + 1 === maxDepth) {
          cut = 'max depth'
          break
        }
        depth++
        end = rows.size
      }
      rows.read(next, row)
      const n = space.expand(row)
      transitions += n
      if (n === 0) judge.end(row, 0, next)
      for (let k = 0; k < n; k++) {
        judge.step(space.steps[k] as (typeof space.steps)[number], next)
        canonical(space.nexts, k * width)
        const state = rows.add(space.nexts, k * width, next)
        if (state >= 0) judge.world(space.nexts, k * width, state)
      }
      if (rows.size >= maxStates && next + 1 < rows.size) cut = 'max states'
      else if (transitions - told >= STRIDE) {
        told = transitions
        cut = yield { states: rows.size, transitions, frontier: rows.size - next, depth, bytes: bytesAhead(rows) }
      }
    }
    return { states: rows.size, transitions, depth, frontier: rows.size - next, cut, bytes: rows.bytes, rows }
  },
})
