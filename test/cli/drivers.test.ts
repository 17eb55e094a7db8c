/** Logs of a driver of one's own: read with the file that defines it, and without it told which one is missing. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { cli, cliSuite, root } from './command.ts'

const test = cliSuite('drivers')
const sketch = join(root, 'scenarios/drivers/fence-wait.ts')
const LOG = 'job.jsonl'

test('a log is decided again with --load, and says without it what to load', async ({ folder }) => {
  const found = await cli(folder, ['explore', sketch, '--variant', 'job-faults', '--log', LOG])
  assert.is(found.code, 1)
  assert.match(found.out, /✘ nobody is blocked for ever — after 23 steps: cpu0 waits for gpu0.*gpu0\.range waits for mm0\.registry/)
  const [blind, loaded, missing] = await Promise.all([
    cli(folder, ['replay', LOG]),
    cli(folder, ['replay', LOG, '--load', sketch]),
    cli(folder, ['replay', LOG, '--load', 'nothing.ts']),
  ])
  assert.equal([blind.code, blind.out], [3, ''])
  assert.match(blind.err, /^mirrorwalk: .*'driver:fence-wait-job-faults', a driver that nobody has defined: .*--load FILE/)
  assert.is(loaded.code, 0, loaded.err)
  assert.match(loaded.out, /23 steps decided again\n {2}✔ every record is the same/)
  assert.equal([missing.code, missing.out], [3, ''])
  assert.match(missing.err, /^mirrorwalk: nothing\.ts: no such file\./)
})

test('debug of its scenario needs nothing else', async ({ folder }) => {
  const commands = join(folder, 'commands')
  writeFileSync(commands, 'until by cpu0 and do invalidate\nlast gpu0.state\n')
  const { code, out, err } = await cli(folder, ['debug', sketch, '--commands', commands])
  assert.is(code, 0, err)
  assert.match(out, /cpu0: has gpu0 invalidate 16 \(invalidate\)\n/)
  assert.match(out, /"unlocked" → "waiting"/)
})

test.run()
