/** What the debugger keeps beside a log: never written over, never lost, and gone on with in another session. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Branch, Notes, openRecording, withStatement } from '../../src/inspect.ts'
import type { Said } from '../../src/cli/debug/command.ts'
import { execute } from '../../src/cli/debug/commands.ts'
import { Session } from '../../src/cli/debug/session.ts'
import { openRun } from '../../src/cli/open.ts'
import { LogFile } from '../../src/log/log-file.ts'
import { sealed } from '../log/sealed.ts'
import { cli, cliSuite, root, stale } from './command.ts'

const test = cliSuite('keeping')
const golden = join(root, 'test/fixtures/logs/race-v5.2.jsonl')

/** What a command says, however long it takes. */
function told(said: Said): string {
  if (!('next' in said)) return said.join('\n')
  for (;;) {
    const { done, value } = said.next(false)
    if (done === true) return value.join('\n')
  }
}

/** A session: what it prints. */
async function debug(folder: string, file: string, ...commands: readonly string[]): Promise<string> {
  writeFileSync(join(folder, 'commands'), commands.join('\n'))
  const { out, err } = await cli(folder, ['debug', file, '--commands', 'commands'])
  return out + err
}
const copied = (folder: string, name: string): string => {
  copyFileSync(golden, join(folder, name))
  return join(folder, name)
}

test('a branch that cannot be opened is told, and never written over', async ({ folder }) => {
  const early = `${copied(folder, 'a.jsonl')}.branch-early`
  await debug(folder, 'a.jsonl', 'goto 18', 'branch early', 'run')
  const altered = readFileSync(early, 'utf8').replace('by hand', 'by hend')
  writeFileSync(early, altered)
  copyFileSync(golden, join(folder, 'a.jsonl.branch-none'))
  writeFileSync(join(folder, 'a.jsonl.branch-junk'), 'hello\n')
  const out = await debug(folder, 'a.jsonl', 'branches', 'branch early', 'switch none', 'branch junk')
  assert.match(out, /steps\n(\? branch \w+ cannot be opened: .*\n){3}/)
  assert.match(out, / {2}early: cannot be opened: .*the header, its first line, is cut off or was changed/)
  assert.match(out, /\? there is a file a\.jsonl\.branch-early already, which is left as it is .*: take another name, or move it away/)
  assert.match(out, /\? branch 'none' cannot be opened: it is no branch\n/)
  assert.is(readFileSync(early, 'utf8'), altered)
})

test('a branch whose actors could not do what they are to do is told', async ({ folder }) => {
  const path = copied(folder, 'b.jsonl')
  const trunk = openRecording(path)
  const world = withStatement(trunk.system, trunk.world(18), 'cpu0', { do: 'madvise', mm: 'mm0', start: 16, end: 17, advice: 'no' })
  const departure = { name: 'b', trunk: trunk.log.id, system: trunk.system, spec: trunk.header.system, changed: ['cpu0: madvise 16 no'] }
  const lines: Buffer[] = []
  new Branch(trunk, 18, world, departure).write(bytes => void lines.push(Buffer.from(bytes)))
  writeFileSync(`${path}.branch-b`, Buffer.concat(lines))
  assert.match(await debug(folder, 'b.jsonl', 'switch b'), /\? branch 'b' cannot be opened: cpu0 is to do there what it cannot: .*"no"/)
})

test('a branch of an earlier session goes on where it ended, as if it had never stopped', async ({ folder }) => {
  for (const name of ['c', 'd']) copied(folder, `${name}.jsonl`)
  await debug(folder, 'c.jsonl', 'goto 18', 'branch early', 'run gpu0.range', 'run')
  await debug(folder, 'd.jsonl', 'goto 18', 'branch early', 'take gpu0.range 2', 'goto 20', 'branch inner', 'run')
  const out = await debug(folder, 'd.jsonl', 'switch early', 'take gpu0.range 4', 'run', 'compare inner')
  assert.match(out, /step 21 of 24 .*commit.*[^]*they part at\n {2}early: step 21 .*\n {2}inner: step 21 /)
  assert.equal(readFileSync(join(folder, 'd.jsonl.branch-early')), readFileSync(join(folder, 'c.jsonl.branch-early')))
  // A log that was cut off is not what it was: it stays.
  writeFileSync(join(folder, 'd.jsonl.branch-early'), readFileSync(join(folder, 'c.jsonl.branch-early')).subarray(0, -300))
  assert.match(
    await debug(folder, 'd.jsonl', 'switch early', 'run'),
    /\? d\.jsonl\.branch-early, line \d+: .* mirrorwalk repair makes it whole/,
  )
})

