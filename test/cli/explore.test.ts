/** `mirrorwalk explore` and `simulate`, as a user calls them. */
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { cli, cliSuite, node, root, stale } from './command.ts'

const test = cliSuite('mirrorwalk explore')

test('seed 004 on 5.2: the shortest order, as a timeline, a log that replays, and a token', async ({ folder }) => {
  const found = await cli(folder, ['explore', stale, '--profile', 'v5.2', '--count', '--coverage'])
  assert.is(found.code, 0, found.err)
  assert.match(found.out, /✔ the device keeps a stale page — it can be, after (\d+) steps: gpu0 still maps page 16/)
  assert.match(found.out, 'Everything that can happen was looked at.')
  assert.match(found.out, /^25 {2}100% ! +tells mm0.hmm that it is over$/m)
  assert.match(found.out, /Step 25 closed the last way out .*; before it the chance was 87.5%\./)
  assert.match(found.out.replaceAll('\n', ' '), 'Instead, it could have been gpu0.range (mmap read unlock): 75%.')
  assert.match(found.out, /^ +read +mmap_unlock +unlocked +lastReader +\d+$/m)
  assert.match(found.out, /^ +written +mmap_write_downgrade +read +never$/m)
  assert.match(found.out, /registry \(mm0.registry\): \d of \d states, \d+ of \d+ transitions/)
  assert.match(found.out, /They stand for 169,221 interleavings, of which 66 differ/)
  const log = /Log: (\S+)/.exec(found.out)?.[1] ?? ''
  assert.ok(existsSync(join(folder, log)))
  const replayed = await cli(folder, ['replay', log])
  assert.is(replayed.code, 0, replayed.out)
  const token = /--token (\S+)/.exec(found.out)?.[1] ?? ''
  const written = readFileSync(join(folder, log), 'utf8')
  const again = await cli(folder, ['explore', stale, '--profile', 'v5.2', '--token', token])
  assert.is(again.code, 0, again.err)
  assert.match(again.out, 'maps on gpu0')
  assert.is(readFileSync(join(folder, log), 'utf8'), written, 'the same log')
})

test('however it is found, the same simplest order is shown, unless what was found is asked for', async ({ folder }) => {
  const tokenOf = async (...args: readonly string[]): Promise<string> => {
    const { out } = await cli(folder, [...args, stale, '--profile', 'v5.2', '--no-log'])
    return `${/: (\d+ steps, the fewest|\d+ steps)/.exec(out)?.[1]} ${/--token (\S+)/.exec(out)?.[1]}`
  }
  const [searched, drawn, found] = await Promise.all([tokenOf('explore'), tokenOf('simulate'), tokenOf('simulate', '--as-found')])
  assert.match(searched, /^29 steps, the fewest/)
  assert.is(drawn, searched)
  assert.match(found, /^30 steps x1/)
})

test('what was found in all its forms: debugged, run by its token, exported as a scenario and as a test, and always the same', async ({
  folder,
}) => {
  const shown = await cli(folder, ['explore', stale, '--profile', 'v5.2', '--log', 'found.jsonl'])
  const token = /--token (\S+)/.exec(shown.out)?.[1] ?? ''
  symlinkSync(join(root, 'node_modules/uvu'), join(folder, 'node_modules/uvu'))
  writeFileSync(join(folder, 'commands'), 'until noStaleDeviceMapping\n')
  const [debugged, ran, both, scenario, asTest] = await Promise.all([
    cli(folder, ['debug', 'found.jsonl', '--commands', 'commands']),
    cli(folder, ['run', stale, '--profile', 'v5.2', '--token', token, '--log', 'ran.jsonl', '--timeline', 'none']),
    cli(folder, ['run', stale, '--token', token, '--seed', '1']),
    cli(folder, ['export', 'found.jsonl', '--as', 'scenario', '--output', 'found.ts']),
    cli(folder, ['export', 'found.jsonl', '--as', 'uvu', '--output', 'found.test.ts']),
  ])
  const wrong = 'gpu0 still maps page 16 to frame 2, where the process has nothing'
  assert.match(debugged.out, `* noStaleDeviceMapping: ${wrong}\nstep 29 of 29`)
  assert.equal([ran.code, ran.out.includes(`at step 29: ${wrong}`)], [0, true], ran.out)
  assert.equal([both.code, /cannot be used with/.test(both.err)], [3, true], both.err)
  assert.equal([scenario.code, asTest.code], [0, 0])
  const [again, other, tested] = await Promise.all([
    cli(folder, ['run', 'found.ts', '--no-log', '--timeline', 'none']),
    cli(folder, ['run', stale, '--profile', 'v5.5', '--no-log', '--token', token]),
    node(folder, 'found.test.ts'),
  ])
  assert.equal([again.code, again.out.includes(`noStaleDeviceMapping — at step 29: ${wrong}`)], [0, true], again.out)
  assert.equal([other.code, /made for a system with other actors/.test(other.err)], [3, true], other.err)
  assert.is(tested.code, 0, tested.out)
})

