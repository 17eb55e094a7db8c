/** A query of any kind as a condition in a run: what asks for other steps as well is answered by seeing them all, once. */
import { takenAt } from '../moment.ts'
import type { Run } from '../recording.ts'
import { conditionOf, isLocal, type Condition } from './condition.ts'
import { Matcher } from './match.ts'
import { parseQuery } from './parse.ts'

/** Reads it, to be prepared before it is asked; throws `QueryError`. */
export function queryIn(run: Run, text: string): Condition {
  const query = parseQuery(text, run.system)
  if (isLocal(query)) return conditionOf(run.system, text)
  const matcher = new Matcher(run.system, query, run.first + 1)
  let meant: ReadonlySet<number> | undefined
  let seen = run.first
  return {
    text,
    isOracle: false,
    holds: ({ step }) => step !== undefined && meant?.has(step.n) === true,
    why: () => undefined,
    keys: undefined,
    *prepare() {
      while (seen < run.last) {
        matcher.see(takenAt(run, ++seen))
        if (seen % STRIDE === 0 && (yield seen)) return false
      }
      meant ??= new Set(matcher.meant())
      return true
    },
  }
}

/** Steps between two reports. */
const STRIDE = 256
