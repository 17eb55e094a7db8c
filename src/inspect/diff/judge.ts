/** Verdicts on runs, to compare them by: what the shipped oracles find on the way, and what operations answer. */
import { AT_ANY_STEP } from '../../oracles/shipped.ts'
import type { Condition } from '../query/condition.ts'
import type { LinuxSystem } from '../linux.ts'
import type { Judge } from './guilty.ts'

/** Which oracles find something at any step; if that is the same, what operations answered counts. */
export function byOracles(system: LinuxSystem): Judge {
  const names = system.actors.map(a => a.name)
  const found = new Map<string, string>()
  const answers = new Map<string, unknown[]>()
  return {
    see({ world, step: { by, event } }) {
      const { err, ret, sig } = event
      if (ENDS.has(event.type)) answers.set(by, [...(answers.get(by) ?? []), err ?? sig ?? ret ?? 0])
      for (const [name, oracle] of Object.entries(AT_ANY_STEP)) {
        if (found.has(name)) continue
        const why = oracle({ names, world })
        if (why !== undefined) found.set(name, why)
      }
    },
    verdict() {
      const violated = Object.keys(AT_ANY_STEP)
        .filter(name => found.has(name))
        .map(name => `${name} is violated: ${found.get(name)}`)
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
