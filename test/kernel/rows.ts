/** Tests that speak for rows of a table of facts: a small scenario on one kernel, and what came of it. */
import * as assert from 'uvu/assert'
import { prepare, runScenario, type Report, type RunOptions } from '../../src/scenario/run.ts'
import type { View } from '../../src/scenario/view.ts'
import { scenario } from '../../src/scenario/scenario.ts'
import type { ScenarioContext } from '../../src/scenario/api.ts'
import { advance, type Work } from '../../src/kernel/advance.ts'
import type { Agenda } from '../../src/kernel/agenda.ts'
import type { Call } from '../../src/kernel/offer.ts'
import { profileNamed, type Profile } from '../../src/kernel/profiles.ts'
import { kernelOf } from '../../src/kernel/rules.ts'
import { REST } from '../../src/kernel/thread.ts'
import { fold } from '../../src/memory/fold.ts'
import type { Memory } from '../../src/memory/memory.ts'

/** Flags of a page of a device's array. */
export const [NONE, READ, WRITE, ERROR, SPECIAL] = [0, 1, 3, 4, 8]

/** Runs it; every expectation must come true. */
export function row(profile: string, build: (context: ScenarioContext) => void, options: RunOptions = {}): Report {
  const report = runScenario(scenario('a row', build).build(profile), options)
  assert.equal(
    report.verdicts.filter(v => v.holds !== true),
    [],
    profile,
  )
  return report
}

/** The context of an actor, of which no more is said than that it may be so. */
export const contextIn = <C>({ names, world }: View, name: string): Partial<C> => world.actors[names.indexOf(name)]?.context ?? {}

/** What an actor did, step by step, with the facts of page maps in between. */
export function told(profile: string, by: string, build: (context: ScenarioContext) => void): readonly string[] {
  const run = prepare(scenario('a row', build).build(profile))
  const does: string[] = []
  run.entries$.subscribe(entry => {
    if (entry.choice.by !== by) return
    does.push(entry.do)
    for (const fact of entry.facts) if (fact[0] === 'pagemap') does.push(`${fact[1]} ${fact[2] > 0 ? '+' : ''}${fact[2]}`)
  })
  while (run.advance() === undefined) continue
  return does
}

/** The memory that a scenario leaves. */
export function memoryAfter(profile: string, build: (context: ScenarioContext) => void): Memory {
  const run = prepare(scenario('a row', build).build(profile))
  while (run.advance() === undefined) continue
  return run.live.world.memory
}

/** A kernel of a profile, with some of its switches set otherwise. */
export function profileWith(name: string, set: Partial<Profile> = {}): Profile {
  const profile = profileNamed(name)
  if (profile === undefined) throw new Error(`no profile '${name}'`)
  return { ...profile, ...set }
}

/** What an agenda comes to over some memory, where calls are answered by `reply`. */
export function work(
  profile: Profile,
  memory: Memory,
  agenda: Agenda,
  reply: (call: Call) => unknown,
): { readonly after: Work; readonly memory: Memory } {
  let now: Work = { ...REST, agenda }
  let before = memory
  for (let steps = 0; steps < 10_000; steps++) {
    const next = advance(kernelOf(profile), before, now, Infinity)
    if (!('item' in next)) return { after: next, memory: before }
    before = fold(before, next.facts)
    now = next.after(next.calls.map(call => (typeof call === 'function' ? undefined : reply(call))))
  }
  throw new Error(`'${now.agenda[0]?.do ?? ''}' goes on for ever`)
}
