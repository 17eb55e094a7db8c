/** Logs that were cut, changed or never were one: replayed up to the damage, or refused with a message; never accepted. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import stale from '../../scenarios/seeds/004-stale-valid.ts'
import { linesOf } from '../../src/log/lines.ts'
import { NotALog, readLog, Scan, type ReadLog } from '../../src/log/reader.ts'
import { decideAgain, foldLog } from '../../src/log/replay.ts'
import { roundRobin } from '../../src/system/choosers/round-robin.ts'
import { repairLog, verifyLog } from '../../src/log/verify.ts'
import { logged } from './logged.ts'
import { long } from './long.ts'

const { system, bytes } = logged(stale.build('v6.12'), roundRobin())
const whole = readLog(bytes, 'log')
const replayedTo = new Set<number>()

/** What becomes of bytes that are not the log: a refusal, or damage that is named, with what stands before it replayed. */
function handled(changed: Buffer): 'refused' | 'damaged' {
  let log: ReadLog
  try {
    log = readLog(changed, 'log')
  } catch (error) {
    assert.instance(error, NotALog)
    assert.match((error as NotALog).message, /^log: /)
    return 'refused'
  }
  assert.ok(log.damage !== undefined, 'a changed log was accepted')
  assert.ok(log.damage.line >= 1 && log.damage.what.length > 20)
  assert.equal(log.texts, whole.texts.slice(0, log.texts.length))
  // Logs that are as much of the whole one as another was are replayed once.
  if (replayedTo.has(log.texts.length)) return 'damaged'
  replayedTo.add(log.texts.length)
  for (const replayed of [decideAgain(system, log, 'test'), foldLog(system, log)]) {
    assert.is(replayed.difference, undefined)
    assert.is(replayed.steps, log.damage.after)
  }
  return 'damaged'
}

test('cut at every byte', () => {
  const counts = { refused: 0, damaged: 0 }
  for (let length = 0; length < bytes.length; length++) counts[handled(bytes.subarray(0, length))]++
  const header = bytes.indexOf('\n') + 1
  assert.equal(counts, { refused: header, damaged: bytes.length - header })
})

test('one bit flipped, at each of 1,000 places', () => {
  const counts = { refused: 0, damaged: 0 }
  for (let i = 0; i < 1000; i++) {
    const at = Math.floor((i * bytes.length) / 1000)
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ (1 << (i % 8))
    counts[handled(changed)]++
  }
  assert.is(counts.refused + counts.damaged, 1000)
  assert.ok(counts.damaged > 500)
})

test('a letter made a capital, wherever there is one: also in the checksums', () => {
  for (let at = 0; at < bytes.length; at++) {
    const letter = bytes[at] ?? 0
    if (letter < 0x61 || letter > 0x7a) continue
    const changed = Buffer.from(bytes)
    changed[at] = letter ^ 0x20
    handled(changed)
  }
})

test('records dropped, doubled, moved or put in from another log', () => {
  const lines = bytes.toString().trimEnd().split('\n')
  const other = logged(stale.build('v5.2'), roundRobin()).bytes.toString().trimEnd().split('\n')
  const from = (list: readonly string[]): Buffer => Buffer.from(`${list.join('\n')}\n`)
  for (let i = 1; i < lines.length; i++) {
    handled(from(lines.toSpliced(i, 1)))
    handled(from(lines.toSpliced(i, 0, lines[i] as string)))
    if (i + 1 < lines.length) handled(from([...lines.slice(0, i), lines[i + 1] as string, lines[i] as string, ...lines.slice(i + 2)]))
    if (other[i] !== undefined) handled(from(lines.with(i, other[i] as string)))
  }
  handled(from([...lines, '{}']))
})

test('bytes of any kind', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(bytes.length), (noise, at) => {
      assert.is(handled(Buffer.from(noise)), 'refused')
      if (noise.length > 0) handled(Buffer.concat([bytes.subarray(0, at), noise]))
    }),
  )
})

const refusals: readonly (readonly [string, string, RegExp])[] = [
  ['an empty file', '', /^x\.jsonl: empty\. Expected an event log, which begins with a header line/],
  [
    'another kind of file',
    'PK\u0003\u0004 not JSON at all',
    /^x\.jsonl: not an event log\. Expected a first line \{"mirrorwalk":3,…\}, got/,
  ],
  ['other JSON', '{"program":"anon-1","kernel":"6.12"}\n', /^x\.jsonl: not an event log/],
  ['a newer format', '{"mirrorwalk":7,"model":"9.0"}\n', /^x\.jsonl: format 7; this version reads logs up to format 3/],
  [
    'a header that was changed',
    bytes.toString().replace('seed 004', 'seed 005'),
    /^x\.jsonl: the header, its first line, is cut off or was changed/,
  ],
]
for (const [what, text, message] of refusals) {
  test(`${what} is refused with a message`, () => {
    assert.throws(
      () => readLog(Buffer.from(text), 'x.jsonl'),
      (error: unknown) => error instanceof NotALog && message.test(error.message),
    )
  })
}

test('damage is named by line, and by what can still be believed', () => {
  const lines = bytes.toString().split('\n')
  const changed = lines.with(9, (lines[9] as string).replace('"cause":', '"cause":1')).join('\n')
  assert.equal(readLog(Buffer.from(changed), 'log').damage, {
    line: 10,
    after: 8,
    what: 'this record is not what was written: its checksum does not follow from the record before it',
  })
  assert.equal(readLog(bytes.subarray(0, -5), 'log').damage?.what, 'the log was cut off in the middle of this record')
  const unended = Buffer.from(`${lines.slice(0, -2).join('\n')}\n`)
  assert.match(readLog(unended, 'log').damage?.what ?? '', /the one that ends a log is missing/)
})

test('who stops in the midst of a log that is whole is not told that it is damaged', async () => {
  const { bytes: many, system: of } = logged(long.build('v6.12'), roundRobin(), { steps: 3000 })
  const scan = (): Scan => new Scan(linesOf(many), 'log')
  const { damage, stopped, steps } = await verifyLog(scan(), step => step < 2048)
  assert.equal([damage, stopped, steps], [undefined, true, 2048])
  assert.is(
    await repairLog(
      of,
      scan(),
      () => {},
      step => step < 2048,
    ),
    undefined,
  )
})

test.run()