test('a branch is opened with what it leaves; alone, it says where it begins', async ({ folder }) => {
  copied(folder, 'e.jsonl')
  await debug(folder, 'e.jsonl', 'goto 18', 'branch early', 'run gpu0.range')
  copyFileSync(join(folder, 'e.jsonl.branch-early'), join(folder, 'alone.jsonl'))
  const out = await debug(folder, 'e.jsonl.branch-early', 'where', 'why 16', 'branch more', 'run')
  assert.match(out, /branch early, which leaves a log at step 18\n.*\nstep 18 of 24 .*\n[^]*written by step 9, cpu0 in store\(16, 42\)/)
  assert.match((await cli(folder, ['why', 'e.jsonl.branch-early.branch-more', '16'])).out, /written by step \d+, cpu0 in madvise/)
  assert.match(await debug(folder, 'alone.jsonl'), /branch early, which begins at step 18: what comes before .* does not stand beside it/)
})

test('a scenario that was changed does not take the notes and branches of its last log', async ({ folder }) => {
  const scenario = (value: number): string =>
    `import { scenario } from 'mirrorwalk'\nexport default scenario('s', ({ linux }) => {\n  const cpu = linux().thread()\n  cpu.write(cpu.mmap({ pages: 1 }), ${value})\n}, { profiles: ['v6.12'] })\n`
  const again = async (value: number, ...commands: readonly string[]): Promise<string> => {
    writeFileSync(join(folder, 's.ts'), scenario(value))
    return debug(folder, 's.ts', ...commands)
  }
  await again(1, 'goto 3', 'note mine', 'branch b', 'run')
  const [log, branch] = ['', '.branch-b'].map(end => readFileSync(join(folder, `logs/s-v6.12.jsonl${end}`)))
  assert.match(await again(1, 'notes'), /^s: \d+ steps\n.*\n {2}3 {2}note-1 {2}mine\n$/)
  const changed = await again(2, 'notes', 'branch b', 'note other')
  assert.match(changed, /^The log that was there before is kept as logs\/s-v6\.12-before\.jsonl, with its notes and branches\.\ns: /)
  assert.match(changed, /no bookmarks\n.*\nbranch b, which leaves at step 0/)
  assert.equal(
    [log, branch],
    ['', '.branch-b'].map(end => readFileSync(join(folder, `logs/s-v6.12-before.jsonl${end}`))),
  )
  assert.match(await debug(folder, 'logs/s-v6.12-before.jsonl', 'notes', 'branches'), /note-1 {2}mine\n.*\n.*\n {2}└─ b: leaves at 3/)
  writeFileSync(join(folder, 's.ts'), scenario(3))
  assert.match((await cli(folder, ['run', 's.ts'])).out, /kept as logs\/s-v6\.12-before2\.jsonl/)
  await debug(folder, 'logs/s-v6.12.jsonl', 'note again')
  assert.match((await cli(folder, ['explore', stale, '--profile', 'v5.2', '--log', 'logs/s-v6.12.jsonl'])).out, /kept as .*-before3\.jsonl/)
  assert.equal(
    readdirSync(join(folder, 'logs')).filter(name => name.endsWith('.part')),
    [],
  )
})

test('two sessions keep the notes of both', ({ folder }) => {
  const path = join(folder, 'two.notes')
  const [a, b] = [new Notes(path, 'x'), new Notes(path, 'x')]
  const names = [a.add(3, 'first'), b.add(5, 'second'), a.add(7, 'third', undefined, 'early')].map(note => note.name)
  assert.equal(names, ['note-1', 'note-2', 'note-3'])
  assert.ok(b.remove('note-1'))
  a.add(9, 'fourth')
  assert.equal(new Notes(path, 'x').list, [
    { name: 'note-2', step: 5, text: 'second' },
    { name: 'note-3', step: 7, text: 'third', branch: 'early' },
    { name: 'note-1', step: 9, text: 'fourth' },
  ])
})

