/**
 * What a read tells as a whole. A read of several pages may take several steps, others in between, and its answer is all that
 * these have read: where somebody judges it, it goes from step to step with what is left of the statement.
 */
import type { AnyEvent, Kind } from '../system/actor.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { StatementRef } from './api.ts'
import type { Kinds, SystemSpec } from './standard.ts'

/** A statement whose values are kept together, and those that it has so far. */
interface Gathering {
  readonly got: readonly number[]
}
interface Programmed {
  readonly program?: readonly object[]
}

const isGathering = (statement: object | undefined): statement is Gathering => statement !== undefined && 'got' in statement

/** Reads page after page, from `at` on. */
const reads = (statement: object): boolean => 'at' in statement && 'end' in statement

/** The system in which these statements keep what they read together, if they are reads. */
export function gatheringSpec(spec: SystemSpec, statements: readonly StatementRef[]): SystemSpec {
  return {
    ...spec,
    actors: spec.actors.map(actor => {
      const { program = [] }: Programmed = actor.input
      const kept = program.map((statement, i) =>
        reads(statement) && statements.some(({ by, index }) => by === actor.name && index === i) ? { ...statement, got: [] } : statement,
      )
      return kept.some(isGathering) ? { ...actor, input: { ...actor.input, program: kept } } : actor
    }),
  }
}

/** The machines of such a system, from those of one in which every step tells its own part. */
export const gatheringKinds = (kinds: Kinds): Kinds =>
  Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, gathering(kind)]))

const gathering = (kind: Kind<Memory, Fact>): Kind<Memory, Fact> => ({
  machine: kind.machine,
  does: Object.fromEntries(
    Object.entries(kind.does).map(([name, rule]): [string, typeof rule] => [
      name,
      (memory, context, budget) => {
        const offers = rule(memory, context, budget)
        const [statement] = (context as Programmed).program ?? []
        if (!isGathering(statement)) return offers
        return offers.map(offer => ({ ...offer, event: replies => gathered(statement, offer.event(replies)) }))
      },
    ]),
  ),
})

/** What is told of a part becomes part of what is left; of the last part, it is the whole. */
function gathered({ got }: Gathering, event: AnyEvent): AnyEvent {
  if (event.type !== 'accessed') return event
  const { values, left } = event as AnyEvent & { readonly values: readonly number[]; readonly left: object | null }
  const all = [...got, ...values]
  const whole = left === null ? { values: all } : { left: { ...left, got: all } }
  return { ...event, ...whole }
}
