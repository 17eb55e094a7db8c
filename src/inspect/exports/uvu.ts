/** A run as a uvu test file: it reproduces the run from its choices, and holds it to what it came to. */
import { digestOf } from '../../log/records.ts'
import { AT_ANY_STEP } from '../../oracles/shipped.ts'
import { choiceRow, type Story } from './story.ts'

export function uvuTest(story: Story): string {
  const { header, system, steps, first } = story
  const choices = steps.map(({ record }) => choiceRow(record))
  const digest = digestOf(system, steps.at(-1)?.world ?? first)
  const { from } = header
  const comment = (text: string): string => text.replaceAll('*/', '* /')
  return `/** Exported by mirrorwalk ${comment(header.model)} from the log of '${comment(header.title)}': ${steps.length} steps. */
import { reproduce } from 'mirrorwalk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const system = ${JSON.stringify(header.system)}

/** Who acts, which of its offers it takes, and how many entries the step may cover (null: all). */
const choices = [
${choices.map(row => `  ${JSON.stringify(row)},`).join('\n')}
]
${from === undefined ? '' : `\n/** The branch '${comment(from.name)}': where it leaves its trunk. */\nconst from = ${JSON.stringify({ step: from.step, world: from.world })}\n`}
test(${JSON.stringify(header.title)}, () => {
  const { steps, findings, digest } = reproduce(system, choices${from === undefined ? '' : ', from'})
  assert.is(steps, ${steps.length})
  assert.equal(findings, ${JSON.stringify(findingsOf(story))})
  assert.is(digest, ${JSON.stringify(digest)})
})

test.run()
`
}

/** What oracles find on the way, and where first. */
export function findingsOf({
  system,
  steps,
}: Pick<Story, 'system' | 'steps'>): readonly { readonly oracle: string; readonly step: number; readonly why: string }[] {
  const names = system.actors.map(a => a.name)
  return Object.entries(AT_ANY_STEP).flatMap(([oracle, judge]) => {
    for (const { n, world } of steps) {
      const why = judge({ names, world })
      if (why !== undefined) return [{ oracle, step: n, why }]
    }
    return []
  })
}
