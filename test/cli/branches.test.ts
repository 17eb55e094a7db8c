/** Logs of branches, as the log tool has them: compared with what they leave, exported, asked, and cut off. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { cli, cliSuite, root } from './command.ts'

const test = cliSuite('branches')
const TRUNK = 'run.jsonl'
const [EARLY, OTHER, KERNEL] = ['early', 'other', 'kernel'].map(name => `${TRUNK}.branch-${name}`) as [string, string, string]

test.before(async ({ folder }) => {
  copyFileSync(join(root, 'test/fixtures/logs/race-v5.2.jsonl'), join(folder, TRUNK))
  const early = ['goto 18', 'branch early', 'run gpu0.range', 'run', 'switch trunk']
  const other = ['branch other', 'do cpu0 munmap 16', 'run', 'switch trunk']
  const commands = [...early, ...other, 'branch kernel profile v5.5', 'run']
  writeFileSync(join(folder, 'commands'), commands.join('\n'))
  assert.is((await cli(folder, ['debug', TRUNK, '--commands', 'commands'])).code, 0)
})

test('diff: another order of the same steps, from where the branch leaves; and the pair that flips the verdict', async ({ folder }) => {
  const { out, code } = await cli(folder, ['diff', TRUNK, EARLY])
  assert.is(code, 1)
  assert.match(out, /15 steps of 15 and 15 are common/)
  assert.match(out, /A: noStaleDeviceMapping is violated: .*\n {2}B: no oracle finds anything/)
  assert.match(
    out,
    /The order that flips the verdict: .*mm0\.hmm\n {2}A: 22 cpu0 tells mm0\.hmm that it begins, then 32 gpu0\.range unregisters/,
  )
})

test('diff: another operation, another kernel, and another branch: what was changed is said', async ({ folder }) => {
  const operation = await cli(folder, ['diff', TRUNK, OTHER])
  assert.match(operation.out, /No order of events need be the cause: in other, cpu0: munmap 16\./)
  assert.match(operation.out, /step 19 of A, 19 of B: madvise\(16, dontneed\) \/ munmap\(16\)/)
  assert.match((await cli(folder, ['diff', TRUNK, KERNEL])).out, /the kernel is v5\.5\.\n {2}A: noStaleDeviceMapping is violated/)
  assert.match((await cli(folder, ['diff', EARLY, OTHER])).out, /step 25 of A, 19 of B/)
})

test('diff: a branch of a branch is compared from where it really parts', async ({ folder }) => {
  writeFileSync(join(folder, 'commands'), ['switch early', 'goto 25', 'branch inner', 'run'].join('\n'))
  await cli(folder, ['debug', TRUNK, '--commands', 'commands'])
  const inner = `${TRUNK}.branch-inner`
  const [as, is] = [await cli(folder, ['diff', TRUNK, EARLY]), await cli(folder, ['diff', TRUNK, inner])]
  assert.is(is.out, as.out)
  assert.match((await cli(folder, ['diff', EARLY, inner])).out, /The runs are the same: 8 steps; step by step/)
  assert.match((await cli(folder, ['diff', OTHER, inner])).out, /the cause: in other, cpu0: munmap 16\./)
})

test('diff: states of a branch, before and behind where it leaves', async ({ folder }) => {
  assert.is((await cli(folder, ['diff', `${TRUNK}@18`, `${EARLY}@18`])).code, 0)
  assert.match((await cli(folder, ['diff', `${TRUNK}@20`, `${EARLY}@20`])).out, /gpu0\.range\.state: driver_lock → commit/)
})

test('bisect, log, why and last ask a branch, with what came before it', async ({ folder }) => {
  const { out, code } = await cli(folder, ['bisect', EARLY, 'gpu0.table.16', '>', '0', '--json'])
  const { turns } = JSON.parse(out) as { readonly turns: readonly { readonly step: number }[] }
  assert.equal([code, turns[0]?.step], [1, 21])
  assert.match((await cli(folder, ['log', EARLY, 'commit'])).out, /21 +maps on gpu0: 16 → #2 W/)
  assert.match((await cli(folder, ['why', EARLY, '16', '--at', '21'])).out, /written by step 9, cpu0 in store\(16, 42\)/)
  assert.match((await cli(folder, ['last', EARLY, '16', '--at', '20'])).out, /^step 9 of 33/)
})

test('exports begin where the branch does; an ITF trace comes back as the same log, and a test file passes', async ({ folder }) => {
  assert.match((await cli(folder, ['export', OTHER, '--as', 'mermaid'])).out, /munmap/)
  await cli(folder, ['export', OTHER, '--as', 'itf', '--output', 'other.itf.json'])
  await cli(folder, ['import', 'other.itf.json', '--output', 'again.jsonl'])
  assert.is(readFileSync(join(folder, 'again.jsonl'), 'utf8'), readFileSync(join(folder, OTHER), 'utf8'))
  await cli(folder, ['export', OTHER, '--as', 'uvu', '--output', 'other.test.ts'])
  symlinkSync(join(root, 'node_modules/uvu'), join(folder, 'node_modules/uvu'))
  const tsx = join(root, 'node_modules/tsx/dist/esm/index.mjs')
  const passed = spawnSync(process.execPath, ['--conditions=source', '--import', tsx, 'other.test.ts'], { cwd: folder, encoding: 'utf8' })
  assert.match(passed.stdout, /Passed: +1/)
  const scenario = await cli(folder, ['export', OTHER, '--as', 'scenario'])
  assert.is(scenario.code, 3)
  assert.match(scenario.err, /'other' is a branch, which was chosen by hand/)
})

test('a branch that was cut off is repaired; what was chosen by hand is not decided again', async ({ folder }) => {
  const cut = `${TRUNK}.branch-cut`
  const bytes = readFileSync(join(folder, EARLY))
  writeFileSync(join(folder, cut), bytes)
  truncateSync(join(folder, cut), bytes.length - 400)
  assert.is((await cli(folder, ['verify', cut])).code, 2)
  const redo = await cli(folder, ['repair', cut, '--redo'])
  assert.is(redo.code, 3)
  assert.match(redo.err, /'early' is a branch, which was chosen by hand/)
  assert.match((await cli(folder, ['repair', cut])).out, /The last whole step is \d+/)
  assert.is((await cli(folder, ['replay', cut])).code, 0)
})

test.run()
