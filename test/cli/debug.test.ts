/**
 * `mirrorwalk debug`: sessions, which are transcripts in test/fixtures/debug. Each says how it is begun in its first line, and
 * then what was typed and what came of it, to the letter: they are documentation too.
 */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cli, cliOf, root } from './command.ts'

const sessions = join(root, 'test/fixtures/debug')
const goldens = join(root, 'test/fixtures/logs')

const inFolder = async (run: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-debug-'))
  try {
    await run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What is typed in a transcript: what stands behind a prompt. */
const typed = (text: string): readonly string[] => [...text.matchAll(/^\([\w-]+\) (.*)$/gm)].map(m => m[1] ?? '')

for (const name of readdirSync(sessions)) {
  test(`the session ${name}`, () =>
    inFolder(async folder => {
      const text = readFileSync(join(sessions, name), 'utf8')
      const [first = '', ...rest] = text.split('\n')
      const [, log = ''] = /^\$ mirrorwalk debug (\S+)$/.exec(first) ?? []
      copyFileSync(log.endsWith('.ts') ? join(root, log) : join(goldens, log), join(folder, log.split('/').at(-1) ?? ''))
      writeFileSync(join(folder, 'commands'), typed(text).join('\n'))
      const { out, code } = await cli(folder, ['debug', log, '--commands', 'commands'])
      assert.is(out, rest.join('\n'))
      assert.is(code, text.includes('\n? ') ? 3 : 0)
    }))
}

test('bookmarks and branches are there in the next session, and the log is as it was', () =>
  inFolder(async folder => {
    const log = join(folder, 'run.jsonl')
    copyFileSync(join(goldens, 'race-v5.2.jsonl'), log)
    const debug = async (...commands: readonly string[]): Promise<string> => {
      writeFileSync(join(folder, 'commands'), commands.join('\n'))
      return (await cli(folder, ['debug', 'run.jsonl', '--commands', 'commands'])).out
    }
    await debug('goto 18', 'bookmark walked what the walk found is old soon', 'branch early', 'run gpu0.range', 'run')
    const again = await debug('notes', 'goto walked', 'branches', 'switch early', 'goto end', 'compare')
    assert.match(again, / {2}18 {2}walked {2}what the walk found is old soon/)
    assert.match(again, /step 18 of 33/)
    assert.match(again, /└─ early: leaves at 18, to step 33/)
    assert.match(again, /they part at\n {2}early: step 19 .*\n {2}trunk: step 19/)
    assert.equal(readFileSync(log), readFileSync(join(goldens, 'race-v5.2.jsonl')))
    assert.is((await cli(folder, ['replay', 'run.jsonl.branch-early'])).code, 0)
    assert.is((await cli(folder, ['replay', '--fold', 'run.jsonl.branch-early'])).code, 0)
    // By itself it begins in the middle, where the page was mapped already.
    copyFileSync(join(folder, 'run.jsonl.branch-early'), join(folder, 'alone.jsonl'))
    writeFileSync(join(folder, 'commands'), 'goto 20\nlast 16\nwhy 16')
    const { out } = await cli(folder, ['debug', 'alone.jsonl', '--commands', 'commands'])
    assert.match(out, /\n16: #2 WDA, as it was where the log begins, at step 18\n/)
    assert.match(out, /\n {2}as it was where the log begins, at step 18\n {2}no device has mapped it since the log begins, at step 18\n/)
  }))

test('notes that were altered, or are of another log, are refused', () =>
  inFolder(async folder => {
    copyFileSync(join(goldens, 'race-v5.2.jsonl'), join(folder, 'run.jsonl'))
    writeFileSync(join(folder, 'commands'), 'goto 3\nbookmark here')
    await cli(folder, ['debug', 'run.jsonl', '--commands', 'commands'])
    const notes = join(folder, 'run.jsonl.notes')
    const text = readFileSync(notes, 'utf8')
    writeFileSync(notes, text.replace('"step":3', '"step":4'))
    const altered = await cli(folder, ['debug', 'run.jsonl', '--commands', 'commands'])
    assert.is(altered.code, 3)
    assert.match(altered.err, /run\.jsonl\.notes: record 2 is not what was written/)
    writeFileSync(notes, text)
    copyFileSync(join(goldens, 'stale-valid-v5.2.jsonl'), join(folder, 'run.jsonl'))
    assert.match((await cli(folder, ['debug', 'run.jsonl', '--commands', 'commands'])).err, /these are notes of another log/)
  }))

test('a scenario is run first; its log is kept', () =>
  inFolder(async folder => {
    writeFileSync(join(folder, 'commands'), 'until noStaleDeviceMapping')
    const { out, code } = await cli(folder, [
      'debug',
      join(root, 'scenarios/seeds/004-stale-valid.ts'),
      '--log',
      'x.jsonl',
      '--commands',
      'commands',
    ])
    assert.is(code, 0)
    assert.match(out, /gpu0 still maps page 16 to frame 2/)
    assert.ok(existsSync(join(folder, 'x.jsonl')))
  }))

test('as wide as COLUMNS says, where lines are broken between words', () =>
  inFolder(async folder => {
    copyFileSync(join(goldens, 'race-v5.2.jsonl'), join(folder, 'run.jsonl'))
    const commands = ['help', 'goto 30', 'show', 'why 16', 'last 16', 'list']
    writeFileSync(join(folder, 'commands'), commands.join('\n'))
    const args = ['debug', 'run.jsonl', '--commands', 'commands']
    const { out } = await cli(folder, args)
    assert.ok(out.includes('what this step changed; or what is not as it was at another; or so after every motion'))
    for (const columns of [40, 80, 120]) {
      const { out: narrow } = await cliOf(columns, folder, args)
      const lines = narrow.split('\n').slice(1)
      assert.equal(
        lines.filter(line => line.length > columns),
        [],
      )
      // Of 40 columns, tables stand in another form.
      if (columns > 40) assert.equal(narrow.split(/\s+/).toSorted(), out.split(/\s+/).toSorted())
    }
    const { out: why } = await cliOf(40, folder, ['why', 'run.jsonl', '16'])
    assert.match(why, /\n {2}→ gpu0 keeps a stale entry: it walked\n {6}at 17,/)
  }))

test('what is no log is refused with a message', () =>
  inFolder(async folder => {
    writeFileSync(join(folder, 'x'), 'hello\n')
    assert.match((await cli(folder, ['debug', 'x'])).err, /not an event log/)
    assert.match((await cli(folder, ['debug', 'y'])).err, /cannot be read/)
  }))

test('how a scenario is run is refused for a log, and a variant where there is none', () =>
  inFolder(async folder => {
    copyFileSync(join(goldens, 'race-v5.2.jsonl'), join(folder, 'run.jsonl'))
    const log = await cli(folder, ['debug', 'run.jsonl', '--profile', 'v5.2', '--seed', '0', '--commands', 'none'])
    assert.is(log.code, 3)
    assert.match(log.err, /^mirrorwalk: --profile, --seed: of a scenario; run\.jsonl is a log/)
    const stale = join(root, 'scenarios/seeds/004-stale-valid.ts')
    assert.match((await cli(folder, ['debug', stale, '--variant', 'q'])).err, /has no variant 'q'; it has none\n$/)
  }))

test('commands are read as editors of other systems write them', () =>
  inFolder(async folder => {
    copyFileSync(join(goldens, 'race-v5.2.jsonl'), join(folder, 'run.jsonl'))
    writeFileSync(join(folder, 'commands'), '\ufeffstep 2\r\nwhere\r\n\r\n')
    const { out, code } = await cli(folder, ['debug', 'run.jsonl', '--commands', 'commands'])
    assert.is(code, 0)
    assert.match(out, /\n\(mirrorwalk\) step 2\nstep 2 of 33 .*\n\(mirrorwalk\) where\nstep 2 of 33 .*\n$/)
  }))

test.run()
