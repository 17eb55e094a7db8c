/** Exports that make a run again: uvu test files and scenarios. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import stale from '../../scenarios/seeds/004-stale-valid.ts'
import { NoScenario, scenarioText, uvuTest } from '../../src/inspect.ts'
import type { Scenario } from '../../src/scenario/api.ts'
import { told } from './story.ts'

const root = join(import.meta.dirname, '../..')
const first = told(stale, 'v5.2').story

/** A folder in which `mirrorwalk` is installed. */
function folder(): string {
  const at = mkdtempSync(join(tmpdir(), 'mirrorwalk-export-'))
  mkdirSync(join(at, 'node_modules'))
  symlinkSync(root, join(at, 'node_modules/mirrorwalk'))
  symlinkSync(join(root, 'node_modules/uvu'), join(at, 'node_modules/uvu'))
  return at
}

test('uvu: a test file that passes, and fails once the run is another', () => {
  const at = folder()
  const text = uvuTest(first)
  const run = (name: string, source: string): { readonly status: number | null; readonly stdout: string } => {
    writeFileSync(join(at, name), source)
    return spawnSync(process.execPath, ['--conditions=source', '--import', join(root, 'node_modules/tsx/dist/esm/index.mjs'), name], {
      cwd: at,
      encoding: 'utf8',
    })
  }
  const good = run('good.test.ts', text)
  assert.is(good.status, 0, good.stdout)
  assert.match(good.stdout, /Passed: +1/)
  assert.match(text, /"oracle":"noStaleDeviceMapping","step":30/)
  assert.is(run('bad.test.ts', text.replace('"advice":"dontneed"', '"advice":"cold"')).status, 1)
  // What is written is gone in the end: the step that writes it differs all the same.
  const other = run('other.test.ts', text.replace('"value":42', '"value":43'))
  assert.is(other.status, 1)
  assert.match(other.stdout, /step \d+: cpu0 does \w+, and other things come of it than were recorded/)
  rmSync(at, { recursive: true })
})

test('scenario: a file that builds the system and the plan that were recorded', async () => {
  const at = folder()
  let built = 0
  for (const kind of ['seeds', 'races', 'selftests']) {
    for (const name of readdirSync(join(root, 'scenarios', kind))) {
      const scenario = ((await import(pathToFileURL(join(root, 'scenarios', kind, name)).href)) as { readonly default?: Scenario }).default
      if (scenario === undefined) continue
      for (const variant of scenario.variants) {
        // The oldest kernel and the newest that it is told on.
        for (const profile of new Set([scenario.profiles[0] ?? '', scenario.profiles.at(-1) ?? ''])) {
          const { title, system, plan } = scenario.build(profile, variant)
          const file = join(at, `${kind}-${variant}-${profile}-${basename(name)}`)
          writeFileSync(file, scenarioText({ mirrorwalk: 2, model: 'test', system, chooser: 'as written', seed: null, title, plan }))
          const again = ((await import(pathToFileURL(file).href)) as { readonly default: Scenario }).default.build(profile)
          assert.equal(JSON.stringify([again.title, again.system, again.plan]), JSON.stringify([title, system, plan]), file)
          built++
        }
      }
    }
  }
  assert.ok(built >= 30, `${built}`)
  rmSync(at, { recursive: true })
})

test('scenario: what the scripting API has no call for is told', () => {
  const { header } = first
  const system = {
    profile: 'v6.12',
    mms: ['mm0'],
    actors: [{ name: 'cpu0', machine: 'thread', input: { mm: 'mm0', program: [{ do: 'driver_call' }] } }],
  }
  assert.throws(
    () => scenarioText({ ...header, system, plan: null }),
    (error: unknown) => error instanceof NoScenario && /no call for driver_call/.test(error.message),
  )
})

test('scenario: nothing of a log is written but values, and a driver of another file not at all', () => {
  const { header } = first
  const spec = header.system as { readonly actors: readonly { readonly input: { readonly program?: readonly object[] } }[] }
  const evil = 'false}), (globalThis.evil = true), ({ shared: false'
  const actors = spec.actors.map(actor => ({
    ...actor,
    input: {
      ...actor.input,
      ...(actor.input.program === undefined
        ? {}
        : { program: actor.input.program.map(s => ({ ...s, shared: evil, prot: evil, advice: evil })) }),
    },
  }))
  const text = scenarioText({ ...header, system: { ...spec, actors } })
  // As text in quotes, and nowhere else.
  assert.ok(text.includes(JSON.stringify(evil)))
  assert.not.match(text.replaceAll(JSON.stringify(evil), ''), /evil/)
  const driven = spec.actors.map(actor => ('name' in actor && actor.name === 'gpu0' ? { ...actor, machine: 'driver:mine' } : actor))
  assert.throws(
    () => scenarioText({ ...header, system: { ...spec, actors: driven } }),
    (error: unknown) => error instanceof NoScenario && /gpu0 is of a driver of one's own \(mine\)/.test(error.message),
  )
})

test.run()
