/** Conditions of where to stop: what they hold of, and how mistakes in them are told. */
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BadCondition, BadPath, conditionOf, Cursor, openRecording } from '../../src/inspect.ts'

const run = openRecording(join(import.meta.dirname, '../fixtures/logs/race-v5.2.jsonl'))

/** The steps at which a condition stops, going on from the beginning. */
function stops(text: string): readonly number[] {
  const cursor = new Cursor(run)
  const condition = conditionOf(run.system, text)
  const found: number[] = []
  for (let stop = cursor.continue([condition]); stop.why === 'condition'; stop = cursor.continue([condition])) found.push(stop.n)
  return found
}

const cases: Readonly<Record<string, readonly number[]>> = {
  'do commit': [30],
  'by gpu0.range and do driver_lock': [28],
  'changes 16': [9, 24],
  'changes frame.2.refs': [9, 24],
  '16 = "#2 WDA" and by gpu0.range': [12, 13, 14, 15, 16, 17, 18],
  'frame.2.refs >= 1 and not by gpu0.range': [9, 10, 11, 19, 20, 21, 22, 23],
  'mm0.registry.active_invalidate_ranges > 0': [21, 22, 23, 24],
  'mm0.mmap_lock.state == written': [2, 3],
  noStaleDeviceMapping: [30, 31, 32, 33],
  'breaks noStaleDeviceMapping and do return': [33],
  '(do commit or do driver_lock) and gpu0.table.16 != none': [30],
  'gpu0.table.16': [30, 31, 32, 33],
}
for (const [text, steps] of Object.entries(cases)) {
  test(text, () => {
    assert.equal(stops(text), steps)
  })
}

test('what holds, and why, is told', () => {
  const stop = new Cursor(run).continue([conditionOf(run.system, 'noStaleDeviceMapping')])
  assert.match(stop.condition?.why?.(run, stop.n) ?? '', /^gpu0 still maps page 16 to frame 2/)
})

const mistakes: Readonly<Record<string, RegExp>> = {
  '': /expected a condition, got its end/,
  'do commit or': /expected a condition, got its end/,
  '(do commit': /expected '\)', got its end/,
  'do commit 7': /expected 'and', 'or' or the end, got '7'/,
  'breaks everything': /expected an oracle: noStaleDeviceMapping, .*, got 'everything'/,
  'by me': /expected one of the actors folio_lock, .*, got 'me'/,
}
for (const [text, message] of Object.entries(mistakes)) {
  test(`'${text}' is refused`, () => {
    assert.throws(
      () => conditionOf(run.system, text),
      (error: unknown) => error instanceof BadCondition && message.test(error.message),
    )
  })
}

test('a path that leads nowhere is refused', () => {
  for (const text of ['nothing', 'frame.x', 'frames'])
    assert.throws(
      () => conditionOf(run.system, text),
      (error: unknown) => error instanceof BadPath,
      text,
    )
})

test.run()
