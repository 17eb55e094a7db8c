/** The table of machines, states and events that `--coverage` prints. */
import type { CoveredMachine, CoveredTransition } from '../../explore/answers/coverage.ts'
import type { Exploration } from '../../explore/explore.ts'
import { plural, styled, table } from '../output.ts'

export function coverageLines({ coverage = [], complete }: Exploration): readonly string[] {
  if (coverage.length === 0) return []
  const never = complete ? 'never' : 'not so far'
  const head = ['machine', 'state', 'event', 'leads to', 'if', 'fired']
  const rows = coverage.flatMap(({ machine, transitions }) =>
    transitions.map(({ state, event, target, guard, fired }, i) => [
      i === 0 ? machine : '',
      state ?? 'any',
      event,
      target ?? '·',
      guard ?? '',
      fired === 0 ? never : String(fired),
    ]),
  )
  return ['', ...table([head, ...rows]), '', ...coverage.map(machine => summary(machine, never)), '']
}

/** What was come to of a machine, and in which states it never was. */
function summary({ machine, actors, states, transitions }: CoveredMachine, never: string): string {
  const missed = states.filter(({ met }) => met === 0).map(({ state }) => state)
  const fired = transitions.filter(({ fired: n }: CoveredTransition) => n > 0).length
  const where = missed.length === 0 ? '' : `; ${never} in ${missed.join(', ')}`
  return `${styled('bold', machine)} (${actors.join(', ')}): ${states.length - missed.length} of ${plural(states.length, 'state')}, ${fired} of ${plural(transitions.length, 'transition')}${where}`
}
