/** Rows, interning and tokens: what the explorer's memory is made of. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BadToken, choicesOf, tokenOf } from 'mirrorwalk/explore'
import { Interner } from '../../src/explore/worlds/intern.ts'
import { Rows } from '../../src/explore/worlds/rows.ts'
import { Table } from '../../src/memory/table.ts'

test('rows are found again whatever the size of their numbers, in the order in which they came, with where they came from', () => {
  const number = fc.oneof(fc.nat(3), fc.nat(300), fc.nat(100_000), fc.nat(2 ** 30))
  fc.assert(
    fc.property(fc.array(fc.array(number, { minLength: 7, maxLength: 7 }), { maxLength: 60 }), drawn => {
      const rows = new Rows(7)
      const known = new Map<string, number>()
      for (const [i, numbers] of drawn.entries()) {
        const row = Int32Array.from([0, ...numbers])
        assert.is(rows.indexOf(row, 1), known.get(numbers.join()) ?? -1)
        const before = known.get(numbers.join())
        assert.is(rows.add(row, 1, i - 1), before === undefined ? known.size : ~before)
        if (before === undefined) known.set(numbers.join(), known.size)
      }
      assert.is(rows.size, known.size)
      const row = new Int32Array(7)
      for (const [numbers, state] of known) {
        rows.read(state, row)
        assert.is(row.join(), numbers)
        assert.is(rows.from(state), drawn.findIndex(other => other.join() === numbers) - 1)
      }
    }),
  )
})

test('a hundred thousand rows of ten small numbers take less than 64 bytes each', () => {
  const rows = new Rows(10)
  const row = new Int32Array(10)
  for (let i = 0; i < 100_000; i++) {
    for (let c = 0; c < 10; c++) row[c] = (i >>> (c * 2)) & 63
    row[0] = i % 1000
    rows.add(row, 0, i - 1)
  }
  assert.ok(rows.size > 50_000)
  assert.ok(rows.bytes / rows.size < 64, String(rows.bytes / rows.size))
})

test('equal values have one number, others have others', () => {
  const interner = new Interner()
  const table = Table.empty.setRange(5, 3, 7, 1)
  const value = { a: [1, { b: 'x' }], t: table, none: null }
  const same = { none: null, t: Table.empty.setRange(5, 3, 7, 1), a: [1, { b: 'x' }] }
  assert.is(interner.id(value), interner.id(same))
  assert.is(interner.value(interner.id(same)), value)
  const others = [
    { ...value, none: undefined },
    { ...value, a: [1, { b: 'y' }] },
    { ...value, t: table.set(9, 1) },
    1,
    '1',
    true,
    'true',
    [],
    {},
    [[]],
    null,
  ]
  assert.is(new Set([value, ...others].map(other => interner.id(other))).size, others.length + 1)
  assert.throws(() => interner.id({ f: () => 1 }), /plain data/)
})

test('a token says the same choices again, and belongs to its system', () => {
  const names = ['cpu0', 'gpu0', 'gpu0.range']
  const choice = fc.record(
    { by: fc.constantFrom(...names), offer: fc.nat(2), budget: fc.constantFrom(1, Infinity) },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(choice), choices => {
      assert.equal(choicesOf(names, tokenOf(names, choices)), choices)
    }),
  )
  const token = tokenOf(names, [{ by: 'cpu0', offer: 0, budget: 1 }])
  const bad = (word: string, of = names): string => {
    try {
      choicesOf(of, word)
    } catch (error) {
      if (error instanceof BadToken) return error.message
    }
    return ''
  }
  assert.match(bad(token, ['cpu0', 'gpu1', 'gpu1.range']), 'other actors')
  assert.match(bad('y1-1234-0b1'), 'no token')
  assert.match(bad(`${token}-9b1`), 'is no choice')
  assert.match(bad(`${token}-0c1`), 'is no choice')
})

test.run()
