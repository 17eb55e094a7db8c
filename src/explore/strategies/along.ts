/** One order of events, that is known: gone once more, and judged. */
import type { Choice } from '../../system/step.ts'
import { BadTrail } from '../model.ts'
import { Rows } from '../worlds/rows.ts'
import type { Step } from '../worlds/steps.ts'
import { STRIDE, type Strategy } from '../strategy.ts'

export const along = (trail: readonly Choice[]): Strategy => ({
  name: 'one order',
  *search(space, judge) {
    const rows = new Rows(space.width)
    const row = space.start.slice()
    judge.follow(place => trail.slice(0, place))
    rows.add(row, 0, -1)
    judge.world(row, 0, 0)
    for (const [i, { by, offer }] of trail.entries()) {
      const step = space.take(row, 0, space.names.indexOf(by), offer)
      if (step === undefined || !isStep(step)) throw new BadTrail(i + 1, by)
      judge.step(step, i)
      judge.world(row, 0, i + 1)
      rows.add(row, 0, -1)
      if (i % STRIDE === STRIDE - 1) yield { states: rows.size, transitions: i + 1, frontier: 1, depth: i + 1, bytes: rows.bytes }
    }
    if (space.expand(row) === 0) judge.end(row, 0, trail.length)
    return { states: rows.size, transitions: trail.length, depth: trail.length, frontier: 1, cut: 'one order', runs: 1 }
  },
})

const isStep = <F>(taken: object): taken is Step<F> => 'own' in taken
