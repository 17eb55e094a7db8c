/**
 * What a log does not say: the budget of a step that was not cut. Of every scenario, such a step comes to the same with any
 * budget; if a rule stops for its budget and does not say so, the run can never be decided again.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { recordOf } from '../../src/log/told.ts'
import type { Scenario } from '../../src/scenario/api.ts'
import { prepare, type LinuxEntry } from '../../src/scenario/run.ts'
import type { LinuxSystem } from '../../src/scenario/standard.ts'
import { step } from '../../src/system/step.ts'

const root = join(import.meta.dirname, '../../scenarios')
const STEPS = 2000

/** Does the step come to the same if it may go as far as it likes? */
function isWhole(system: LinuxSystem, entry: LinuxEntry): boolean {
  const again = step(system, entry.before, { ...entry.choice, budget: Infinity })
  const { n, cause } = entry
  return again.kind === 'stepped' && JSON.stringify(recordOf(system, { ...again, n, cause })) === JSON.stringify(recordOf(system, entry))
}

for (const kind of ['seeds', 'races', 'selftests', 'drivers'])
  test(kind, async () => {
    let whole = 0
    let cut = 0
    const silent: string[] = []
    for (const name of readdirSync(join(root, kind)).filter(file => file.endsWith('.ts'))) {
      const scenario = ((await import(pathToFileURL(join(root, kind, name)).href)) as { readonly default?: Scenario }).default
      for (const variant of scenario?.variants ?? [])
        for (const profile of new Set([scenario?.profiles[0] ?? '', scenario?.profiles.at(-1) ?? ''])) {
          const built = scenario?.build(profile, variant)
          if (built === undefined) continue
          const run = prepare(built, { steps: STEPS })
          run.entries$.subscribe(entry => {
            if (entry.cut) cut++
            else if (isWhole(run.system, entry)) whole++
            else silent.push(`${name} ${variant} ${profile}: step ${entry.n}, ${entry.do}`)
          })
          while (run.advance() === undefined);
        }
    }
    assert.equal(silent, [])
    assert.ok(whole > 200 && (cut > 0 || kind === 'drivers'), `${whole} and ${cut}`)
  })

test.run()
