/** Verdicts on runs, to compare them by: what the shipped oracles find on the way, and what operations answer. */
import { Findings } from '../../oracles/findings.ts'
import type { Condition } from '../query/condition.ts'
import type { LinuxSystem } from '../linux.ts'
import type { Judge } from './guilty.ts'

/** Which oracles find something at any step; if that is the same, what operations answered counts. */
export function byOracles(system: LinuxSystem): Judge {
  const findings = new Findings(system.actors.map(a => a.name))
  const answers = new Map<string, unknown[]>()
  return {
    see({ world, step: { n, by, event } }) {
      const { err, ret, sig } = event
      if (ENDS.has(event.type)) answers.set(by, [...(answers.get(by) ?? []), err ?? sig ?? ret ?? 0])
      findings.see(n, world)
    },
    verdict() {
      const violated = findings.list.map(({ oracle, why }) => `${oracle} is violated: ${why}`)
      if (violated.length > 0) return { holds: false, text: violated.join('; ') }
      const failed = [...answers].flatMap(([by, all]) => all.filter(x => typeof x === 'string').map(x => `${by} gets ${x}`))
      const text = ['no oracle finds anything', ...(failed.length === 0 ? [] : [failed.toSorted().join(', ')])].join('; ')
      return { holds: true, text }
    },
  }
}

const ENDS: ReadonlySet<string> = new Set(['ended', 'returned', 'signal', 'oops'])

const words = ({ isOracle }: Condition, held: boolean): string =>
  isOracle ? `is ${held ? '' : 'never '}violated` : held ? 'holds at some step' : 'never holds'

/** Does a condition ever hold? */
export function byCondition(condition: Condition): Judge {
  let held = false
  return {
    see: moment => void (held ||= condition.holds(moment)),
    verdict: () => ({ holds: held, text: `${condition.text} ${words(condition, held)}` }),
  }
}
