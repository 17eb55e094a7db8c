/** A run as a uvu test file: it reproduces the run from its choices, and holds it to what it came to. */
import { digestOf, markOf } from '../../log/records.ts'
import { Findings, type Finding } from '../../oracles/findings.ts'
import type { LinuxSystem, LinuxWorld } from '../linux.ts'
import { choiceRow, type Story } from './story.ts'

export function uvuTest(story: Story): string {
  const { header, system, steps, first } = story
  const rows = steps.map(step => [...choiceRow(step.record), step.do, markOf(step.before, step)])
  const digest = digestOf(system, steps.at(-1)?.world ?? first)
  const { from } = header
  const comment = (text: string): string => text.replaceAll('*/', '* /')
  return `/** Exported by mirrorwalk ${comment(header.model)} from the log of '${comment(header.title)}': ${steps.length} steps. */
import { reproduce } from 'mirrorwalk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const system = ${JSON.stringify(header.system)}

/** Who acts, which of its offers it takes, how many entries the step may cover (null: all); what it does, and what that comes to. */
const steps = [
${rows.map(row => `  ${JSON.stringify(row)},`).join('\n')}
]
${from === undefined ? '' : `\n/** The branch '${comment(from.name)}': where it leaves its trunk. */\nconst from = ${JSON.stringify({ step: from.step, world: from.world })}\n`}
test(${JSON.stringify(header.title)}, () => {
  const { findings, digest } = reproduce(system, steps${from === undefined ? '' : ', from'})
  assert.equal(findings, ${JSON.stringify(findingsOf(story))})
  assert.is(digest, ${JSON.stringify(digest)})
})

test.run()
`
}

/** What oracles find on the way, and where first. */
export function findingsOf(run: {
  readonly system: LinuxSystem
  readonly steps: Iterable<{ readonly n: number; readonly world: LinuxWorld }>
}): readonly Finding[] {
  const findings = new Findings(run.system.actors.map(a => a.name))
  for (const { n, world } of run.steps) findings.see(n, world)
  return findings.list
}
