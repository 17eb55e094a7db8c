/** The log tool as its users meet it: queries, statistics, following, verify, repair, upcast, diff, bisect, export, import. */
import { appendFileSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { isStep, readLog } from '../../src/log/reader.ts'
import { escaped, shown } from '../../src/log/unseen.ts'
import { sealed, unsealed } from '../log/sealed.ts'
import { cli, cliSuite, root, stale } from './command.ts'

const test = cliSuite('the log tool')
const LOG = 'logs/004-stale-valid-v5.2.jsonl'

/** The log of seed 004 is there once it was run. */
async function log(folder: string): Promise<string> {
  if (!existsSync(join(folder, LOG))) await cli(folder, ['run', stale, '--profile', 'v5.2'])
  return LOG
}

test('log: a query, and a mistake in one', async ({ folder }) => {
  const path = await log(folder)
  const { code, out } = await cli(folder, ['log', path, 'invalidation', 'inside', 'fault'])
  assert.is(code, 0)
  assert.match(out, /^21 +notifies: CLEAR of 16 begins$/m)
  assert.match(out, /^1 step of 33; the run ended with everybody at rest\.$/m)
  const json = await cli(folder, ['log', path, 'page 16 and change', '--actor', 'cpu0', '--json'])
  const records = json.out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { readonly n: number; readonly by: string; readonly calls: object })
  assert.ok([9, 24].every(n => records.some(r => r.n === n)) && !records.some(r => r.n === 30))
  const wrong = await cli(folder, ['log', path, 'page', 'x'])
  assert.equal([wrong.code, wrong.err], [3, "mirrorwalk: expected a page number, got 'x'\n  page x\n       ^\n"])
})

test('log --stats', async ({ folder }) => {
  const path = await log(folder)
  const { code, out } = await cli(folder, ['log', path, '--stats'])
  assert.is(code, 0)
  assert.match(out, /33 steps of 33, from 1 to 33; 21 calls between actors; 0 steps had to wait; \d+ bytes a step/)
  assert.match(out, /^cpu0 +20$/m)
  const json = JSON.parse((await cli(folder, ['log', path, 'by gpu0.range', '--stats', '--json'])).out) as {
    readonly steps: number
    readonly all: number
  }
  assert.equal([json.steps, json.all], [13, 33])
})

test('log --follow shows steps as they are written, and ends with the log', async ({ folder }) => {
  const whole = readFileSync(join(folder, await log(folder)), 'utf8')
  // From the midst of its header on, and on to the midst of a record.
  const [path, parts] = [join(folder, 'growing.jsonl'), [200, 7000, 9000, whole.length]]
  const grown = (i: number): string => whole.slice(parts[i - 1] ?? 0, parts[i])
  writeFileSync(path, grown(0))
  // The last two mean other steps for as long as there is no commit.
  const queries = ['by cpu0', 'change and not (all before commit)', 'not (change before commit)']
  const following = queries.map(query => cli(folder, ['log', 'growing.jsonl', query, '--follow', '--json']))
  for (const i of [1, 2, 3]) {
    await new Promise(resolve => void setTimeout(resolve, 1500))
    appendFileSync(path, grown(i))
  }
  for (const [i, { code, out }] of (await Promise.all(following)).entries()) {
    assert.is(code, 0)
    const lines = (text: string): readonly string[] => text.trimEnd().split('\n').toSorted()
    assert.equal(lines(out), lines((await cli(folder, ['log', await log(folder), queries[i] ?? '', '--json'])).out), queries[i])
  }
  const counted = await cli(folder, ['log', await log(folder), '--follow', '--stats'])
  assert.equal([counted.code, /expected one of them/.test(counted.err)], [3, true])
})

test('log --follow is left by Ctrl-C', async ({ folder }) => {
  const whole = readFileSync(join(folder, await log(folder)))
  const path = join(folder, 'unended.jsonl')
  writeFileSync(path, whole.subarray(0, 7000))
  const { code, out } = await cli(folder, ['log', 'unended.jsonl', '--follow'], told => told.includes('mmap(16, rw)'))
  assert.is(code, 2)
  assert.match(out, /^\? stopped behind step \d+: what follows was not read$/m)
})

test('verify names the first altered record', async ({ folder }) => {
  const path = await log(folder)
  for (const verb of [['verify'], ['log', 'verify']]) {
    const good = await cli(folder, [...verb, path])
    assert.equal([good.code, good.out], [0, `✔ ${path}: format 3, 33 steps, 0 checkpoints: every record is as it was written\n`])
  }
  const text = readFileSync(join(folder, path), 'utf8')
  writeFileSync(join(folder, 'altered.jsonl'), text.replace('"n":20,', '"n":20 ,'))
  const altered = await cli(folder, ['verify', 'altered.jsonl'])
  assert.is(altered.code, 1)
  assert.match(altered.out, /^✘ altered\.jsonl, line 21: this record is not what was written/)
  writeFileSync(join(folder, 'cut.jsonl'), text.slice(0, 5000))
  const cut = await cli(folder, ['verify', 'cut.jsonl', '--json'])
  const { sound, damage } = JSON.parse(cut.out) as {
    readonly sound: boolean
    readonly damage: { readonly cut: boolean; readonly after: number }
  }
  assert.equal([cut.code, sound, damage.cut], [2, false, true])
})

