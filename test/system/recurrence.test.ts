/** Worlds that come back are known, whatever their sequence numbers; worlds that go on are not taken for them. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ProgramRun } from '../../src/conformance/run.ts'
import { Table } from '../../src/memory/table.ts'
import { isSameWorld, Recurrence } from '../../src/system/recurrence.ts'
import type { World } from '../../src/system/world.ts'

const world = (context: object, memory: object = {}): World<object> => ({ memory, actors: [{ value: 'walks', context }] })
const comesBack = (worlds: readonly World<object>[]): boolean => {
  const seen = new Recurrence(worlds[0] as World<object>)
  return worlds.slice(1).some(w => seen.next(w))
}

test('tables are the same by what they hold', () => {
  const table = Table.empty.set(5, 1)
  assert.ok(isSameWorld(world({}, { table }), world({}, { table: table.set(9, 1).set(9, 0) })))
  assert.not.ok(isSameWorld(world({}, { table }), world({}, { table: table.set(9, 1) })))
})

test('of sequence numbers, only their order counts, and whether they are odd', () => {
  const at = (seq: number, known: number): World<object> => world({ invalidate_seq: seq, notifier: { seq: known } })
  assert.ok(isSameWorld(at(4, 2), at(8, 6)))
  assert.not.ok(isSameWorld(at(4, 2), at(5, 3)))
  assert.not.ok(isSameWorld(at(4, 2), at(6, 6)))
  assert.not.ok(isSameWorld(world({ left: 4 }), world({ left: 6 })))
})

test('a circle is noticed however late it begins, and what only counts is none', () => {
  const lead = Array.from({ length: 37 }, (_, left) => world({ left }))
  const circle = Array.from({ length: 33 }, (_, i) => world({ at: i % 11, seq: 2 * i }))
  assert.ok(comesBack([...lead, ...circle, ...circle]))
  assert.not.ok(comesBack(Array.from({ length: 500 }, (_, left) => world({ left }))))
})

test('a write fault where nothing may be written hangs Linux 5.2, and a gap kills it', () => {
  const last = (...ops: readonly string[]): string | undefined => {
    const run = new ProgramRun(ops, 'v5.2')
    return ops.map(op => run.op(op)).at(-1)?.oops
  }
  assert.is(last('mmap 16 1 anon r p', 'rfault 16 1 w . - .'), 'hang')
  assert.is(last('mmap 17 1 anon rw p', 'rfault 16 2 r . - .'), 'handle_mm_fault')
  assert.is(last('mmap 16 1 anon rw p', 'rfault 16 1 w . - .'), undefined)
})

test.run()