test('for programs: JSON, and 1 for what is violated', async ({ folder }) => {
  writeFileSync(
    join(folder, 'broken.ts'),
    `import { noStaleDeviceMapping, scenario } from 'mirrorwalk'
export default scenario('broken', ({ linux, expect }) => {
  const m = linux('v5.2')
  const [cpu, gpu] = [m.thread(), m.device()]
  const buf = cpu.mmap({ pages: 1 })
  cpu.write(buf, 1)
  m.race(gpu.fault(buf), cpu.madvise(buf, 'dontneed'))
  expect.always('no stale device mapping', noStaleDeviceMapping)
})
`,
  )
  const { code, out } = await cli(folder, ['explore', 'broken.ts', '--json', '--no-log'])
  assert.is(code, 1)
  const { explorations } = JSON.parse(out) as {
    explorations: readonly {
      verdict: string
      complete: boolean
      witness: { token: string; property: string; outlook: { closed: number; steps: readonly { label: string; exactly: string }[] } }
      found: readonly { verdict: string }[]
    }[]
  }
  assert.equal([explorations[0]?.verdict, explorations[0]?.complete], ['violated', true])
  assert.is(explorations[0]?.witness.property, 'no stale device mapping')
  const { closed = 0, steps = [] } = explorations[0]?.witness.outlook ?? {}
  assert.equal([steps[closed - 1]?.label, steps[closed]?.label, steps[closed]?.exactly], ['undecided', 'doomed', '1/1'])
  assert.match(steps[0]?.exactly ?? '', /^\d+\/\d+$/)
  for (const reduction of ['sleep', 'dpor', 'cache']) {
    assert.is((await cli(folder, ['explore', 'broken.ts', '--no-log', '--reduction', reduction])).code, 1, reduction)
  }
  const drawn = await cli(folder, ['simulate', 'broken.ts', '--scheduler', 'pct', '--seed', '3', '--no-log'])
  assert.is(drawn.code, 1)
  assert.match(
    drawn.out,
    /again: npx mirrorwalk simulate broken.ts --profile v6.12 --scheduler pct --seed 3|again: npx mirrorwalk simulate broken.ts/,
  )
})

test('cut short: 2, and what is left', async ({ folder }) => {
  const { code, out } = await cli(folder, ['explore', stale, '--profile', 'v6.12', '--max-states', '50'])
  assert.is(code, 2)
  assert.match(out, /\? no stale device mapping/)
  assert.match(out, /Cut short \(max states\): \d+ states? known and not looked at/)
  const drawn = await cli(folder, ['simulate', stale, '--profile', 'v6.12', '--runs', '20'])
  assert.is(drawn.code, 2)
  assert.match(drawn.out, 'Drawn at random')
})

test('Ctrl-C gives what was found so far', async ({ folder }) => {
  writeFileSync(
    join(folder, 'large.ts'),
    `import { writeFileSync } from 'node:fs'
import { scenario } from 'mirrorwalk'
export default scenario('large', ({ linux, expect }) => {
  const m = linux()
  const cpus = Array.from({ length: 5 }, () => m.thread())
  const buf = cpus[0].mmap({ pages: 8 })
  m.race(...cpus.map((cpu, i) => cpu.write(buf, i)), ...cpus.map(cpu => cpu.madvise(buf, 'dontneed')))
  expect.always('never', () => { writeFileSync('begun', ''); return undefined })
})
`,
  )
  const { code, out } = await cli(folder, ['explore', 'large.ts', '--no-log', '--checkpoint', 'large.bin'], () =>
    existsSync(join(folder, 'begun')),
  )
  assert.is(code, 2, out)
  assert.match(out, /Cut short \(interrupted\)/)
  assert.match(out, /to go on from here: .*--resume large.bin/)
  const on = await cli(folder, ['explore', 'large.ts', '--no-log', '--resume', 'large.bin', '--max-states', '1', '--json'])
  const statesIn = (text: string): number =>
    Number(/([\d,]+) states,|"states":(\d+)/.exec(text)?.slice(1).join('').replaceAll(',', '').replace('undefined', ''))
  assert.ok(statesIn(on.out) >= statesIn(out), `${on.out} ${out}`)
})

