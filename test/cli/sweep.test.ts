/** Parameters of scenarios, and sweeps over them, as a user asks for them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { cli, cliSuite } from './command.ts'

const test = cliSuite('mirrorwalk explore --sweep')

const DROPPING = `import { noStaleDeviceMapping, scenario } from 'mirrorwalk'
export default scenario('dropping', ({ linux, expect, variant, parameters: { devices, pages, write } }) => {
  const m = linux()
  const cpu = m.thread()
  const buf = cpu.mmap({ pages })
  cpu.write(buf, 42)
  const faults = Array.from({ length: devices }, () => m.device().fault(buf, { write }))
  m.race(...faults, variant === 'munmap' ? cpu.munmap(buf) : cpu.madvise(buf, 'dontneed'))
  expect.always('no stale device mapping', noStaleDeviceMapping)
}, { profiles: ['v5.2', 'v6.12'], variants: ['madvise', 'munmap'], parameters: { devices: 1, pages: 1, write: false } })
`

test('one row a combination: verdict, states, transitions, the shortest witness, and how to look at one', async ({ folder }) => {
  writeFileSync(join(folder, 'dropping.ts'), DROPPING)
  const { code, out } = await cli(folder, ['explore', 'dropping.ts', '--sweep', 'pages=1..2', '--sweep', 'profile=v5.2,v6.12,-thp'])
  assert.is(code, 1)
  const rows = out.split('\n').filter(line => /v5|v6/.test(line) && !line.includes('npx'))
  assert.equal(
    rows.map(row => row.trim().split(/ {2,}/).toSpliced(5, 1)),
    [
      ['1', 'v5.2', 'violated', '225', '365', '29', 'no stale device mapping'],
      ['1', 'v6.12,-thp', 'holds', '198', '315', '–'],
      ['2', 'v5.2', 'violated', '325', '521', '36', 'no stale device mapping'],
      ['2', 'v6.12,-thp', 'holds', '291', '464', '–'],
    ],
  )
  assert.match(out, 'npx mirrorwalk explore dropping.ts --profile v5.2 --variant madvise --with pages=1')
})

test('for programs, of variants and switches; one of them by itself, and run', async ({ folder }) => {
  const swept = await cli(folder, ['explore', 'dropping.ts', '--profile', 'v6.12', '--sweep', 'variant', '--sweep', 'write=true', '--json'])
  assert.is(swept.code, 0, swept.err)
  const { sweep, left } = JSON.parse(swept.out) as { sweep: readonly { variant: string; write: boolean; states: number }[]; left: number }
  assert.equal(
    [sweep.map(row => [row.variant, row.write]), left],
    [
      [
        ['madvise', true],
        ['munmap', true],
      ],
      0,
    ],
  )
  const asked = ['dropping.ts', '--profile', 'v6.12', '--variant', 'munmap', '--with', 'write=true']
  const alone = await cli(folder, ['explore', ...asked, '--json'])
  assert.match(alone.out, `"states":${sweep[1]?.states}`)
  assert.match(alone.out, 'dropping, write true (munmap)')
  const ran = await cli(folder, ['run', ...asked, '--no-log'])
  assert.is(ran.code, 0, ran.err)
  assert.match(ran.out, 'again: npx mirrorwalk run dropping.ts --profile v6.12 --variant munmap --with write=true')
})

test('what cannot be swept is a mistake, and told before anything is explored', async ({ folder }) => {
  for (const [args, what] of [
    [['--sweep', 'gpus=1'], "has no parameter 'gpus'; it has devices, pages, write"],
    [['--sweep', 'pages=1,many'], "takes a number for 'pages' (it has 1 if none is asked for), and got 'many'"],
    [['--sweep', 'pages=3..1'], "'3..1': expected a range"],
    [['--sweep', 'pages'], "'pages': expected a name and a value"],
    [['--sweep', 'pages=1', '--sweep', 'pages=2'], 'named twice'],
    [['--sweep', 'pages=1', '--checkpoint', 'c'], '--checkpoint is of one exploration'],
  ] as const) {
    const { code, err, out } = await cli(folder, ['explore', 'dropping.ts', ...args])
    assert.equal([code, out], [3, ''], err)
    assert.match(err, what)
  }
})

test.run()
