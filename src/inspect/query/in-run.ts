/** A query of any kind as a condition in a run: what asks for other steps as well is answered by seeing them all, once. */
import { takenAt } from '../moment.ts'
import type { Run } from '../recording.ts'
import { conditionOf, isLocal, type Condition } from './condition.ts'
import { Matcher } from './match.ts'
import { parseQuery } from './parse.ts'
import type { Query } from './query.ts'

/** Reads it; throws `QueryError`. */
export function queryIn(run: Run, text: string): Condition {
  const query = parseQuery(text, run.system)
  if (isLocal(query)) return conditionOf(run.system, text)
  let meant: ReadonlySet<number> | undefined
  const isMeant = (n: number): boolean => (meant ??= meantIn(run, query)).has(n)
  return { text, isOracle: false, holds: ({ step }) => step !== undefined && isMeant(step.n), why: () => undefined, keys: undefined }
}

function meantIn(run: Run, query: Query): ReadonlySet<number> {
  const matcher = new Matcher(run.system, query, run.first + 1)
  for (let n = run.first + 1; n <= run.last; n++) matcher.see(takenAt(run, n))
  return new Set(matcher.meant())
}
