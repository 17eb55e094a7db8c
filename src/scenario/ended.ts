/** A process ends with the last of its threads that has anything to do: who ends it earlier would have to end the others, too. */
import type { ActorName } from '../kernel/offer.ts'
import type { Statement } from '../kernel/thread.ts'
import type { MmName } from '../memory/memory.ts'
import type { StatementRef } from './api.ts'

type Programs = ReadonlyMap<ActorName, { readonly mm: MmName; readonly statements: readonly Statement[] }>

/** What is wrong with an `exit()` beside or behind which another thread of the process does something, if there is one. */
export function endedEarly(
  stages: readonly { readonly members: readonly StatementRef[] }[],
  programs: Programs,
  told: (statement: StatementRef) => string,
): string | undefined {
  for (const [i, { members }] of stages.entries()) {
    for (const exit of members) {
      const own = programs.get(exit.by)
      if (own?.statements[exit.index]?.do !== 'exit') continue
      const rest = [members, ...stages.slice(i + 1).map(stage => stage.members)].flat()
      const other = rest.find(({ by }) => by !== exit.by && programs.get(by)?.mm === own.mm)
      if (other !== undefined) return `${told(exit)} ends the process, and ${told(other)} of the same process is not done before`
    }
  }
  return undefined
}
