/** What `mirrorwalk profiles` prints: the matrix fits any terminal, and names every switch. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { matrix } from '../../src/cli/profiles.ts'
import { profileNamed, profiles } from '../../src/kernel/profiles.ts'
import { changedBetween, inWords, SWITCHES, switchNames } from '../../src/kernel/switches.ts'

const heads = (lines: readonly string[]): readonly string[] => lines.filter(l => /^ {9,}v/.test(l)).map(l => l.trim().replace(/ +/g, ' '))

test('a switch is a row with a value for each kernel, and its sentence below', () => {
  const lines = matrix(profiles, 500)
  assert.equal(heads(lines), [profiles.map(p => p.name).join(' ')])
  for (const name of switchNames) {
    const at = lines.findIndex(line => line.startsWith(`${name} `))
    const values = profiles.map(p => inWords(p[name]))
    assert.equal(lines[at]?.split(/ {2,}/).slice(1), values, name)
    assert.is(lines[at + 1], `  ${SWITCHES[name].says} (${SWITCHES[name].source})`)
  }
})

test('it wraps: sentences into lines, kernels into further matrices', () => {
  const wide = matrix(profiles, 500)
  assert.equal(heads(wide).length, 1)
  const narrow = matrix(profiles, 60)
  assert.ok(heads(narrow).length > 1)
  assert.is(heads(narrow).join(' '), heads(wide)[0])
  for (const [lines, width] of [
    [wide, 500],
    [narrow, 60],
  ] as const)
    for (const line of lines) assert.ok(line.length <= width, line)
})

test('every switch says what it decides in a sentence, where that is from, and is set to what it may be', () => {
  for (const name of switchNames) {
    const { says, source, values } = SWITCHES[name]
    assert.match(says, /^[A-Zm].*\.$/, name)
    assert.ok(source.length > 0 && !source.endsWith('.'), name)
    for (const profile of profiles) assert.ok((values as readonly unknown[]).includes(profile[name]), `${profile.name}: ${name}`)
  }
})

test('settings are read as words', () => {
  assert.equal([true, false, 'pud', 512].map(inWords), ['yes', 'no', 'pud', '512'])
})

test('what changed between two kernels is what differs, whichever comes first', () => {
  const [a, b] = [profileNamed('v6.1'), profileNamed('v6.12')]
  assert.ok(a !== undefined && b !== undefined)
  const changed = changedBetween(a, b)
  assert.ok(changed.includes('mprotectOpensAt') && !changed.includes('rangeValidity'))
  assert.equal(changedBetween(b, a), changed)
  assert.equal(changedBetween(a, a), [])
})

test.run()