test('repair names the last whole step, and --redo decides what was lost', async ({ folder }) => {
  const path = await log(folder)
  const whole = readFileSync(join(folder, path))
  writeFileSync(join(folder, 'lost.jsonl'), whole.subarray(0, 4000))
  const repaired = await cli(folder, ['repair', 'lost.jsonl'])
  assert.is(repaired.code, 0)
  const last = Number(/The last whole step is (\d+)\./.exec(repaired.out)?.[1])
  assert.ok(last > 5 && last < 33)
  assert.match(repaired.out, /Written: lost\.jsonl; what was there is in lost\.jsonl\.damaged/)
  assert.equal(readFileSync(join(folder, 'lost.jsonl.damaged')), whole.subarray(0, 4000))
  const again = await cli(folder, ['replay', 'lost.jsonl'])
  assert.equal([again.code, /the run ended interrupted/.test(again.out)], [0, true])
  const redone = await cli(folder, ['repair', 'lost.jsonl.damaged', '--redo', '--output', 'redone.jsonl'])
  assert.is(redone.code, 0)
  assert.match(redone.out, new RegExp(`${33 - last} steps behind it decided again: 33 steps in all`))
  assert.equal(readFileSync(join(folder, 'redone.jsonl')), whole)
  assert.match((await cli(folder, ['repair', 'redone.jsonl'])).out, /is sound: nothing to repair/)
})

test('repair --redo of a run chosen at random; of one whose model was another, nothing is written', async ({ folder }) => {
  await cli(folder, ['run', stale, '--profile', 'v6.12', '--seed', '3', '--log', 'seed.jsonl'])
  const whole = readFileSync(join(folder, 'seed.jsonl'))
  writeFileSync(join(folder, 'part.jsonl'), whole.subarray(0, 6000))
  assert.is((await cli(folder, ['repair', 'part.jsonl', '--redo'])).code, 0)
  assert.equal(readFileSync(join(folder, 'part.jsonl')), whole)
  // A step that this model would not take.
  const records = unsealed(whole).slice(0, 8)
  const other = records.with(5, records[5]?.replace(/"do":"\w+"/, '"do":"other"') ?? '')
  writeFileSync(join(folder, 'other.jsonl'), sealed(other))
  const { code, err } = await cli(folder, ['repair', 'other.jsonl', '--redo', '--output', 'never.jsonl'])
  assert.is(code, 3)
  assert.match(err, /decided again, step 5 is not what the log has/)
  assert.not(existsSync(join(folder, 'never.jsonl')))
})

test('repair --redo of an order that exploring has found: its header has the token', async ({ folder }) => {
  await cli(folder, ['explore', stale, '--kernel', 'v5.2', '--log', 'found.jsonl'])
  const found = readFileSync(join(folder, 'found.jsonl'), 'utf8')
  const token = /"token":"([^"]+)"/.exec(found)?.[1] ?? ''
  await cli(folder, ['run', stale, '--kernel', 'v5.2', '--token', token, '--log', 'taken.jsonl'])
  for (const name of ['found.jsonl', 'taken.jsonl']) {
    const whole = readFileSync(join(folder, name), 'utf8')
    writeFileSync(join(folder, 'half.jsonl'), whole.split('\n').slice(0, 15).join('\n') + '\n')
    assert.is((await cli(folder, ['repair', 'half.jsonl', '--redo', '--output', 'all.jsonl'])).code, 0)
    assert.is(readFileSync(join(folder, 'all.jsonl'), 'utf8'), whole)
  }
})

test('upcast: a log of format 1 becomes one of this, which redo needs the scenario for', async ({ folder }) => {
  copyFileSync(join(root, 'test/fixtures/logs/format-1/stale-valid-v5.2.jsonl'), join(folder, 'old.jsonl'))
  const { code, out } = await cli(folder, ['upcast', 'old.jsonl'])
  assert.equal([code, out], [0, 'old.jsonl: from format 1 to 3. Written: old.jsonl; what was there is in old.jsonl.format-1\n'])
  assert.is((await cli(folder, ['verify', 'old.jsonl'])).code, 0)
  assert.match((await cli(folder, ['upcast', 'old.jsonl'])).out, /of format 3, the newest, already/)
  // The header changed: sealed anew, without its end.
  const [header = '', ...steps] = unsealed(readFileSync(join(folder, 'old.jsonl'))).slice(0, 12)
  writeFileSync(join(folder, 'noplan.jsonl'), sealed([header.replace('"chooser":"a test"', '"chooser":"as written"'), ...steps]))
  const refused = await cli(folder, ['repair', 'noplan.jsonl', '--redo'])
  assert.equal([refused.code, /name the scenario/.test(refused.err)], [3, true])
})

