/**
 * A run that is killed at any moment loses at most the batch of records that it was about to write; with `sync`, at most the
 * one. MIRRORWALK_KILLS says how often it is killed; 20 times if not said.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readLog, repairLog, scanLog, verifyLog } from '../../src/inspect.ts'
import { isStep } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { decideAgain } from '../../src/log/replay.ts'
import { beginAgain } from '../../src/scenario/redo.ts'
import { linuxSystem, type SystemSpec } from '../../src/scenario/standard.ts'

const KILLS = Number(process.env['MIRRORWALK_KILLS'] ?? 20)
const BATCH = 32
const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-killed-'))
const [log, count, repaired] = [join(folder, 'log.jsonl'), join(folder, 'count'), join(folder, 'repaired.jsonl')]

/** Runs it, and kills it so many milliseconds after it has begun. */
function killed(ms: number, sync: boolean): Promise<void> {
  return new Promise(resolve => {
    const args = [
      '--conditions=source',
      '--import',
      'tsx',
      join(import.meta.dirname, 'killed-run.ts'),
      log,
      count,
      ...(sync ? ['sync'] : []),
    ]
    const child = spawn(process.execPath, args, { cwd: root })
    child.stdout.once('data', () => void setTimeout(() => child.kill('SIGKILL'), ms))
    child.on('close', () => resolve())
  })
}

/** What is left of the log, and how many steps had been taken. */
function left(): { readonly taken: number; readonly kept: number; readonly bytes: Buffer } {
  const bytes = readFileSync(log)
  const counted = readFileSync(count)
  const read = readLog(bytes, log)
  assert.is(read.damage?.cut, true)
  return { taken: counted.length === 8 ? counted.readDoubleLE() : 0, kept: read.records.filter(isStep).length, bytes }
}

/** The log, whole again; named by its last whole step. */
async function repair(kept: number): Promise<void> {
  const fd = openSync(log, 'r')
  const scan = scanLog(fd, log)
  const chunks: Buffer[] = []
  const result = await repairLog(linuxSystem(scan.header.system as SystemSpec), scan, lines => void chunks.push(Buffer.from(lines)))
  closeSync(fd)
  assert.is(result?.steps, kept)
  writeFileSync(repaired, Buffer.concat(chunks))
  const again = openSync(repaired, 'r')
  const verified = await verifyLog(scanLog(again, repaired))
  closeSync(again)
  assert.equal([verified.damage, verified.stopped, verified.steps, verified.end?.why], [undefined, false, kept, 'interrupted'])
}

/** What was lost is decided again from the header, and what was kept is how it begins. */
function redo(bytes: Buffer, taken: number): void {
  const { header, texts } = readLog(bytes, log)
  const run = beginAgain(header, { steps: taken + 50 })
  const chunks: Buffer[] = []
  const { mirrorwalk: _, ...rest } = header
  const writer = new LogWriter(run.system, run.live.world, rest, lines => void chunks.push(Buffer.from(lines))).follow(run.entries$)
  let report = run.advance()
  while (report === undefined) report = run.advance()
  writer.end(report.ended.why)
  const whole = Buffer.concat(chunks)
  const sound = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1)
  assert.is(Buffer.compare(whole.subarray(0, sound.length), sound), 0)
  assert.ok(readLog(whole, 'again').texts.length > texts.length)
}

let seed = 1
/** Times spread over the run; the seed makes them the same each time, as far as a clock can. */
const random = (): number => {
  seed = (seed * 16807) % 2147483647
  return seed / 2147483647
}

for (const sync of [false, true]) {
  test(`kill -9, ${sync ? 'with sync: at most the record being written is lost' : 'at most one batch is lost'}`, async () => {
    let most = 0
    for (let i = 0; i < KILLS / 2; i++) {
      await killed(random() * 400, sync)
      const { taken, kept, bytes } = left()
      const lost = taken - kept
      assert.ok(lost <= (sync ? 1 : BATCH), `${taken} steps taken, ${kept} kept`)
      most = Math.max(most, taken)
      await repair(kept)
      if (i === 0) redo(bytes, taken)
      if (i === 0) {
        const { header } = readLog(bytes, log)
        const system = linuxSystem(header.system as SystemSpec)
        assert.is(decideAgain(system, readLog(readFileSync(repaired), repaired), 'test').difference, undefined)
      }
    }
    assert.ok(most > 100, `${most} steps at most: nothing was killed while it ran`)
  })
}

test.after(() => rmSync(folder, { recursive: true }))
test.run()
