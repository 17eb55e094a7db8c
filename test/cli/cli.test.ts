/** The command line as its users meet it: what it prints, where it writes, and its exit codes. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { profileNames } from '../../src/kernel/profiles.ts'
import { cli, cliSuite, root, stale } from './command.ts'

const recordings = join(root, 'test/fixtures/recordings')

const test = cliSuite('cli')

test('--help is everywhere, and says what there is', async ({ folder }) => {
  const all = await cli(folder, ['--help'])
  assert.is(all.code, 0)
  for (const verb of ['run', 'replay', 'log', 'conform', 'profiles', 'tour']) assert.match(all.out, new RegExp(`^  ${verb} `, 'm'))
  assert.match(all.out, /Exit codes: 0 holds, 1 violated, 2 unknown \(cut short\), 3 the command was not understood/)
  for (const verb of ['run', 'replay', 'log', 'conform', 'profiles']) {
    const help = await cli(folder, [verb, '--help'])
    assert.is(help.code, 0)
    assert.match(help.out, /--json/)
  }
})

test('run: verdicts first, then the timeline, the log, and how to do it again', async ({ folder }) => {
  const { code, out, err } = await cli(folder, ['run', stale, '--profile', 'v5.2'])
  assert.equal([code, err], [0, ''])
  const lines = out.split('\n')
  assert.match(lines[0] ?? '', /^seed 004: a valid flag forgets an invalidation {2}kernel profile v5\.2$/)
  assert.match(
    lines[1] ?? '',
    /^ {2}✔ the device keeps a stale page — at step 30: gpu0 still maps page 16 to frame 2, where the process has nothing$/,
  )
  assert.match(out, /^30 .* maps on gpu0: 16 → #2 W\n {4}! gpu0 still maps page 16/m)
  assert.match(out, /33 steps, all done\. Log: logs\/004-stale-valid-v5\.2\.jsonl\nagain: npx mirrorwalk run .* --profile v5\.2\n/)
  assert.is(readFileSync(join(folder, 'logs/004-stale-valid-v5.2.jsonl'), 'utf8').trimEnd().split('\n').length, 35)
})

test('run: both sides of a seed, as JSON', async ({ folder }) => {
  const { code, out } = await cli(folder, ['run', stale, '--json', '--no-log'])
  const { scenario, runs } = JSON.parse(out)
  assert.equal(
    [
      code,
      scenario,
      runs.map((r: { readonly profile: string; readonly verdict: string; readonly log: null }) => [r.profile, r.verdict, r.log]),
    ],
    [
      0,
      'seed 004: a valid flag forgets an invalidation',
      [
        ['v5.2', 'holds', null],
        ['v5.5-pre', 'holds', null],
        ['v5.5', 'holds', null],
        ['v6.12', 'holds', null],
      ],
    ],
  )
})

test('run: --kernel is --profile', async ({ folder }) => {
  const { code, out } = await cli(folder, ['run', stale, '--kernel', 'v6.1', '--no-log', '--json'])
  assert.equal([code, JSON.parse(out).runs.map((r: { readonly profile: string }) => r.profile)], [0, ['v6.1']])
})

test('run: a violated scenario exits 1, one cut short 2', async ({ folder }) => {
  writeFileSync(
    join(folder, 'wrong.ts'),
    `import { scenario } from 'mirrorwalk'
     export default scenario('wrong', ({ linux, expect }) => {
       const cpu = linux().thread()
       const buf = cpu.mmap({ pages: 1 })
       expect.returns(cpu.read(buf), [7])
     })`,
  )
  const violated = await cli(folder, ['run', 'wrong.ts'])
  assert.is(violated.code, 1)
  assert.match(violated.out, /✘ cpu0, 2: read answers \[7\] — it answers \[0\]/)
  const cut = await cli(folder, ['run', 'wrong.ts', '--steps', '2', '--timeline', 'none'])
  assert.is(cut.code, 2)
  assert.match(cut.out, /\? cpu0, 2: read answers \[7\] — it has not answered[^]*2 steps, cut short\./)
})

test('run: mistakes in a scenario are told by file and line, without a stack', async ({ folder }) => {
  const files: readonly (readonly [string, string, RegExp])[] = [
    ['syntax.ts', 'export default scenario(', /^mirrorwalk: syntax\.ts: cannot be loaded: /],
    [
      'nothing.ts',
      'export const x = 1',
      /^mirrorwalk: nothing\.ts: its default export is no scenario\. Expected: export default scenario\(/,
    ],
    [
      'throws.ts',
      `import { scenario } from 'mirrorwalk'\nexport default scenario('t', ({ linux }) => {\n  linux().thread().mmap({ pages: 0 })\n})`,
      /^mirrorwalk: throws\.ts: scenario 't': expected a whole number of pages to map, got 0 \(line 3\)\n$/,
    ],
    ['absent.ts', '', /^mirrorwalk: absent\.ts: no such file\. Expected a scenario/],
  ]
  for (const [name, text, message] of files) {
    if (text !== '') writeFileSync(join(folder, name), text)
    const { code, out, err } = await cli(folder, ['run', name])
    assert.equal([code, out], [3, ''], name)
    assert.match(err, message)
    assert.not.match(err, /\n\s+at /)
  }
})

test('flags that make no sense are told', async ({ folder }) => {
  for (const [args, message] of [
    [['run', stale, '--profile', 'v1'], /^mirrorwalk: .*no kernel profile 'v1'; there are v4\.4, v4\.5, .*v6\.12, v7\.1/],
    [['profiles', 'v6.1'], /^mirrorwalk: one kernel has no differences: name two of v4\.4, v4\.5, .*v6\.12, v7\.1, or none/],
    [['profiles', 'v6.1', 'v1'], /^mirrorwalk: no kernel profile 'v1'; there are v4\.4, v4\.5, .*v6\.12, v7\.1/],
    [
      ['run', stale, '--kernel', 'v6.1,-zoneDevice'],
      /^mirrorwalk: .*no kernel can be built as 'v6\.1,-zoneDevice': DEVICE_PRIVATE depends on/,
    ],
    [['profiles', 'v6.1', 'v6.1,-dax'], /^mirrorwalk: '-dax' in 'v6\.1,-dax' is nothing that can be left out of a kernel; there are -thp/],
    [['run', stale, '--kernel', 'v6.1', '--against', 'v6.1,-zoneDevice'], /^mirrorwalk: no kernel can be built as/],
    [['run', stale, '--against', 'v6.1'], /^mirrorwalk: --against v6\.1 compares two kernels: name the other with --kernel/],
    [['run', stale, '--kernel', 'v6.1', '--against', 'v6.1'], /^mirrorwalk: --against v6\.1: that is the same kernel/],
    [['run', stale, '--kernel', 'v6.1', '--against', 'v1'], /^mirrorwalk: no kernel profile 'v1'; there are v4\.4, v4\.5, .*v6\.12, v7\.1/],
    [
      ['run', stale, '--kernel', 'v6.1', '--against', 'v6.12', '--log', 'x'],
      /^mirrorwalk: --log names one file, and --against makes two runs/,
    ],
    [['run', stale, '--kernel', 'v6.1', '--against', 'v6.12', '--timeline', 'all'], /^mirrorwalk: --against prints no timelines/],
    [['run', stale, '--seed', 'x'], /--seed <n>' argument 'x' is invalid\. Expected a whole number/],
    [['run', stale, '--log', '/dev/null/log.jsonl'], /^mirrorwalk: \/dev\/null\/log\S*\.jsonl: the log cannot be written there/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['conform', '/nowhere'], /^mirrorwalk: \/nowhere: no such file or folder\. Give recordings/],
    [['conform', recordings, '--level', 'deep'], /^mirrorwalk: no level 'deep'; there are result, pfns, events, tables, bits/],
    [['conform', recordings, '--kernel', '9.9'], /^mirrorwalk: no program matches: look at --kernel and --family/],
    [['replay', stale], /^mirrorwalk: .*: not an event log\. Expected a first line/],
    [['log', 'absent.jsonl'], /^mirrorwalk: absent\.jsonl: cannot be read: .*ENOENT/],
  ] as const) {
    const { code, out, err } = await cli(folder, args)
    assert.equal([code, out], [3, ''], args.join(' '))
    assert.match(err, message)
    assert.not.match(err, /\n\s+at /)
  }
})

test('replay: the same, damaged, or different', async ({ folder }) => {
  await cli(folder, ['run', stale, '--profile', 'v6.12', '--log', 'good.jsonl', '--timeline', 'none'])
  const good = await cli(folder, ['replay', 'good.jsonl'])
  assert.is(good.code, 0)
  assert.match(
    good.out,
    /40 steps decided again\n {2}✔ every record is the same, and so is the world they lead to; the run ended with everybody at rest/,
  )
  const fold = await cli(folder, ['replay', 'good.jsonl', '--fold', '--json'])
  assert.equal(
    [fold.code, JSON.parse(fold.out)],
    [0, { log: 'good.jsonl', way: 'fold', same: true, steps: 40, end: 'at rest', difference: null, damage: null }],
  )

  const text = readFileSync(join(folder, 'good.jsonl'), 'utf8')
  writeFileSync(join(folder, 'torn.jsonl'), text.slice(0, 3000))
  const torn = await cli(folder, ['replay', 'torn.jsonl'])
  assert.is(torn.code, 2)
  assert.match(
    torn.out,
    /\? torn\.jsonl, line \d+: the log was cut off in the middle of this record\. What stands before it is sound: \d+ steps\./,
  )

  writeFileSync(join(folder, 'other.jsonl'), text.replace('"k":"', '"k":"X'))
  assert.is((await cli(folder, ['replay', 'other.jsonl'])).code, 3)
})

test('log: filters by actor, type, page and steps', async ({ folder }) => {
  await cli(folder, ['run', stale, '--profile', 'v5.2', '--log', 'log.jsonl', '--timeline', 'none'])
  const steps = async (...args: readonly string[]): Promise<readonly number[]> => {
    const { code, out } = await cli(folder, ['log', 'log.jsonl', '--json', ...args])
    assert.is(code, 0)
    return out
      .trimEnd()
      .split('\n')
      .filter(l => l !== '')
      .map(l => (JSON.parse(l) as { readonly n: number }).n)
  }
  assert.is((await steps()).length, 33)
  assert.equal(await steps('--type', 'commit'), [30])
  assert.equal(await steps('--actor', 'gpu0'), [23, 28, 30, 31])
  // Page 17 was never touched, though the tables that it would hang in were made.
  assert.equal(await steps('--page', '17'), [])
  assert.equal(await steps('--page', '16', '--from', '20', '--to', '26'), [20, 21, 22, 23, 24, 25, 26])
  assert.equal(await steps('--type', 'driver_lock', '--type', 'driver_unlock', '--to', '30'), [28])
  const printed = await cli(folder, ['log', 'log.jsonl', '--type', 'commit'])
  assert.match(printed.out, /30 .*maps on gpu0: 16 → #2 W\n\n1 step of 33; the run ended with everybody at rest\./)
})

test('conform: one object, with everything in it', async ({ folder }) => {
  const { code, out } = await cli(folder, ['conform', join(recordings, 'linux-6.12/notifier.jsonl.gz'), '--json'])
  assert.is(code, 0)
  const sums = JSON.parse(out)
  assert.equal(Object.keys(sums), ['programs', 'conforming', 'steps', 'agreeing', 'byKernel', 'failures'])
  const { byFamily, ...kernel } = sums.byKernel['6.12']
  assert.equal(Object.keys(kernel), ['programs', 'conforming', 'steps', 'agreeing', 'byLevel'])
  assert.equal(byFamily.notifier, kernel)
  const n = sums.programs
  assert.ok(n >= 20)
  assert.equal([kernel.conforming, kernel.byLevel, sums.failures], [n, { result: n, pfns: n, events: n, tables: n, bits: n }, []])
})

test('conform: a difference is printed as kernel and model, and exits 1', async ({ folder }) => {
  const step = { op: 'mmap 0 4 anon rw p', res: { ret: 0 }, obs: { 0: { ev: [], pt: [[0, 4, 0, 'none']] } } }
  const wrong = { op: 'munmap 0 4', res: { ret: 5 }, obs: { 0: { ev: [], pt: [] } } }
  writeFileSync(join(folder, 'r.jsonl'), `${JSON.stringify({ program: 'anon-w', kernel: '6.12', steps: [step, wrong] })}\n`)
  const { code, out } = await cli(folder, ['conform', 'r.jsonl'])
  assert.is(code, 1)
  assert.match(out, /✘ anon-w on 6\.12, step 1: munmap 0 4\n {4}result: res\.ret\n {4}kernel {2}5\n {4}model {3}0\n/)
  const json = JSON.parse((await cli(folder, ['conform', 'r.jsonl', '--json'])).out)
  assert.equal(json.failures[0], {
    program: 'anon-w',
    kernel: '6.12',
    step: 1,
    op: 'munmap 0 4',
    path: 'res.ret',
    level: 'result',
    expected: 5,
    got: 0,
  })
  assert.is((await cli(folder, ['conform', 'r.jsonl', '--level', 'bits'])).code, 0)
})

test('profiles: the matrix of switches', async ({ folder }) => {
  const { code, out } = await cli(folder, ['profiles'])
  assert.is(code, 0)
  assert.match(out, /^rangeValidity +valid flag at the end +.*\n {2}How a driver knows that its range was invalidated/m)
  const { profiles, switches } = JSON.parse((await cli(folder, ['profiles', '--json'])).out)
  assert.equal(
    profiles.map((p: { readonly name: string }) => p.name),
    profileNames,
  )
  const v5_2 = profiles.find((p: { readonly name: string }) => p.name === 'v5.2')
  assert.equal(
    [switches[0].name, switches[0].values, switches[0].source, v5_2.rangeValidity],
    [
      'rangeValidity',
      ['valid flag at the end', 'valid flag', 'valid flag or sequence', 'sequence'],
      'v5.5, 04ec32fbc2b2; v4.20, ec131b2d7fa6',
      'valid flag',
    ],
  )
})

test('profiles: what changed between two', async ({ folder }) => {
  const { code, out } = await cli(folder, ['profiles', 'v6.1', 'v6.12'])
  assert.is(code, 0)
  assert.match(out, /^mprotectOpensAt: pmd → pud\n {2}The level .*\(v6\.8, change_pud_range\(\)\)\n/m)
  assert.match(out, /\n\n\d+ switches of \d+ changed from v6\.1 to v6\.12\.\n$/)
  assert.not.match(out, /rangeValidity/)
  const { from, to, changed } = JSON.parse((await cli(folder, ['profiles', 'v5.2', 'v6.1', '--json'])).out)
  assert.equal([from, to, changed[0].name, changed[0].from, changed[0].to], ['v5.2', 'v6.1', 'rangeValidity', 'valid flag', 'sequence'])
})

test('a reader who has seen enough is no error', async ({ folder }) => {
  const { code, err } = await cli(folder, ['log', 'log.jsonl', '--json'], undefined, false)
  assert.equal([code, err], [0, ''])
})

test('Ctrl-C ends a long run with what it has, and a log that is whole', async ({ folder }) => {
  writeFileSync(
    join(folder, 'long.ts'),
    `import { scenario } from 'mirrorwalk'
     export default scenario('long', ({ linux, expect }) => {
       const cpu = linux().thread()
       for (let i = 0; i < 3000; i++) {
         const buf = cpu.mmap({ pages: 8, at: 16 })
         cpu.write(buf, i)
         cpu.munmap(buf)
       }
       expect.always('nothing is wrong', () => { const t = Date.now(); while (Date.now() - t < 1); return undefined })
     })`,
  )
  const log = join(folder, 'long.jsonl')
  const { code, out } = await cli(
    folder,
    ['run', 'long.ts', '--timeline', 'none', '--log', 'long.jsonl'],
    () => existsSync(log) && statSync(log).size > 20_000,
  )
  assert.is(code, 2)
  assert.match(out, /\? nothing is wrong[^]*[\d,]+ steps?, cut short\. Log: long\.jsonl/)
  const replayed = await cli(folder, ['replay', 'long.jsonl'])
  assert.equal([replayed.code, /the run ended interrupted/.test(replayed.out)], [0, true])
})

test.run()