test('diff: of logs of several formats, and of one that was cut off', async ({ folder }) => {
  const path = await log(folder)
  const old = join(root, 'test/fixtures/logs/race-v5.2.jsonl')
  assert.match((await cli(folder, ['diff', old, path])).out, /^✔ The runs are the same: 33 steps; step by step\.$/m)
  writeFileSync(join(folder, 'begun.jsonl'), readFileSync(join(folder, path)).subarray(0, 4000))
  for (const [args, which] of [
    [['begun.jsonl', path], 'A'],
    [[path, 'begun.jsonl'], 'B'],
  ] as const) {
    const { code, out } = await cli(folder, ['diff', ...args])
    assert.equal([code, new RegExp(`^The runs are the same as far as ${which} goes: \\d+ steps\\.$`, 'm').test(out)], [2, true], out)
  }
})

test('diff: states, and runs with the order that flips the verdict', async ({ folder }) => {
  const path = await log(folder)
  const same = await cli(folder, ['diff', path, path])
  assert.equal([same.code, same.out], [0, '✔ The runs are the same: 33 steps; step by step.\n'])
  const states = await cli(folder, ['diff', `${path}@23`, `${path}@24`])
  assert.is(states.code, 1)
  assert.match(states.out, /^ {2}mm0\.pte\.16: #2 WDA → none$/m)
  assert.is((await cli(folder, ['diff', `${path}@23`, `${path}@23`])).code, 0)
  assert.is((await cli(folder, ['diff', `${path}@23`, `${path}@99`])).code, 3)
  await cli(folder, ['run', stale, '--profile', 'v5.2', '--seed', '3', '--log', 'b.jsonl'])
  const runs = await cli(folder, ['diff', path, 'b.jsonl'])
  assert.is(runs.code, 1)
  assert.match(runs.out, /A: noStaleDeviceMapping is violated[^]*B: no oracle finds anything/)
  assert.match(
    runs.out,
    /The order that flips the verdict: .*\n {2}A: \d+ gpu0\.range .*, then \d+ cpu0 .*\n {2}B: \d+ cpu0 .*, then \d+ gpu0\.range /,
  )
  const json = JSON.parse((await cli(folder, ['diff', path, 'b.jsonl', '--json'])).out) as {
    readonly same: boolean
    readonly pair: { readonly flips: boolean }
  }
  assert.equal([json.same, json.pair.flips], [false, true])
})

test('bisect: the step at which it turns', async ({ folder }) => {
  const path = await log(folder)
  const { code, out } = await cli(folder, ['bisect', path, 'noStaleDeviceMapping'])
  assert.is(code, 1)
  assert.match(out, /^step 30: noStaleDeviceMapping is violated from here on: gpu0 still maps page 16/)
  const never = await cli(folder, ['bisect', path, 'gpu0.table.99', '>', '0'])
  assert.equal([never.code, /never turns in 33 steps/.test(never.out)], [0, true])
  const all = JSON.parse((await cli(folder, ['bisect', path, '16 = none', '--all', '--json'])).out) as {
    readonly turns: readonly { readonly step: number }[]
  }
  assert.equal(
    all.turns.map(t => t.step),
    [9, 24],
  )
  assert.is((await cli(folder, ['bisect', path, '16 =='])).code, 3)
})

test('export and import: ITF there and back gives the same log', async ({ folder }) => {
  const path = await log(folder)
  for (const as of ['mermaid', 'chrome', 'dot', 'dot-machines', 'shiviz', 'stately', 'uvu', 'scenario']) {
    const { code, out } = await cli(folder, ['export', path, '--as', as])
    assert.equal([code, out.length > 500], [0, true], as)
  }
  assert.is((await cli(folder, ['export', path, '--as', 'itf', '--output', 'x.itf.json'])).code, 0)
  const { code, out } = await cli(folder, ['import', 'x.itf.json'])
  assert.equal([code, /33 steps taken again/.test(out)], [0, true])
  assert.equal(readFileSync(join(folder, 'x.jsonl')), readFileSync(join(folder, path)))
  writeFileSync(
    join(folder, 'bad.itf.json'),
    readFileSync(join(folder, 'x.itf.json'), 'utf8').replace('"mbt::actionTaken":"store"', '"mbt::actionTaken":"load"'),
  )
  const bad = await cli(folder, ['import', 'bad.itf.json'])
  assert.equal([bad.code, /cannot do load there/.test(bad.err)], [3, true])
  // Memory that no step has made, and a trace that was cut: one is refused, the other is no run that came to rest.
  const trace = JSON.parse(readFileSync(join(folder, 'x.itf.json'), 'utf8')) as { readonly states: { memory: unknown }[] }
  writeFileSync(join(folder, 'twenty.itf.json'), JSON.stringify({ ...trace, states: trace.states.slice(0, 20) }))
  const part = await cli(folder, ['import', 'twenty.itf.json'])
  assert.equal([part.code, /it was interrupted there/.test(part.out)], [0, true])
  assert.match((await cli(folder, ['log', 'twenty.jsonl', 'step 19'])).out, /the run ended interrupted/)
  const [last, second] = [trace.states.at(-1), trace.states[1]]
  if (last !== undefined) last.memory = second?.memory
  writeFileSync(join(folder, 'memory.itf.json'), JSON.stringify(trace))
  assert.match((await cli(folder, ['import', 'memory.itf.json'])).err, /state 33: memory is not what return makes of it/)
  assert.is((await cli(folder, ['export', path, '--as', 'word'])).code, 3)
  // Of some steps alone; what is made again is so from its beginning.
  const some = await cli(folder, ['export', path, '--as', 'shiviz', '--from', '28', '--to', '30'])
  assert.match(some.out, /maps on gpu0: 16/)
  assert.not.match(some.out, /walks; finds/)
  for (const [args, why] of [
    [['uvu', '--from', '9'], /only be done from its beginning/],
    [['dot', '--to', '99'], /has no steps 1 to 99: there are 1 to 33/],
  ] as const) {
    const refused = await cli(folder, ['export', path, '--as', ...args])
    assert.is(refused.code, 3)
    assert.match(refused.err, why)
  }
})

test('an exported scenario runs to the same log, and expects what was found', async ({ folder }) => {
  const path = await log(folder)
  await cli(folder, ['export', path, '--as', 'scenario', '--output', 'again.ts'])
  const { code, out } = await cli(folder, ['run', 'again.ts', '--log', 'again.jsonl'])
  assert.equal([code, /✔ noStaleDeviceMapping — at step 30/.test(out)], [0, true], out)
  assert.equal(readFileSync(join(folder, 'again.jsonl')), readFileSync(join(folder, path)))
})

test('an exported scenario takes the order that was recorded, where nothing else tells it', async ({ folder }) => {
  copyFileSync(join(root, 'test/fixtures/logs/race-v5.2.jsonl'), join(folder, 'old.jsonl'))
  await cli(folder, ['run', stale, '--profile', 'v5.2', '--steps', '24', '--log', 'short.jsonl'])
  await cli(folder, ['run', stale, '--profile', 'v5.2', '--seed', '4', '--log', 'drawn.jsonl'])
  for (const name of ['old', 'short', 'drawn']) {
    assert.is((await cli(folder, ['export', `${name}.jsonl`, '--as', 'scenario', '--output', `${name}.ts`])).code, 0)
    assert.is((await cli(folder, ['run', `${name}.ts`, '--log', `${name}-again.jsonl`])).code, 0, name)
    const choices = (log: string): readonly string[] =>
      readLog(readFileSync(join(folder, log)), log)
        .records.filter(isStep)
        .map(({ by, do: what }) => `${by} ${what}`)
    const recorded = choices(`${name}.jsonl`)
    const again = choices(`${name}-again.jsonl`)
    assert.equal(again.slice(0, recorded.length), recorded, name)
    assert.is(again.length > recorded.length, name === 'short')
  }
  const part = await cli(folder, ['export', 'drawn.jsonl', '--as', 'scenario', '--from', '9'])
  assert.equal([part.code, /only be done from its beginning/.test(part.err)], [3, true])
})

test('control characters in a log do nothing to a terminal', async ({ folder }) => {
  const [header = '', ...steps] = unsealed(readFileSync(join(folder, await log(folder)))).slice(0, 6)
  const evil = '\u001b]0;gone\u0007\u001b[2J\u009b31m\u202e\r'
  const inHeader = header.replace('seed 004', JSON.stringify(evil).slice(1, -1))
  const inSteps = steps.with(3, steps[3]?.replace(/"do":"\w+"/, `"do":"x${shown(evil, escaped)}"`) ?? '')
  writeFileSync(join(folder, 'evil.jsonl'), sealed([inHeader, ...inSteps]))
  for (const args of [['log'], ['log', '--json'], ['verify'], ['replay'], ['export', '--as', 'mermaid'], ['log', '--stats']]) {
    const { out, err } = await cli(folder, [args[0] ?? '', 'evil.jsonl', ...args.slice(1)])
    assert.is(
      shown(out + err, () => '?'),
      out + err,
      args.join(' '),
    )
  }
})

test.run()