test('what is no note, and no file, is not taken for one', async ({ folder }) => {
  const path = copied(folder, 'hostile.jsonl')
  const { id } = LogFile.open(path)
  const header = JSON.stringify({ 'mirrorwalk-notes': 1, log: id })
  for (const record of [
    'null',
    '5',
    '{}',
    '{"name":5,"step":1,"text":"x"}',
    '{"name":"x","step":1.5,"text":"x"}',
    '{"name":"x","step":1,"text":{}}',
    '{',
  ])
    for (const records of [[header, record], [record]]) {
      writeFileSync(`${path}.notes`, sealed(records))
      assert.throws(
        () => new Notes(`${path}.notes`, id),
        /(record \d is not what was written|these are notes of another log)\. Move it away/,
      )
    }
  const refused = await cli(folder, ['debug', 'hostile.jsonl', '--commands', '/dev/null'])
  assert.equal([refused.code, refused.err.split('\n').length], [3, 2], refused.err)
  rmSync(`${path}.notes`)
  // A pipe would be waited for, as long as nobody writes to it.
  for (const end of ['.notes', '.branch-x']) {
    execFileSync('mkfifo', [`${path}${end}`])
    const said = await cli(folder, ['debug', 'hostile.jsonl', '--commands', '/dev/null'])
    assert.match(said.out + said.err, /this is no file|it is a pipe/)
    rmSync(`${path}${end}`)
  }
})

test('notes of earlier versions with names that are steps are there by @', async ({ folder }) => {
  const id = openRecording(copied(folder, 'old.jsonl')).log.id
  new Notes(join(folder, 'old.jsonl.notes'), id).add(9, 'old', '3')
  const out = await debug(folder, 'old.jsonl', 'notes', 'goto 3', 'goto @3', 'unmark @3')
  assert.match(out, / {2}9 {2}@3 {2}old\n.*\nstep 3 of .*\n.*\nstep 9 of .*\n.*\nno bookmarks\n/)
})

test('where nothing can be written beside the log, one message says so, and the session goes on', async ({ folder }) => {
  mkdirSync(`${copied(folder, 'f.jsonl')}.notes`)
  mkdirSync(join(folder, 'f.jsonl.branch-b'))
  const out = await debug(folder, 'f.jsonl', 'goto 4', 'note x', 'notes', 'branch b', 'branch c', 'run 2')
  assert.match(out, /\? f\.jsonl\.notes: EISDIR: .*\. What is noted is kept until you leave\./)
  assert.match(out, /note note-1 at step 4\n\* not kept: f\.jsonl\.notes: EISDIR: .*\n.*\n {2}4 {2}note-1 {2}x\n/)
  assert.match(out, /\? there is a file f\.jsonl\.branch-b already[^]*step 6 of 6/)
})

test('a branch that another session has written meanwhile is left as that has it', async ({ folder }) => {
  copied(folder, 'g.jsonl')
  await debug(folder, 'g.jsonl', 'goto 18', 'branch early', 'run 2')
  const early = join(folder, 'g.jsonl.branch-early')
  const session = new Session(openRun(join(folder, 'g.jsonl')))
  execute(session, 'switch early')
  await debug(folder, 'g.jsonl', 'switch early', 'run 3')
  const theirs = readFileSync(early)
  assert.match(
    told(execute(session, 'run 1')),
    /\* not kept: .*branch-early was written meanwhile, by another session: it is left as it is/,
  )
  assert.equal(readFileSync(early), theirs)
  assert.match(told(execute(session, 'branch of-ours')), /\* branch early is not kept as it is here: a later session cannot open of-ours/)
})

