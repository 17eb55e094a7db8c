/** Time travel over logs: every place has the world that the run had there, whichever way one came. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cursor, DamagedLog, differs, lastChange, nextChange, openRecording, pathOf, queryIn, type Stop } from '../../src/inspect.ts'
import { LogFile } from '../../src/log/log-file.ts'
import { readLog, isStep } from '../../src/log/reader.ts'
import { digestOf, foldStep } from '../../src/log/records.ts'
import { initialWorld } from '../../src/system/world.ts'
import { writeLongLog } from '../bench/long-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-recording-'))
const long = join(folder, 'long.jsonl')
const STEPS = 24_000
writeLongLog(long, STEPS)

/** The digests of the worlds of a log, folded from the beginning. */
const run = openRecording(long)
const log = readLog(readFileSync(long), long)
const worlds = [initialWorld(run.system)]
for (const record of log.records.filter(isStep)) worlds.push(foldStep(run.system, worlds.at(-1) ?? initialWorld(run.system), record))
const isRight = (n: number): boolean => {
  const world = worlds[n]
  return world !== undefined && digestOf(run.system, run.world(n)) === digestOf(run.system, world)
}

test('a log of many blocks opens by its index, and not whole', () => {
  assert.ok(run.log.blocks.length > 20, String(run.log.blocks.length))
  assert.is(run.last, STEPS)
  assert.is(run.log.damage, undefined)
})

test('any place has the world that the run had there', () => {
  for (const n of [0, 1, 511, 512, 513, 1024, 5000, 12_345, STEPS - 1, STEPS, 700, 3]) assert.ok(isRight(n), String(n))
})

test('any place in any order: worlds between those that are kept are folded again', () => {
  const walk = fc.array(fc.tuple(fc.integer({ min: 2000, max: 3600 }), fc.integer({ min: -40, max: 40 })), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(walk, places => {
      const fresh = openRecording(long)
      for (const [n, length] of places) {
        for (let k = 0; k !== length; k += Math.sign(length)) {
          const [is, was] = [fresh.world(n + k), worlds[n + k]]
          if (k % 9 === 0) assert.is(digestOf(fresh.system, is), digestOf(run.system, was ?? is), String(n + k))
        }
      }
      fresh.log.close()
    }),
    { numRuns: 40 },
  )
})

test('one step back from anywhere, again and again', () => {
  const cursor = new Cursor(run, 6000)
  for (let n = 5999; n > 4000; n--) {
    assert.is(cursor.reverseStep().n, n)
    if (n % 97 === 0 || n % 512 < 2) assert.ok(isRight(n), String(n))
  }
})

test('a search that is stopped stays where it has come to, and can be gone on with', () => {
  for (const text of ['frame.2.refs = 99', 'commit inside invalidation']) {
    const cursor = new Cursor(run, 3000)
    const condition = queryIn(run, text)
    const searching = cursor.searching([condition])
    assert.is(searching.next(false).done, false, 'it tells how far it is')
    const { done, value } = searching.next(true)
    assert.is(done, true)
    assert.is((value as Stop).why, 'stopped')
    assert.ok(cursor.n >= 3000 && cursor.n < 4000, String(cursor.n))
    assert.equal(cursor.continue([condition]), new Cursor(run, 3000).continue([condition]))
  }
})

test('an index made anew is the one that was made while recording', () => {
  const copy = join(folder, 'copy.jsonl')
  copyFileSync(long, copy)
  let told = 0
  const made = LogFile.open(copy, { progress: () => void told++ })
  assert.equal(made.blocks, run.log.blocks)
  assert.ok(told > 0)
  if (statSync(copy).size > 4 << 20) {
    assert.equal(readFileSync(`${copy}.idx`), readFileSync(`${long}.idx`))
    // An index of another log, or of less of this one, is not believed.
    writeFileSync(`${copy}.idx`, readFileSync(`${long}.idx`, 'utf8').replace('"log":"', '"log":"x'))
    assert.equal(LogFile.open(copy).blocks, run.log.blocks)
  }
})

test('searching by the index finds what searching every step finds', () => {
  for (const text of [
    '16',
    'gpu0.table.16',
    'frame.2.refs',
    'mm0.registry.invalidate_seq',
    'frame.9',
    'mm0.vmas',
    'cpu0.program',
    'mm0.pmd.0',
    '400000',
    'batches',
  ]) {
    const path = pathOf(run.system, text)
    for (const n of [300, 1500, 7777]) {
      const changes = (at: number): boolean => differs(path, worlds[at - 1] ?? run.world(at - 1), worlds[at] ?? run.world(at))
      let [before, after] = [n, n]
      while (before > 0 && !changes(before)) before--
      while (after <= STEPS && !changes(after)) after++
      assert.is(lastChange(run, path, n) ?? 0, before, `${text} up to ${n}`)
      assert.is(nextChange(run, path, n) ?? STEPS + 1, after, `${text} from ${n}`)
    }
  }
})

test('watchpoints stop at the same steps in both directions', () => {
  const cursor = new Cursor(run)
  cursor.watch(pathOf(run.system, 'gpu0.table.16'))
  const there: number[] = []
  for (let stop = cursor.continue(); stop.why === 'watch'; stop = cursor.continue()) there.push(stop.n)
  const back: number[] = []
  cursor.goto('end')
  for (let stop = cursor.reverseContinue(); stop.why === 'watch'; stop = cursor.reverseContinue()) back.push(stop.n)
  assert.ok(there.length > 2)
  assert.equal(back.toReversed(), there)
})

test('a log that was cut off is looked at as far as it can be believed', () => {
  const cut = join(folder, 'cut.jsonl')
  copyFileSync(long, cut)
  copyFileSync(`${long}.idx`, `${cut}.idx`)
  truncateSync(cut, 1_000_003)
  const part = openRecording(cut)
  assert.ok(part.last > 1000 && part.last < STEPS)
  assert.is(part.log.damage?.after, part.last)
  assert.is(digestOf(run.system, part.world(part.last)), digestOf(run.system, worlds[part.last] ?? run.world(0)))
  assert.ok(existsSync(cut))
})

test('an altered record behind a sound index is found when it is needed', () => {
  const altered = join(folder, 'altered.jsonl')
  const bytes = readFileSync(long)
  const at = bytes.indexOf('"n":3000,')
  bytes.write('"n":3001,', at)
  writeFileSync(altered, bytes)
  copyFileSync(`${long}.idx`, `${altered}.idx`)
  const opened = openRecording(altered)
  assert.ok(digestOf(run.system, opened.world(100)) !== '')
  assert.throws(
    () => opened.world(3000),
    (error: unknown) => error instanceof DamagedLog && /steps 2561 to 3072: record 440 of them is not what was written/.test(error.message),
  )
})

test.after(() => rmSync(folder, { recursive: true }))
test.run()
