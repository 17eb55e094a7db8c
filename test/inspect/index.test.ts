/** The index beside a log: believed where it fits the log, made anew where it does not, and never in the way of another file. */
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DamagedLog, openRecording, repairLog, scanLog, verifyLog } from '../../src/inspect.ts'
import { removeBeside } from '../../src/log/beside.ts'
import { mayTouch, type Keys } from '../../src/log/keys.ts'
import { LogFile } from '../../src/log/log-file.ts'
import { readLog } from '../../src/log/reader.ts'
import { digestOfText } from '../../src/log/records.ts'
import { decideAgain, foldLog } from '../../src/log/replay.ts'
import { writeLongLog } from '../bench/long-log.ts'
import { sealed, unsealed } from '../log/sealed.ts'

const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-index-'))
const long = join(folder, 'long.jsonl')
writeLongLog(long, 3000)
const bytes = readFileSync(long)
const index = unsealed(readFileSync(`${long}.idx`))
const { blocks, end } = LogFile.open(long)

let made = 0
/** A log with an index beside it, as files. */
function written(log: Buffer, beside: Buffer | string): string {
  const path = join(folder, `${made++}.jsonl`)
  writeFileSync(path, log)
  writeFileSync(`${path}.idx`, beside)
  return path
}

test('an index with fields that cannot be is of no log', () => {
  const change =
    (n: number, fields: object) =>
    (lines: object[]): object[] =>
      lines.with(n, { ...lines[n], ...fields })
  const [second = blocks[0], third = blocks[0]] = blocks.slice(1)
  for (const changed of [
    change(2, { at: 2 ** 45, end: 2 ** 45 + 100 }),
    change(2, { end: 2 ** 40 }),
    change(2, { at: -5 }),
    change(2, { at: second?.end, end: second?.at }),
    change(2, { from: 'x' }),
    change(2, { after: 5 }),
    change(2, { after: 'zzzzzzzz' }),
    change(2, { world: 5 }),
    change(2, { world: third?.world }),
    change(2, { world: null }),
    change(2, { steps: 5 }),
    change(2, { keys: undefined }),
    change(blocks.length, { steps: 1e15 }),
    (lines: object[]) => [lines[0] ?? {}, lines.at(-1) ?? {}],
    (lines: object[]) => lines.with(2, {}),
    (lines: object[]) => lines.toSpliced(2, 1),
  ]) {
    const lines = changed(index.map(line => JSON.parse(line) as object)).map(line => JSON.stringify(line))
    const log = LogFile.open(written(bytes, sealed(lines)))
    assert.equal([log.blocks, log.end, log.damage], [blocks, end, undefined], lines[2]?.slice(0, 80))
    log.close()
  }
  for (const line of ['5}', 'null}', '{"mirrorwalk-index"}'])
    assert.equal(LogFile.open(written(bytes, sealed([index[0] ?? '', line]))).blocks, blocks)
})

test('keys that are none rule nothing out', () => {
  for (const json of ['{}', '{"by":5,"do":null,"actors":{},"mms":{}}', '{"actors":{"gpu0":null},"rest":null}']) {
    const keys = JSON.parse(json) as Keys
    assert.is(mayTouch(keys, { in: 'by', name: 'cpu0' }), true)
    assert.is(mayTouch(keys, { in: 'rest', name: 'frames' }), true)
  }
})

test('the record that ends a log is read by its checksum', () => {
  for (const [from, to] of [
    ['"why":"', '"why":" '],
    ['"why":"', '"WHY":"'],
  ] as const) {
    const at = bytes.lastIndexOf(from)
    const altered = Buffer.concat([bytes.subarray(0, at), Buffer.from(to), bytes.subarray(at + from.length)])
    const log = LogFile.open(written(altered, readFileSync(`${long}.idx`)))
    assert.is(log.end, undefined)
    assert.match(log.damage?.what ?? '', /not what was written/)
  }
})

