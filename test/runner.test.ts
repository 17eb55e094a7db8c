/** The runner itself: each trap has to be caught, and the one good file to pass. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runFile } from './run.ts'

const folder = join(import.meta.dirname, 'fixtures/traps')
const reasons: Readonly<Record<string, RegExp>> = {
  'no-run': /no test ran/,
  'before-throws': /did not pass|no test ran/,
  'after-each-throws': /did not pass|exit code/,
  only: /skipped/,
  skip: /skipped/,
  hangs: /not done after/,
  fails: /exit code 1/,
  throws: /exit code 1/,
  'exits-early': /exit code 1/,
}

test('there is a trap for each reason, and a reason for each trap', () => {
  const traps = readdirSync(folder)
    .filter(name => name.endsWith('.trap.ts'))
    .map(name => name.replace('.trap.ts', ''))
  assert.equal(traps.filter(name => name !== 'good').toSorted(), Object.keys(reasons).toSorted())
})

for (const [name, why] of Object.entries(reasons)) {
  test(`catches ${name}`, async () => {
    const outcome = await runFile(join(folder, `${name}.trap.ts`), 4000)
    assert.is(outcome.passed, false)
    assert.match(outcome.why, why)
  })
}

test('passes a good file', async () => {
  const outcome = await runFile(join(folder, 'good.trap.ts'))
  assert.is(outcome.why, '')
  assert.is(outcome.tests, 1)
})

test.run()
