/** What becomes of a run, as one property sees it: has it failed, or can it no longer, and what of one that ends or never does. */
import type { World } from '../../system/world.ts'
import type { Property } from '../model.ts'
import { Reading } from '../worlds/reading.ts'
import type { Row } from '../worlds/rows.ts'
import type { Space } from '../worlds/space.ts'
import type { Step } from '../worlds/steps.ts'

/** Of what is to be shown (`sometimes`), that it is so counts as failing here. */
export interface Fate<F> {
  /** In this world: true, it has failed; false, it cannot any more; undefined: neither. */
  readonly world: (row: Row, at?: number) => boolean | undefined
  /** Does it fail by this step? */
  readonly step: (step: Step<F>) => boolean
  /** Has a run failed that ends in this world, the one that was expanded last? */
  readonly end: (row: Row, at?: number) => boolean
  /** Has a run failed that goes on for ever, and was never decided otherwise? */
  readonly forever: boolean
}

const open = (): undefined => undefined
const no = (): boolean => false

export function fateOf<M, F>(space: Space<M, F>, property: Property<M>): Fate<F> {
  // A reading shows worlds of its space alone, and so memories of this kind.
  const reading = (ask: (world: World<M>) => boolean): Reading<boolean> =>
    new Reading(space, property.name, world => ask(world as World<M>))
  const fate: Fate<F> = { world: open, step: no, end: no, forever: false }
  switch (property.kind) {
    case 'always': {
      const wrong = reading(world => property.wrong(world) !== undefined)
      return { ...fate, world: (row, at) => wrong.at(row, at) || undefined }
    }
    case 'sometimes': {
      const holds = reading(world => property.holds(world) !== false)
      return { ...fate, world: (row, at) => holds.at(row, at) || undefined }
    }
    case 'finally': {
      const holds = reading(property.holds)
      return { ...fate, end: (row, at) => space.refusals.length === 0 && !holds.at(row, at) }
    }
    case 'eventually': {
      const holds = reading(property.holds)
      return { ...fate, world: (row, at) => (holds.at(row, at) ? false : undefined), end: () => true, forever: true }
    }
    case 'step': {
      const wrong: boolean[] = []
      return { ...fate, step: step => (wrong[step.n] ??= property.wrong(space.deedOf(step)) !== undefined) }
    }
    case 'deadlock':
      return { ...fate, end: () => space.refusals.length > 0 }
    case 'livelock':
      return { ...fate, forever: true }
  }
}