test('what stands beside a log and is no index is not waited for, written to or removed', () => {
  const path = join(folder, 'large.jsonl')
  writeLongLog(path, 40_000)
  assert.ok(statSync(path).size > 4 << 20)
  const whole = LogFile.open(path).blocks
  const beside = `${path}.idx`
  const precious = join(folder, 'precious.txt')
  writeFileSync(precious, 'mine')
  const opens = (): void => assert.equal(LogFile.open(path).blocks, whole)

  copyFileSync(precious, beside)
  opens()
  assert.equal([readFileSync(beside, 'utf8'), removeBeside(beside)], ['mine', false])
  rmSync(beside)
  if (spawnSync('mkfifo', [beside]).status === 0) opens()
  rmSync(beside, { force: true })
  mkdirSync(beside)
  opens()
  rmSync(beside, { recursive: true })
  symlinkSync(precious, beside)
  opens()
  assert.equal([lstatSync(beside).isSymbolicLink(), readFileSync(precious, 'utf8')], [false, 'mine'])
  assert.is(removeBeside(beside), true)

  // One that was cut off has an index, too, for as long as it stays as it is.
  truncateSync(path, statSync(path).size - 1000)
  const cut = LogFile.open(path)
  assert.ok(existsSync(beside) && cut.damage?.cut === true)
  let read = 0
  const again = LogFile.open(path, { progress: () => void read++ })
  assert.equal([again.blocks, again.damage, again.end, read], [cut.blocks, cut.damage, undefined, 0])
  const { last } = cut
  appendFileSync(path, '\n')
  assert.match(LogFile.open(path).damage?.what ?? '', /not what was written/)
  truncateSync(path, cut.blocks.at(-1)?.end)
  assert.equal([LogFile.open(path).last, LogFile.open(path).damage?.what.includes('behind')], [last, true])
})

/** The log with another world in its second checkpoint, sealed; `isTold`: with the digest of that. */
function lying(change: (world: string) => string, isTold: boolean): Buffer {
  const records = [...unsealed(bytes)]
  const i = records.findIndex((record, at) => at > 600 && record.startsWith('{"checkpoint":'))
  const [, before = '', world = '', digest = '', rest = ''] = /^(.*"world":)(.*)(,"digest":"\w+")(.*)$/.exec(records[i] ?? '') ?? []
  const other = change(world)
  records[i] = before + other + (isTold ? `,"digest":"${digestOfText(other)}"` : digest) + rest
  return sealed(records)
}

test('a checkpoint of another world than its digest is of ends what is believed, for everybody', async () => {
  const log = lying(world => world.replace(/"gpu0":\["\w+"/, '"gpu0":["LIES"'), false)
  const path = written(log, readFileSync(`${long}.idx`))
  const read = readLog(log, 'log')
  const { damage } = read
  assert.match(damage?.what ?? '', /world in this checkpoint is not the one that its digest is of/)
  const { system, log: opened } = openRecording(long)
  for (const replayed of [decideAgain(system, read, 'bench'), foldLog(system, read)])
    assert.equal([replayed.steps, replayed.end, replayed.difference], [damage?.after, undefined, undefined])
  const fd = openSync(path, 'r')
  assert.equal((await verifyLog(scanLog(fd, path))).damage, damage)
  const repaired: Buffer[] = []
  await repairLog(system, scanLog(fd, path), lines => void repaired.push(Buffer.from(lines)))
  closeSync(fd)
  const kept = readLog(Buffer.concat(repaired), 'repaired')
  assert.equal([kept.damage, kept.records.at(-1)], [undefined, { ...kept.records.at(-1), end: damage?.after, why: 'interrupted' }])
  opened.close()
})

test('a checkpoint that is no world is refused when it is asked for', () => {
  for (const change of [
    (world: string) => world.replace(/"actors":\{.*/, '"actors":{}}'),
    (world: string) => world.replace(/"gpu0":\[/, '"gpu0":[null,'),
    (world: string) => world.replace('"memory":', '"mem":'),
    (world: string) => world.replace('"program":[', '"program":[null,'),
    (world: string) => world.replace(/"\$table":\[/, '"$table":[[0,10,1,0],[5,10,2,0],'),
    () => '{}',
  ]) {
    const run = openRecording(written(lying(change, true), ''))
    const refused = (): unknown => run.world(1030)
    if (run.last > 1030)
      assert.throws(
        refused,
        (error: unknown) => error instanceof DamagedLog && /checkpoint at step \d+ is sealed, and makes no sense/.test(error.message),
      )
    else assert.match(run.log.damage?.what ?? '', /none has room for/)
  }
})

test.after(() => rmSync(folder, { recursive: true }))
test.run()
