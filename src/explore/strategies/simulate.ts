/**
 * Simulation: runs drawn at random, for what is too large to go through. It can find what is wrong, and never that nothing
 * is; a seed gives the same runs again.
 */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { skipN } from 'pure-rand/utils/skipN'
import type { Choice } from '../../system/step.ts'
import { Rows } from '../worlds/rows.ts'
import { fewPreemptions } from './schedulers/preemption.ts'
import { partialOrder } from './schedulers/partial-order.ts'
import { pct } from './schedulers/pct.ts'
import { randomly } from './schedulers/random.ts'
import type { Dice, Scheduler } from './schedulers/scheduler.ts'
import type { Space } from '../worlds/space.ts'
import type { Step } from '../worlds/steps.ts'
import { bytesAhead, STRIDE, type Cut, type Strategy } from '../strategy.ts'

const MAKE = { random: randomly, pct, pos: partialOrder, preemptions: fewPreemptions }
export const SCHEDULERS = ['random', 'pct', 'pos', 'preemptions', 'portfolio'] as const

export interface Simulation {
  /** `portfolio`: each of the others in turn. */
  readonly scheduler?: (typeof SCHEDULERS)[number]
  readonly seed?: number
  readonly runs?: number
}

/** Numbers that a small seed still shows in: runs of neighbouring seeds would begin alike. */
const WARM_UP = 64
const RUNS = 10_000
/** A run that is longer goes in circles, or might as well. */
const LONGEST = 100_000

function diceOf(seed: number): Dice {
  const source = xoroshiro128plus(seed)
  skipN(source, WARM_UP)
  return limit => Math.floor(((source.next() >>> 0) / 2 ** 32) * limit)
}

export function simulation({ scheduler = 'random', seed = 1, runs = RUNS }: Simulation): Strategy {
  return {
    name: `simulate, ${scheduler}`,
    *search(space, judge, { maxStates, maxDepth }) {
      const dice = diceOf(seed)
      const schedulers: readonly Scheduler[] =
        scheduler === 'portfolio' ? Object.values(MAKE).map(make => make(dice)) : [MAKE[scheduler](dice)]
      const { width } = space
      const rows = new Rows(width)
      const row = new Int32Array(width)
      const choices: Choice[] = []
      judge.follow(() => choices.slice())
      rows.add(space.start, 0, -1)
      judge.world(space.start, 0, 0)
      const end = Math.min(maxDepth, LONGEST)
      // A scheduler only looks at which steps there are.
      const seen = space as unknown as Space<unknown, unknown>
      let [run, transitions, longest, told] = [0, 0, 0, 0]
      let cut: Cut | undefined
      for (; run < runs && cut === undefined && !judge.decided && !judge.violated; run++) {
        const chooses = schedulers[run % schedulers.length] as Scheduler
        chooses.begin(longest)
        row.set(space.start)
        choices.length = 0
        let at = 0
        for (let n = space.expand(row); ; n = space.expand(row)) {
          if (n === 0) judge.end(row, 0, 0)
          if (n === 0 || at === end) break
          const k = chooses.pick(seen, n, at++)
          const step = space.steps[k] as Step<never>
          judge.step(step, 0)
          for (let i = 0; i < width; i++) row[i] = space.nexts[k * width + i] as number
          choices.push(space.choiceOf(step))
          const state = rows.add(row, 0, -1)
          if (state >= 0) judge.world(row, 0, state)
        }
        transitions += at
        longest = Math.max(longest, at)
        if (rows.size >= maxStates) cut = 'max states'
        else if (transitions - told >= STRIDE) {
          told = transitions
          cut = yield { states: rows.size, transitions, frontier: runs - run - 1, depth: at, bytes: bytesAhead(rows) }
        }
      }
      cut ??= 'sampled'
      return { states: rows.size, transitions, depth: longest, frontier: runs - run, cut, runs: run, bytes: rows.bytes }
    },
  }
}