test('a branch leaves what the step belongs to where it leaves: of a branch under another kernel, what that leaves', async ({ folder }) => {
  copied(folder, 'k.jsonl')
  const out = await debug(folder, 'k.jsonl', 'goto 18', 'branch a profile v6.12', 'run 3', 'goto 5', 'branch b', 'run 1', 'branches')
  assert.match(out, / {2}├─ a: leaves at 18, to step 21; the kernel is v6\.12\n\* └─ b: leaves at 5, to step 6\n/)
  await debug(folder, 'k.jsonl.branch-a', 'goto 5', 'branch b', 'run 1')
  const kernels = ['a', 'b', 'a.branch-b'].map(name => openRun(join(folder, `k.jsonl.branch-${name}`)).run.header.system)
  assert.equal(
    kernels.map(system => (system as { readonly profile: string }).profile),
    ['v6.12', 'v5.2', 'v5.2'],
  )
})

test('a branch of a branch is opened only if that still comes to where it leaves', async ({ folder }) => {
  copied(folder, 'l.jsonl')
  const w = join(folder, 'l.jsonl.branch-w')
  await debug(folder, 'l.jsonl', 'goto 18', 'branch z', 'do cpu0 munmap 16', 'run 3', 'branch w profile v5.5', 'do cpu0 munmap 17', 'run 2')
  assert.match(await debug(folder, 'l.jsonl', 'branches'), /└─ z: leaves at 18.*\n +└─ w: leaves at 21/)
  assert.is(openRun(w).run.first, 0)
  const another = async (...commands: readonly string[]): Promise<void> => {
    rmSync(join(folder, 'l.jsonl.branch-z'))
    await debug(folder, 'l.jsonl', 'goto 18', 'branch z', ...commands)
    const out = await debug(folder, 'l.jsonl', 'branches', 'switch w')
    assert.match(out, /\? branch 'w' cannot be opened: branch 'z' does not come to where it leaves it any more\n/)
    assert.is(openRun(w).run.first, 21)
  }
  await another('do cpu0 munmap 16', 'run gpu0.range', 'run')
  // What is still to be done there was not put into it by hand.
  await another('do cpu0 munmap 16', 'do cpu0 munmap 18', 'run 3')
})

test('the beginning of a branch stays as it is where another one leaves it', async ({ folder }) => {
  copied(folder, 'm.jsonl')
  const made = ['goto 18', 'branch c', 'do cpu0 munmap 16', 'branch d', 'do cpu0 madvise 16 dontneed', 'switch c']
  const out = await debug(folder, 'm.jsonl', ...made, 'do cpu0 mprotect 16 r', 'branch e', 'do cpu0 mprotect 16 r')
  assert.match(out, /\? branch 'd' leaves c as it begins here.*: branch NAME leaves it here, too[^]*\(e\) .*\ncpu0 is to mprotect 16 r\n/)
})

test('Ctrl-C stops a run without end, and what was taken is kept', async ({ folder }) => {
  await cli(folder, ['run', join(root, 'scenarios/races/endless-write-fault.ts'), '--profile', 'v5.2', '--log', 'h.jsonl'])
  writeFileSync(join(folder, 'commands'), ['goto 30', 'branch z', 'run 100000000', 'branches'].join('\n'))
  let since = Infinity
  const { out, code } = await cli(folder, ['debug', 'h.jsonl', '--commands', 'commands'], () => {
    if (existsSync(join(folder, 'h.jsonl.branch-z'))) since = Math.min(since, performance.now())
    return performance.now() > since + 500
  })
  const [, last] = /\* stopped here\n.*\n.*\n\* └─ z: leaves at 30, to step (\d+)\n$/.exec(out) ?? []
  assert.is(code, 0)
  assert.ok(Number(last) > 1000, out.slice(-500))
  assert.match((await cli(folder, ['last', 'h.jsonl.branch-z', '16'])).out, new RegExp(`of ${last} `))
})

test('a device under a kernel that faults where no area is dies with it, and the session does not', async ({ folder }) => {
  await cli(folder, ['run', join(root, 'scenarios/races/dma-in-flight.ts'), '--profile', 'v6.12', '--log', 'i.jsonl'])
  const out = await debug(folder, 'i.jsonl', 'goto 4', 'branch old profile v5.2', 'do gpu0.range fault 900', 'run', 'show gpu0.range.state')
  assert.match(out, /\* everybody is at rest\n.*\ngpu0\.range\.state: "dead"\n/)
})

test.run()
