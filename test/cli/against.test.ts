/** `run --against` as its users meet it: a scenario on two kernels, and where they part. */
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { cli, cliSuite, root, stale } from './command.ts'

const test = cliSuite('against')

test('run --against: verdicts and logs of both, and where they part', async ({ folder }) => {
  const silent = join(root, 'scenarios/races/dax-entry-cleared-silently.ts')
  const { code, out, err } = await cli(folder, ['run', silent, '--kernel', 'v6.1', '--against', 'v6.12'])
  assert.equal([code, err], [1, ''])
  assert.match(out, /kernel profile v6\.1\n[^]*✘ no stale device mapping — at step 36[^]*kernel profile v6\.12\n[^]*✔ no stale/)
  assert.match(
    out,
    /\nThey part at step 19, after 18 steps in common:\n {4}cpu0\n15 [^]*\n18 .*\n\nv6\.1 {2}cpu0 .*\n {4}only here: \["dax","data",0,512,"block:HD"\]\nv6\.12 {2}cpu0 .*\n {4}only here: \["dax","data",0,512,"block:H"\]\n/,
  )
  assert.match(
    out,
    /\nWhat they do is the same for longer\. There they part at step 36, after 35 steps in common:\n[^]*\nv6\.1 {2}cpu0 .*512–1023 := none, as damage\n[^]*\nv6\.12 {2}cpu0 drops mmap_lock; → 0\n/,
  )
  assert.match(out, /\nagain: npx mirrorwalk run .* --profile v6\.1 --against v6\.12\n\n$/)
  for (const [kernel, steps] of [
    ['v6.1', 37],
    ['v6.12', 36],
  ] as const) {
    const replayed = await cli(folder, ['replay', `logs/dax-entry-cleared-silently-${kernel}.jsonl`, '--json'])
    assert.equal([replayed.code, JSON.parse(replayed.out).steps], [0, steps])
  }
})

test('run --against: as JSON, in an order found at random', async ({ folder }) => {
  const asked = ['run', stale, '--seed', '18', '--no-log', '--json', '--kernel']
  const { code, out } = await cli(folder, [...asked, 'v5.2', '--against', 'v6.1'])
  const { kernels, compared } = JSON.parse(out)
  const [{ variant, runs, parting, deed }] = compared
  assert.equal([code, kernels, variant, compared.length], [0, ['v5.2', 'v6.1'], '', 1])
  assert.equal(
    runs.map((r: { readonly profile: string; readonly verdict: string; readonly log: null }) => [r.profile, r.verdict, r.log]),
    [
      ['v5.2', 'holds', null],
      ['v6.1', 'holds', null],
    ],
  )
  assert.equal([parting.differsIn, parting.before.length, parting.sides[0].n], [['facts'], 4, parting.common + 1])
  const alloc = (side: { readonly facts: readonly (readonly unknown[])[] }): unknown => side.facts.find(f => f[0] === 'alloc')?.[2]
  assert.equal(parting.sides.map(alloc), ['anon', 'anon:X'])
  assert.equal(
    deed.sides.map((s: { readonly do: string }) => s.do),
    ['hmm_range_register', 'mmu_interval_read_begin'],
  )
  const same = await cli(folder, [...asked, 'v6.1', '--against', 'v6.12'])
  assert.equal(JSON.parse(same.out).compared[0].parting, null)
  const told = await cli(folder, ['run', stale, '--no-log', '--kernel', 'v6.1', '--against', 'v6.12'])
  assert.match(told.out, /\nBoth do the same, with the same facts, in 40 steps\.\n/)
})

test('run --against: a comparison that is cut short says so', async ({ folder }) => {
  const { code, out } = await cli(folder, ['run', stale, '--no-log', '--kernel', 'v6.1', '--against', 'v6.12', '--steps', '5'])
  assert.is(code, 2)
  assert.match(out, /5 steps, cut short\.[^]*Both do the same, with the same facts, in 5 steps\./)
})

test.run()