test('an exploration that was cut short again and again comes to what it would have come to; others go on from nothing of it', async ({
  folder,
}) => {
  const explored = async (...more: readonly string[]): Promise<string> =>
    (await cli(folder, ['explore', stale, '--profile', 'v6.12', '--no-log', '--json', ...more])).out
  const whole = await explored()
  await explored('--max-states', '60', '--checkpoint', 'a.bin')
  await explored('--max-states', '150', '--resume', 'a.bin', '--checkpoint', 'a.bin')
  assert.is(await explored('--resume', 'a.bin'), whole)
  const uncounted = (json: string): string => json.replace(/"bytes":\d+/, '')
  assert.is(uncounted(await explored('--workers', '2')), uncounted(whole), 'the same from two workers')
  assert.is(existsSync(join(folder, 'a.bin.new')), false)
  const bytes = readFileSync(join(folder, 'a.bin'))
  writeFileSync(join(folder, 'short.bin'), bytes.subarray(0, -9))
  for (const [args, what] of [
    [['--profile', 'v5.2', '--resume', 'a.bin'], /of kernel v6.12; .* of kernel v5.2/],
    [['--resume', 'a.bin'], 'choose one kernel with --profile'],
    [['--profile', 'v6.12', '--resume', 'short.bin'], 'short.bin: cannot be gone on from: it ends too early'],
    [['--profile', 'v6.12', '--checkpoint', 'no/where.bin', '--max-states', '9'], 'no/where.bin: the checkpoint cannot be written there'],
    [['--profile', 'v6.12', '--checkpoint', 'b.bin', '--reduction', 'dpor'], 'no checkpoint can be written'],
  ] as const) {
    const { code, err } = await cli(folder, ['explore', stale, '--no-log', ...args])
    assert.is(code, 3, err)
    assert.match(err, what)
    assert.not.match(err, 'defect')
  }
})

test('a scenario that cheats is found out', async ({ folder }) => {
  const cheat = (pages: string, oracle: string): string => `import { scenario } from 'mirrorwalk'
let asked = 0
export default scenario('cheats', ({ linux, expect }) => {
  const m = linux()
  const cpu = m.thread()
  const buf = cpu.mmap({ pages: ${pages} })
  m.race(cpu.write(buf, 1), m.device().fault(buf))
  expect.always('luck', ${oracle})
})
`
  writeFileSync(join(folder, 'built.ts'), cheat('1 + Math.floor(Math.random() * 1e6)', '() => undefined'))
  writeFileSync(join(folder, 'asked.ts'), cheat('1', '() => (asked++ % 3 === 1 ? "bad luck" : undefined)'))
  const built = await cli(folder, ['explore', 'built.ts', '--no-log'])
  assert.equal([built.code, /not the same scenario twice/.test(built.err)], [3, true], built.err)
  const asked = await cli(folder, ['explore', 'asked.ts', '--no-log'])
  assert.equal([asked.code, /looks at something besides the world/.test(asked.err)], [3, true], asked.err)
})

test('what does not go together, and tokens of something else, are mistakes', async ({ folder }) => {
  for (const [args, what] of [
    [['--reduction', 'dpor', '--strategy', 'bfs'], 'goes depth first'],
    [['--reduction', 'symmetry'], 'said to be alike'],
    [['--token', 'x1-0000-4a1'], 'other actors'],
  ] as const) {
    const { code, err } = await cli(folder, ['explore', stale, '--profile', 'v5.2', ...args])
    assert.is(code, 3, err)
    assert.match(err, what)
    assert.not.match(err, 'defect')
  }
})

test.run()
