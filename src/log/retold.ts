/** Steps of earlier formats as this one tells them: they say the same in other words. */
import { choiceOf, type StepRecord } from './records.ts'
import { recordOf } from './told.ts'
import { isEqual } from './values.ts'
import { step, type Stepped } from '../system/step.ts'
import type { System, World } from '../system/world.ts'

/** A step that was recorded, decided again; undefined if this model does otherwise. */
export function decidedAgain<M, F>(system: System<M, F>, before: World<M>, record: StepRecord): Stepped<M, F> | undefined {
  if (!system.index.has(record.by)) return undefined
  const made = step(system, before, choiceOf(record))
  const isIt = made.kind === 'stepped' && made.do === record.do && made.event.type === record.event.type
  return isIt && isEqual(JSON.parse(JSON.stringify(made.facts)), JSON.parse(JSON.stringify(record.facts))) ? made : undefined
}

/** The record of it now. */
export const retold = <M, F>(system: System<M, F>, made: Stepped<M, F>, { n, cause }: StepRecord): StepRecord =>
  JSON.parse(JSON.stringify(recordOf(system, { ...made, n, cause }))) as StepRecord
