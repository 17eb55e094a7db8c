/** What every export is made of: the header of a log, and its steps with their calls and worlds. */
import { choiceOf, type Header, type StepRecord } from '../../log/records.ts'
import type { LinuxSystem, LinuxWorld } from '../linux.ts'
import { Retracing, type Retraced } from '../retrace.ts'

export interface Story {
  readonly header: Header
  readonly system: LinuxSystem
  /** The world before the first step. */
  readonly first: LinuxWorld
  readonly steps: readonly Retraced[]
  /** How the run ended, as the log has it. */
  readonly end: string | undefined
}

/** The story of a log, from its records; `from`: the world before the first, if they are not from its beginning on. */
export function storyOf(
  header: Header,
  system: LinuxSystem,
  records: Iterable<StepRecord>,
  end: string | undefined,
  from?: LinuxWorld,
): Story {
  const retracing = from === undefined ? Retracing.of(system, header) : new Retracing(system, from)
  const first = retracing.world
  const steps: Retraced[] = []
  for (const record of records) steps.push(retracing.see(record))
  return { header, system, first, steps, end }
}

/** Who takes a step or is called in one, in the order of the system. */
export function rolesOf({ system, steps }: Story): readonly string[] {
  const found = new Set(steps.flatMap(step => [step.by, ...step.calls.map(c => c.to)]))
  return system.actors.map(a => a.name).filter(name => found.has(name))
}

/** The choices of a run: who, which offer, how far; null: as far as it goes. */
export type ChoiceRow = readonly [by: string, offer: number, budget: number | null]
export const choiceRow = (record: StepRecord): ChoiceRow => {
  const { by, offer, budget } = choiceOf(record)
  return [by, offer, Number.isFinite(budget) ? budget : null]
}
