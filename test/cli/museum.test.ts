/** `mirrorwalk bugs` and `mirrorwalk mutants`, as a user calls them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { bugNames, whyNot } from '../../src/kernel/bugs.ts'
import { DEFAULT_PROFILE } from '../../src/kernel/profiles.ts'
import { profileOf } from '../../src/scenario/standard.ts'
import { cli, cliSuite, type Done } from './command.ts'

const test = cliSuite('museum')

test('bugs: a list of all, with where they are from', async ({ folder }) => {
  const { code, out } = await cli(folder, ['bugs'])
  assert.is(code, 0)
  assert.match(out, /^commits-unchecked {2}v6\.12,\+commitsUnchecked → v6\.12\n {2}a driver maps pages [^]*\n {2}\(amdgpu, a FIXME/m)
  const { bugs } = JSON.parse((await cli(folder, ['bugs', '--json'])).out)
  const one = bugs.find((bug: { readonly name: string }) => bug.name === 'endless-write-fault')
  assert.equal(
    [one.of, one.wrong, one.right, one.scenario],
    ['walkKnowsWriteRight', 'v5.2', 'v5.4', 'scenarios/races/endless-write-fault.ts'],
  )
  assert.match(out, `\n${bugs.length} bugs, in scenarios/races. `)
})

test('bugs NAME: its story, the shortest witness, and the fix explored to the end', async ({ folder }) => {
  const { code, out } = await cli(folder, ['bugs', 'commits-unchecked', '--no-log'])
  assert.is(code, 0)
  assert.match(
    out,
    /^amdgpu, as it learned [^]*\n\nMinimal: [^]*\nWith the bug, v6\.12,\+commitsUnchecked:\n[^]*✘ no stale device mapping — after 26 steps[^]*\n26 .* maps on gpu0: 16 → #2 W\n[^]*\nWithout it, v6\.12:\n[^]*✔ no stale device mapping\n[^]*Everything that can happen was looked at\.\n/,
  )
  // By the name of the bug, too.
  const { bugs } = JSON.parse((await cli(folder, ['bugs', 'commitsUnchecked', '--no-log', '--json'])).out)
  assert.equal(
    [bugs[0].name, bugs[0].verdict, bugs[0].withBug.verdict, bugs[0].without.complete],
    ['commits-unchecked', 'holds', 'violated', true],
  )
})

test('bugs: a name that is none is told which there are', async ({ folder }) => {
  const { code, err } = await cli(folder, ['bugs', 'nothing'])
  assert.is(code, 3)
  assert.match(err, /^mirrorwalk: no exhibit 'nothing'; there are .*commits-unchecked, /)
})

const scenarioOf = (body: string, kernel = ''): string => `import { noStaleDeviceMapping, scenario } from 'mirrorwalk'
export default scenario('mine', ({ linux, expect }) => {
  const m = linux(${kernel})
  const [cpu, gpu] = [m.thread(), m.device()]
  const buf = cpu.mmap({ pages: 1 })
  cpu.write(buf, 1)
  const fault = gpu.fault(buf)
  m.race(fault, cpu.madvise(buf, 'dontneed'))
  ${body}
})
`

test('mutants: what the properties catch, what they do not, and what changes nothing', async ({ folder }) => {
  const mutants = (body: string, ...flags: readonly string[]): Promise<Done> => {
    writeFileSync(join(folder, 'mine.ts'), scenarioOf(body))
    return cli(folder, ['mutants', 'mine.ts', ...flags])
  }
  const caught = await mutants("expect.always('no stale device mapping', noStaleDeviceMapping)")
  assert.is(caught.code, 0)
  assert.match(
    caught.out,
    /✔ {2}commitsUnchecked +caught +no stale device mapping +26\n\n1 of 1 bug caught\.\nChange nothing that it does: swapNotFaulted, [^]*\nCannot be in v6\.12: /,
  )
  const survived = await mutants('expect.answers(fault, { ret: 0 })')
  assert.is(survived.code, 1)
  assert.match(
    survived.out,
    /✘ {2}commitsUnchecked +survived\n✘ commitsUnchecked: A driver maps what its walk has found[^]*\n0 of 1 bug caught\./,
  )
  const [told] = JSON.parse((await mutants('expect.answers(fault, { ret: 0 })', '--json')).out).mutants as readonly {
    readonly mutants: readonly { readonly bug: string; readonly fate: string }[]
  }[]
  assert.equal(
    told?.mutants.map(({ bug }) => bug),
    bugNames.filter(bug => whyNot(profileOf(DEFAULT_PROFILE), bug) === undefined),
  )
  assert.is(told?.mutants.find(({ bug }) => bug === 'commitsUnchecked')?.fate, 'survived')
})

test('mutants: of what is violated anyway, or cut short, nothing is told; a scenario that names its kernel is refused', async ({
  folder,
}) => {
  writeFileSync(join(folder, 'wrong.ts'), scenarioOf("expect.returns(fault, 'EFAULT')"))
  const wrong = await cli(folder, ['mutants', 'wrong.ts'])
  assert.is(wrong.code, 1)
  assert.match(
    wrong.out,
    /without any bug it is violated already: gpu0\.range, 1: fault answers "EFAULT"\. Mutants tell something only of what holds\./,
  )
  writeFileSync(join(folder, 'right.ts'), scenarioOf("expect.always('no stale device mapping', noStaleDeviceMapping)"))
  const cut = await cli(folder, ['mutants', 'right.ts', '--max-states', '20'])
  assert.is(cut.code, 2)
  assert.match(cut.out, /exploring it without any bug was cut short \(max states\)/)
  writeFileSync(join(folder, 'named.ts'), scenarioOf('', "'v6.12'"))
  const named = await cli(folder, ['mutants', 'named.ts', '--kernel', 'v6.1'])
  assert.is(named.code, 3)
  assert.match(named.err, /^mirrorwalk: named\.ts: it names its kernel itself, linux\('v6\.12'\)/)
})

test.run()
