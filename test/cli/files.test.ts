/** Files that commands read and write: nothing that was there is lost, and what cannot be is said in one message. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { cli, cliSuite, root, stale } from './command.ts'

const test = cliSuite('files')
const LOG = 'whole.jsonl'

test.before(async ({ folder }) => {
  await cli(folder, ['run', stale, '--profile', 'v5.2', '--log', LOG])
})

test('repair and upcast keep what they replace, whatever it is called', async ({ folder }) => {
  const [whole, old] = [readFileSync(join(folder, LOG)), readFileSync(join(root, 'test/fixtures/logs/race-v5.2.jsonl'))]
  for (const [name, output] of [
    ['a', './a.jsonl'],
    ['b', join(folder, 'b.jsonl')],
    ['c', 'link.jsonl'],
  ] as const) {
    const path = join(folder, `${name}.jsonl`)
    writeFileSync(path, whole.subarray(0, 4000))
    if (name === 'c') symlinkSync('c.jsonl', join(folder, output))
    const { code, out } = await cli(folder, ['repair', `${name}.jsonl`, '--output', output])
    assert.equal([code, out.includes(`${name}.jsonl.damaged`)], [0, true], out)
    assert.equal(readFileSync(`${path}.damaged`), whole.subarray(0, 4000))
    assert.is((await cli(folder, ['verify', `${name}.jsonl`])).code, 0)
  }
  writeFileSync(join(folder, 'old.jsonl'), old)
  assert.is((await cli(folder, ['upcast', 'old.jsonl', '--output', './old.jsonl'])).code, 0)
  assert.equal(readFileSync(join(folder, 'old.jsonl.format-1')), old)
  assert.equal(
    readdirSync(folder).filter(name => name.endsWith('.part')),
    [],
  )
})

test('a log that was brought up to this format is replayed as it was, and is no other', async ({ folder }) => {
  const fixtures = join(root, 'test/fixtures/logs')
  for (const [i, name] of ['race-v5.2.jsonl', 'format-1/stale-valid-v5.2.jsonl', 'format-2/fault-against-munmap-v6.12.jsonl'].entries()) {
    const now = `now-${i}.jsonl`
    await cli(folder, ['upcast', join(fixtures, name), '--output', now])
    const [replayed, same] = await Promise.all([cli(folder, ['replay', now]), cli(folder, ['diff', join(fixtures, name), now])])
    assert.equal([replayed.code, same.code], [0, 0], `${name}: ${replayed.out}${same.out}`)
  }
})

test('what a log was cut off of is told where it counts', async ({ folder }) => {
  writeFileSync(join(folder, 'part.jsonl'), readFileSync(join(folder, LOG)).subarray(0, 4000))
  const codes = []
  for (const args of [
    ['last', 'part.jsonl', '16'],
    ['why', 'part.jsonl', '16'],
    ['last', 'part.jsonl', '16', '--at', '9'],
    ['why', 'part.jsonl', '16', '--at', '9'],
  ]) {
    const { code, err } = await cli(folder, args)
    codes.push(code)
    assert.is(/part\.jsonl, line \d+: the log was cut off/.test(err), code === 2, args.join(' '))
  }
  assert.equal(codes, [2, 2, 0, 0])
})

test('notes and branches go with a log that is brought up to this format', async ({ folder }) => {
  copyFileSync(join(root, 'test/fixtures/logs/race-v5.2.jsonl'), join(folder, 'kept.jsonl'))
  const debug = async (...commands: readonly string[]): Promise<string> => {
    writeFileSync(join(folder, 'commands'), commands.join('\n'))
    return (await cli(folder, ['debug', 'kept.jsonl', '--commands', 'commands'])).out
  }
  await debug('goto 9', 'note mine', 'branch b', 'take gpu0.range 3', 'branch c', 'run')
  const told = ['notes', 'branches', 'switch b', 'switch c']
  const before = await debug(...told)
  assert.match(before, /mine[^]*b: leaves at 9[^]*c: leaves at 12/)
  assert.is((await cli(folder, ['upcast', 'kept.jsonl'])).code, 0)
  assert.is(await debug(...told), before)
  for (const path of ['kept.jsonl', 'kept.jsonl.branch-b', 'kept.jsonl.branch-c', 'kept.jsonl.format-1', 'kept.jsonl.format-1.branch-c'])
    assert.is((await cli(folder, ['verify', path])).code, 0, path)
})

test('what is read is never written over', async ({ folder }) => {
  const whole = readFileSync(join(folder, LOG))
  const same = await cli(folder, ['export', LOG, '--as', 'mermaid', '--output', `./${LOG}`])
  assert.equal([same.code, same.err], [3, `mirrorwalk: ./${LOG} is what is read: writing it would destroy it. Expected another file\n`])
  assert.is((await cli(folder, ['export', LOG, '--as', 'itf', '--output', 'whole.itf.json'])).code, 0)
  const there = await cli(folder, ['import', 'whole.itf.json'])
  assert.equal([there.code, /^mirrorwalk: whole\.jsonl is there already, .* --output FILE\n$/.test(there.err)], [3, true], there.err)
  assert.is((await cli(folder, ['import', 'whole.itf.json', '--output', 'whole.itf.json'])).code, 3)
  assert.equal(readFileSync(join(folder, LOG)), whole)
})

test('a file that cannot be read, or written, is one message', async ({ folder }) => {
  mkdirSync(join(folder, 'dir'))
  for (const verb of ['verify', 'log', 'repair', 'upcast', 'replay', 'debug', 'last', 'import', 'diff'])
    for (const path of ['dir', '/dev/null', 'none.jsonl']) {
      const args = verb === 'last' ? [verb, path, '16'] : verb === 'diff' ? [verb, path, LOG] : [verb, path]
      const { code, err } = await cli(folder, args)
      assert.is(code, 3, `${args.join(' ')}: ${err}`)
      assert.match(err, /^mirrorwalk: \S+: (cannot be read: .*|empty\. .*|not JSON: .*)\n$/, args.join(' '))
    }
  for (const output of ['dir', 'dir/none/x', '/dev/full']) {
    const { code, err } = await cli(folder, ['export', LOG, '--as', 'dot', '--output', output])
    assert.is(code, 3, err)
    assert.match(err, new RegExp(`^mirrorwalk: ${output}: (cannot be written: .*|a folder\\. .*)\\n$`))
  }
})

test('runs of one command have logs of their own', async ({ folder }) => {
  const { out } = await cli(folder, ['run', stale, '--log', 'each.jsonl', '--json'])
  const logs = (JSON.parse(out) as { readonly runs: readonly { readonly log: string }[] }).runs.map(run => run.log)
  assert.ok(logs.length > 1)
  assert.is(new Set(logs).size, logs.length)
  for (const log of logs) assert.ok(existsSync(join(folder, log)), log)
  assert.not(existsSync(join(folder, 'each.jsonl')))
})

test('a disk that is full is no defect', async ({ folder }) => {
  if (!existsSync('/dev/full')) return
  const full = openSync('/dev/full', 'w')
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'dist/src/cli/main.js'), 'log', LOG], {
    cwd: folder,
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  })
  closeSync(full)
  assert.equal([status, /^mirrorwalk: the output cannot be written: ENOSPC.*\n$/.test(stderr)], [3, true], stderr)
})

test.run()
