/** Depth first: every world once, the latest first; what is found is found by a long way, but early. */
import { Rows } from './rows.ts'
import { bytesAhead, itself, STRIDE, trailTo, type Canonical, type Cut, type Strategy } from './strategy.ts'

/** `canonical`: what a world is taken for, where worlds stand for others. */
export const depthFirst = (canonical: Canonical = itself): Strategy => ({
  name: 'dfs',
  *search(space, judge, { maxStates, maxDepth }) {
    const { width } = space
    const rows = new Rows(width)
    const row = space.start.slice()
    judge.follow(place => trailTo(space, rows, canonical, place))
    canonical(row, 0)
    rows.add(row, 0, -1)
    judge.world(row, 0, 0)
    // States that were found and not gone on from, with their depths; the last is next.
    const open: number[] = [0]
    const depths: number[] = [0]
    let [transitions, deepest, told, shallow] = [0, 0, 0, 0]
    let cut: Cut | undefined
    while (open.length > 0 && cut === undefined && !judge.decided) {
      const state = open.pop() as number
      const depth = depths.pop() as number
      deepest = Math.max(deepest, depth)
      rows.read(state, row)
      const n = space.expand(row)
      if (n > 0 && depth >= maxDepth) {
        shallow++
        continue
      }
      transitions += n
      if (n === 0) judge.end(row, 0, state)
      const first = open.length
      for (let k = 0; k < n; k++) {
        judge.step(space.steps[k] as (typeof space.steps)[number], state)
        canonical(space.nexts, k * width)
        const next = rows.add(space.nexts, k * width, state)
        if (next < 0) continue
        judge.world(space.nexts, k * width, next)
        open.push(next)
        depths.push(depth + 1)
      }
      // The first step is gone on with first.
      reverse(open, first)
      if (rows.size >= maxStates && open.length > 0) cut = 'max states'
      else if (transitions - told >= STRIDE) {
        told = transitions
        cut = yield { states: rows.size, transitions, frontier: open.length, depth, bytes: bytesAhead(rows) }
      }
    }
    if (shallow > 0) cut ??= 'max depth'
    return { states: rows.size, transitions, depth: deepest, frontier: open.length + shallow, cut, bytes: rows.bytes, rows }
  },
})

function reverse(list: number[], from: number): void {
  for (let a = from, b = list.length - 1; a < b; a++, b--) {
    const held = list[a] as number
    list[a] = list[b] as number
    list[b] = held
  }
}
