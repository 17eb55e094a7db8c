/**
 * Sleep sets: every order of events once up to the order of steps that have nothing to do with each other. A step that was
 * gone on with sleeps in the branches beside it, until a step that it does depend on wakes it.
 *
 * `sleepSets` goes run by run, and keeps nothing; a run in which all who could act sleep is given up. `stateCaching` also
 * keeps the worlds, with what slept there: it goes on from a world that it knows with those steps alone that slept before and
 * do not now (Godefroid). Both visit every world.
 */
import type { Choice } from '../../system/step.ts'
import { Footprints } from '../worlds/footprint.ts'
import { Rows } from '../worlds/rows.ts'
import type { Space } from '../worlds/space.ts'
import type { Step } from '../worlds/steps.ts'
import { bytesAhead, STRIDE, type Cut, type Strategy } from '../strategy.ts'

interface Frame<F> {
  readonly state: number
  readonly steps: readonly Step<F>[]
  /** The worlds that the steps lead to. */
  readonly next: readonly number[]
  /** Steps that sleep here. */
  readonly sleep: Step<F>[]
  /** The step that is gone on with now, by number in `steps`; and those that may be. */
  at: number
  readonly wanted: readonly boolean[]
}

export const sleepSets: Strategy = searchWith('sleep', false)
export const stateCaching: Strategy = searchWith('cache', true)

const isIn = <F>(set: readonly Step<F>[], step: Step<F>): boolean => set.some(s => isSame(s, step))
/** The same offer of the same actor: while it sleeps, nothing that it depends on changes. */
export const isSame = <F>(a: Step<F>, b: Step<F>): boolean => a.source.by === b.source.by && a.source.at === b.source.at

function searchWith(name: string, caching: boolean): Strategy {
  return {
    name,
    *search(space, judge, { maxStates, maxDepth }) {
      const footprints = new Footprints(space)
      const rows = new Rows(space.width)
      const path: Frame<unknown>[] = []
      const onPath = new Set<number>()
      /** With caching: what slept in each world when it was last gone on from. */
      const slept: (readonly Step<unknown>[])[] = []
      let [transitions, runs, blocked, deepest, told, shallow] = [0, 0, 0, 0, 0, 0]
      let cut: Cut | undefined
      judge.follow(() => trailOf(space, path))

      const enter = (state: number, sleep: Step<unknown>[]): void => {
        const row = new Int32Array(space.width)
        rows.read(state, row)
        const n = space.expand(row)
        deepest = Math.max(deepest, path.length)
        if (n === 0) judge.end(row, 0, state)
        if (n > 0 && path.length >= maxDepth) {
          shallow++
          return
        }
        const steps = space.steps.slice(0, n)
        const before = slept[state]
        let wanted: readonly boolean[]
        let asleep = sleep
        if (!caching || before === undefined) {
          wanted = steps.map(step => !isIn(sleep, step))
        } else {
          wanted = steps.map(step => isIn(before, step) && !isIn(sleep, step))
          asleep = sleep.filter(step => isIn(before, step))
        }
        if (caching) slept[state] = asleep.slice()
        if (!wanted.includes(true)) {
          if (n === 0) runs++
          else blocked++
          return
        }
        for (let k = 0; k < n; k++) if (wanted[k] === true) judge.step(steps[k] as Step<never>, state)
        const { nexts, width } = space
        const next = steps.map((_, k) => {
          if (wanted[k] !== true) return -1
          const added = rows.add(nexts, k * width, state)
          return added < 0 ? ~added : added
        })
        path.push({ state, steps, next, sleep: asleep, at: -1, wanted })
        onPath.add(state)
      }
      const row = new Int32Array(space.width)

      rows.add(space.start, 0, -1)
      judge.world(space.start, 0, 0)
      enter(0, [])
      while (path.length > 0 && cut === undefined && !judge.decided) {
        const frame = path[path.length - 1] as Frame<unknown>
        const done = frame.steps[frame.at]
        if (done !== undefined) frame.sleep.push(done)
        do frame.at++
        while (frame.at < frame.steps.length && frame.wanted[frame.at] !== true)
        const step = frame.steps[frame.at]
        if (step === undefined) {
          path.pop()
          onPath.delete(frame.state)
          continue
        }
        transitions++
        const next = frame.next[frame.at] as number
        rows.read(next, row)
        judge.world(row, 0, next)
        if (onPath.has(next) && !caching) cut = 'a circle'
        else {
          const sleep = frame.sleep.filter(other => footprints.independent(other as Step<never>, step as Step<never>))
          enter(next, sleep)
        }
        if (rows.size >= maxStates) cut ??= 'max states'
        else if (transitions - told >= STRIDE) {
          told = transitions
          const stop = yield { states: rows.size, transitions, frontier: openBranches(path), depth: path.length, bytes: bytesAhead(rows) }
          cut ??= stop
        }
      }
      if (shallow > 0) cut ??= 'max depth'
      const counts = caching ? {} : { runs, blocked }
      return {
        states: rows.size,
        transitions,
        depth: deepest,
        frontier: openBranches(path) + shallow,
        cut,
        ...counts,
        bytes: rows.bytes,
        rows,
      }
    },
  }
}

const openBranches = (path: readonly Frame<unknown>[]): number =>
  path.reduce((sum, frame) => sum + frame.wanted.filter((wanted, k) => wanted && k > frame.at).length, 0)

const trailOf = <M, F>(space: Space<M, F>, path: readonly Frame<unknown>[]): readonly Choice[] =>
  path.flatMap(({ steps, at }) => {
    const step = steps[at]
    return step === undefined ? [] : [space.choiceOf(step as Step<F>)]
  })
