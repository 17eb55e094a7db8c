/** `run` as its users meet it, where a run never ends, and where a kernel was built without something. */
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { cli, cliSuite, root } from './command.ts'

const test = cliSuite('configured')

test('run: a livelock is told as a circle, and ends its log', async ({ folder }) => {
  const endless = join(root, 'scenarios/races/endless-write-fault.ts')
  const { code, out, err } = await cli(folder, ['run', endless, '--kernel', 'v4.14', '--timeline', 'none'])
  assert.equal([code, err], [1, ''])
  assert.match(out, /✘ everybody comes to rest — at step 45: gpu0\.range in circles for ever/)
  assert.match(out, /\n {2}∞ steps 42 to 45, again and again: gpu0\.range hmm vma walk range, [^]*, and so on for ever\./)
  const { runs } = JSON.parse((await cli(folder, ['run', endless, '--kernel', 'v5.2', '--no-log', '--json'])).out)
  assert.equal(
    [runs[0].verdict, runs[0].ended.why, runs[0].ended.to - runs[0].ended.from],
    ['violated', 'livelock', runs[0].ended.circle.length],
  )
  const replayed = await cli(folder, ['replay', 'logs/endless-write-fault-v4.14.jsonl'])
  assert.is(replayed.code, 0, replayed.err)
})

test('run: a kernel that was built without something', async ({ folder }) => {
  const seed = join(root, 'scenarios/seeds/000-mixedmap.ts')
  const bare = 'v5.15,-pteSpecial,-zoneDevice,-devicePrivate'
  const { code, out } = await cli(folder, ['run', seed, '--kernel', bare, '--against', bare.replace('15', '16'), '--no-log'])
  assert.is(code, 0, out)
  assert.match(out, /\nThey part at step \d+, .*\n[^]*\nv5\.15,-pteSpecial,-zoneDevice,-devicePrivate {2}cpu0 /)
})

test.run()
