/** Depth first: every world once, the latest first; what is found is found by a long way, but early. */
import { begun, type Paused } from './paused.ts'
import { bytesAhead, itself, STRIDE, type Canonical, type Cut, type Strategy } from '../strategy.ts'

/** `canonical`: what a world is taken for, where worlds stand for others. */
export const depthFirst = (canonical: Canonical = itself): Strategy => ({
  name: 'dfs',
  *search(space, judge, { maxStates, maxDepth, from }) {
    const { width } = space
    const row = new Int32Array(width)
    const { rows, deciding } = begun(space, judge, canonical, from)
    // States that were found and not gone on from, with their depths; the last is next.
    const [open = [], depths = []] = from?.lists.map(list => [...list]) ?? [[0], [0]]
    let [transitions = 0, deepest = 0, shallow = 0] = from?.counters ?? []
    const pause = (): Paused => ({
      rows,
      deciding: deciding.states,
      counters: [transitions, deepest, shallow],
      lists: [open, depths],
      found: judge.list(),
    })
    let told = transitions
    let cut: Cut | undefined
    while (open.length > 0 && cut === undefined && !judge.decided) {
      const state = open.pop() as number
      const depth = depths.pop() as number
      deepest = Math.max(deepest, depth)
      rows.read(state, row)
      const n = deciding.expand(row, state)
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
        cut = yield { states: rows.size, transitions, frontier: open.length, depth, bytes: bytesAhead(rows), pause }
      }
    }
    if (shallow > 0) cut ??= 'max depth'
    return { states: rows.size, transitions, depth: deepest, frontier: open.length + shallow, cut, bytes: rows.bytes, rows, pause }
  },
})

function reverse(list: number[], from: number): void {
  for (let a = from, b = list.length - 1; a < b; a++, b--) {
    const held = list[a] as number
    list[a] = list[b] as number
    list[b] = held
  }
}
