/** The README: its examples run, and do what it says. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LEVELS } from '../src/conformance/compare.ts'
import { readRecording, recordingFiles } from '../src/conformance/recording.ts'
import * as api from '../src/index.ts'
import { DRIVER_WORDS, KERNEL_CALLS } from '../src/kernel/driver.ts'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = (language: string): readonly string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(m => m[1] ?? '')

test('its examples run as it says', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-readme-'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/mirrorwalk'))
  symlinkSync(join(root, 'node_modules/xstate'), join(folder, 'node_modules/xstate'))
  const [first = '', second = '', inspect = '', own = '', driver = '', use = ''] = blocks('ts')
  writeFileSync(join(folder, 'first.ts'), first)
  writeFileSync(join(folder, 'second.ts'), second)
  writeFileSync(join(folder, 'inspect.ts'), inspect)
  writeFileSync(join(folder, 'own.ts'), own)
  writeFileSync(join(folder, 'driver.ts'), driver)
  writeFileSync(join(folder, 'use.ts'), use)
  const node = (...args: readonly string[]): { readonly status: number | null; readonly stdout: string } =>
    spawnSync(process.execPath, ['--conditions=source', '--import', join(root, 'node_modules/tsx/dist/esm/index.mjs'), ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    })
  const said = blocks('text')
    .slice(0, 2)
    .flatMap(text => text.split('\n'))
    .filter(line => line !== '' && line !== '…')
  assert.is(said.length, 5)

  const fixed = node(join(root, 'src/cli/main.ts'), 'run', 'first.ts')
  const broken = node(join(root, 'src/cli/main.ts'), 'run', 'first.ts', '--profile', 'v5.2')
  assert.equal([fixed.status, broken.status, node(join(root, 'src/cli/main.ts'), 'run', 'second.ts').status], [0, 1, 0])
  for (const line of said) assert.ok(`${fixed.stdout}${broken.stdout}`.includes(line), line)
  assert.match(node('use.ts').stdout, /^2 cpu0 → mm0\.mmap_lock mmap_write_lock\n/)
  const drivers = node(join(root, 'src/cli/main.ts'), 'explore', 'driver.ts')
  assert.is(drivers.status, 1)
  assert.match(drivers.stdout, /^223 states, .*Everything that can happen was looked at\.$/m)
  assert.ok(drivers.stdout.includes(blocks('text').find(text => text.includes('after 27 steps')) ?? 'nothing'))
  assert.match(node('own.ts').stdout, /^holds: 8 states, 2 interleavings\n/)
  assert.ok(readme.includes('It says `holds: 8 states, 2 interleavings`.'))
  node(join(root, 'src/cli/main.ts'), 'run', join(root, 'scenarios/seeds/004-stale-valid.ts'), '--profile', 'v5.2')
  assert.match(node('inspect.ts').stdout, /→ gpu0 keeps a stale entry: it walked at 17.*\n24\n$/s)
  rmSync(folder, { recursive: true })
})

test('five commands lead to the guilty order', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-readme-'))
  const [, , session = ''] = blocks('text')
  const commands = [...session.matchAll(/^\(mirrorwalk\) (.*)$/gm)].map(m => m[1])
  assert.is(commands.length, 5)
  const { stdout } = spawnSync(
    process.execPath,
    [
      '--conditions=source',
      '--import',
      join(root, 'node_modules/tsx/dist/esm/index.mjs'),
      join(root, 'src/cli/main.ts'),
      'debug',
      join(root, 'scenarios/seeds/004-stale-valid.ts'),
      '--profile',
      'v5.2',
    ],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' }, input: `${commands.join('\n')}\n` },
  )
  const told = (text: string): readonly string[] => text.split('\n').map(line => line.trimEnd())
  for (const line of told(session)) assert.ok(told(stdout).includes(line), line)
  rmSync(folder, { recursive: true })
})

test('it names everything that is exported', () => {
  for (const name of Object.keys(api)) if (name !== 'BadScenario') assert.ok(readme.includes(`\`${name}`), `${name} is not in the README`)
  for (const level of LEVELS) assert.ok(readme.includes(`\`${level}\``), level)
})

test('it names all that a driver does and is called with', () => {
  for (const word of [DRIVER_WORDS, ...Object.values(KERNEL_CALLS)].flatMap(words => Object.keys(words)))
    assert.ok(readme.includes(`\`${word}\``), word)
})

test('its counts are those of the recordings', () => {
  const programs = recordingFiles(join(root, 'test/fixtures/recordings')).flatMap(readRecording)
  for (const kernel of ['4.14', '5.2', '6.1', '6.12', '7.1']) {
    const n = programs.filter(p => p.kernel === kernel).length
    assert.match(readme, new RegExp(`^\\| ${kernel} \\|.*\\| ${n} of ${n} \\|$`, 'm'))
  }
})

test.run()
