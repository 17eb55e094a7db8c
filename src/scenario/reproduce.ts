/** A run made again from its choices, and held to each step that was recorded: what exported test files call. */
import { digestOf, markOf, worldOf } from '../log/records.ts'
import { revived } from '../log/values.ts'
import { Findings, type Finding } from '../oracles/findings.ts'
import { step } from '../system/step.ts'
import { initialWorld } from '../system/world.ts'
import { linuxSystem, type SystemSpec } from './standard.ts'

/** What a run came to that was made again. */
export interface Reproduced {
  readonly steps: number
  /** What the oracles found at any step, each where it first did. */
  readonly findings: readonly Finding[]
  /** SHA-256 of the world at the end. */
  readonly digest: string
}

/**
 * Makes a run again from its choices: who acts, which of its offers it takes, and how far (null: as far as it goes); then,
 * if it is known, what the step does, and its mark. `from`: where a branch begins. Throws at the first step that cannot be
 * taken, or is not the one that was recorded.
 */
export function reproduce(
  system: unknown,
  choices: readonly (readonly (string | number | null)[])[],
  from?: { readonly step: number; readonly world: unknown },
): Reproduced {
  const linux = linuxSystem(revived(system) as SystemSpec)
  const findings = new Findings(linux.actors.map(a => a.name))
  const first = from?.step ?? 0
  let world = from === undefined ? initialWorld(linux) : worldOf(linux, from.world)
  for (const [i, [by, offer, budget, what, mark]] of choices.entries()) {
    const outcome = step(linux, world, { by: String(by), offer: Number(offer), budget: budget === null ? Infinity : Number(budget) })
    const where = `step ${first + i + 1}: ${String(by)}`
    if (outcome.kind !== 'stepped') throw new Error(`${where} can no longer act: ${outcome.kind}`)
    if (what !== undefined && outcome.do !== what) throw new Error(`${where} does ${outcome.do}, not ${String(what)} as it was recorded`)
    if (mark !== undefined && markOf(world, outcome) !== mark)
      throw new Error(`${where} does ${outcome.do}, and other things come of it than were recorded`)
    world = outcome.world
    findings.see(first + i + 1, world)
  }
  return { steps: choices.length, findings: findings.list, digest: digestOf(linux, world) }
}
