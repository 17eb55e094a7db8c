/** The steps of a run for a timeline: in words, with what each had to wait for. */
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { Entry } from '../system/live.ts'
import { step } from '../system/step.ts'
import type { System } from '../system/world.ts'
import { describe, type Described } from './describe.ts'
import type { TimelineStep } from './timeline.ts'

type LinuxEntry = Entry<Memory, Fact>

export const described = (entry: LinuxEntry): Described => ({
  do: entry.do,
  event: entry.event as Described['event'],
  calls: entry.calls,
  facts: entry.facts,
})

/** `entries`: the first steps of a run, all of them up to the last. */
export const timelineOf = (system: System<Memory, Fact>, entries: readonly LinuxEntry[]): readonly TimelineStep[] =>
  entries.map(entry => {
    const after = waitedFor(system, entries, entry)
    return { n: entry.n, by: entry.choice.by, ...describe(described(entry)), ...(after === undefined ? {} : { after }) }
  })

/** The step of another actor before which this one was refused. */
function waitedFor(system: System<Memory, Fact>, entries: readonly LinuxEntry[], { choice, cause }: LinuxEntry): number | undefined {
  const other = entries[cause - 1]
  if (other === undefined || other.choice.by === choice.by) return undefined
  return step(system, other.before, choice).kind === 'blocked' ? cause : undefined
}
