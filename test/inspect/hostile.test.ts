/** Logs that somebody has put together by hand: sealed as they should be, and meant to do harm. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openRecording, pathOf } from '../../src/inspect.ts'
import { sealed } from '../log/sealed.ts'

const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-hostile-'))
const system = {
  profile: 'v6.12',
  mms: ['mm0'],
  actors: [
    { name: 'mm0.mmap_lock', machine: 'mmap_lock', input: {} },
    { name: 'mm0.registry', machine: 'registry', input: {} },
    { name: 'cpu0', machine: 'thread', input: { mm: 'mm0', program: [] } },
  ],
}
const header = `{"mirrorwalk":1,"model":"m","system":${JSON.stringify(system)},"chooser":"c","seed":null,"title":"t"}`
const step = (n: number, set: string): string => `{"n":${n},"by":"cpu0","do":"x","cause":0,"event":{"type":"e"},"set":${set},"facts":[]}`

function written(name: string, records: readonly string[]): string {
  const path = join(folder, name)
  writeFileSync(path, sealed(records))
  return path
}

test('keys that are names of prototypes change no prototype', () => {
  const run = openRecording(
    written('proto', [header, step(1, '{"cpu0":[0,{"__proto__":{"bad":1},"constructor":7}],"__proto__":["x",{}]}')]),
  )
  assert.is(run.last, 1)
  const context = run.world(1).actors[3]?.context ?? {}
  assert.is((context as { bad?: number }).bad, undefined)
  assert.is(({} as { bad?: number }).bad, undefined)
  assert.throws(() => pathOf(run.system, 'cpu0.__proto__.toString'), /expected something of cpu0 \(state, .*got '__proto__'/)
  assert.is(pathOf(run.system, 'files.__proto__').read(run.world(1)), undefined)
})

test('a record of another kind, or out of its place, ends what is believed', () => {
  for (const record of [
    '5',
    '[]',
    '{"n":3}',
    step(7, '{}'),
    '{"checkpoint":9,"world":{},"digest":""}',
    `{"n":2,"x":${'['.repeat(5000)}${']'.repeat(5000)}}`,
  ]) {
    const run = openRecording(written('odd', [header, step(1, '{}'), record]))
    assert.is(run.last, 1, record.slice(0, 30))
    assert.is(run.log.damage?.line, 3)
  }
})

test.after(() => rmSync(folder, { recursive: true }))
test.run()
