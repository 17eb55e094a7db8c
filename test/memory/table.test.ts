/** `Table` against a Map: whatever is written, both say the same, and equal entries are told alike. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { INDEX_LIMIT, Table } from '../../src/memory/table.ts'

interface Write {
  readonly index: number
  readonly count: number
  readonly value: number
  readonly stride: number
}

/** Near the borders of leaves and of levels, and anywhere. */
const index = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 4000, max: 4200 }),
  fc.integer({ min: 262_000, max: 262_400 }),
  fc.integer({ min: 0, max: INDEX_LIMIT - 300 }),
)
const write: fc.Arbitrary<Write> = fc
  .record({
    index,
    count: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 200 })),
    value: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 1000 })),
    stride: fc.integer({ min: -2, max: 3 }),
  })
  .map(w => (w.stride < 0 ? { ...w, count: Math.min(w.count, Math.floor(w.value / -w.stride) + 1) } : w))
const writes = fc.array(write, { maxLength: 30 })

function both(list: readonly Write[]): { readonly table: Table; readonly map: ReadonlyMap<number, number> } {
  let table = Table.empty
  const map = new Map<number, number>()
  for (const { index: first, count, value, stride } of list) {
    table = table.setRange(first, count, value, stride)
    for (let i = 0; i < count; i++) map.set(first + i, value + i * stride)
  }
  for (const [i, value] of map) if (value === 0) map.delete(i)
  return { table, map }
}
const sorted = (map: ReadonlyMap<number, number>): readonly (readonly [number, number])[] => [...map].toSorted(([a], [b]) => a - b)
const entriesOf = (table: Table): readonly (readonly [number, number])[] =>
  [...table.runs()].flatMap(([first, count, value, stride]) =>
    Array.from({ length: count }, (_, i) => [first + i, value + i * stride] as const),
  )

test('says what was written', () => {
  fc.assert(
    fc.property(writes, index, (list, at) => {
      const { table, map } = both(list)
      assert.equal(entriesOf(table), sorted(map))
      for (const { index: i } of list) assert.is(table.get(i), map.get(i) ?? 0)
      assert.is(table.get(at), map.get(at) ?? 0)
    }),
  )
})

test('finds the next entry and the next gap', () => {
  fc.assert(
    fc.property(writes, index, (list, from) => {
      const { table, map } = both(list)
      const end = Math.min(INDEX_LIMIT, from + 5000)
      const next = sorted(map).find(([i]) => i >= from)?.[0] ?? INDEX_LIMIT
      assert.is(table.next(from, end), Math.min(next, end))
      let gap = from
      while (map.has(gap)) gap++
      assert.is(table.gap(from), gap)
    }),
  )
})

test('runs can be bounded', () => {
  fc.assert(
    fc.property(writes, index, fc.integer({ min: 0, max: 500 }), (list, from, count) => {
      const { table, map } = both(list)
      assert.equal(
        [...table.indices(from, from + count)],
        sorted(map).flatMap(([i]) => (i >= from && i < from + count ? [i] : [])),
      )
      const inside = [...table.runs(from, from + count)].reduce((sum, [, n]) => sum + n, 0)
      assert.is(inside, sorted(map).filter(([i]) => i >= from && i < from + count).length)
    }),
  )
})

test('the changes from one table to another make the other of it', () => {
  fc.assert(
    fc.property(writes, writes, fc.boolean(), (first, second, onTop) => {
      const before = both(first).table
      const after = both(onTop ? [...first, ...second] : second).table
      let made = before
      for (const [i, count, value, stride] of before.changesTo(after)) made = made.setRange(i, count, value, stride)
      assert.equal(entriesOf(made), entriesOf(after))
      assert.equal(after.changesTo(after), [])
    }),
  )
})

test('equal entries are told alike, whatever way they came about', () => {
  fc.assert(
    fc.property(writes, list => {
      const { table, map } = both(list)
      const built = sorted(map)
        .toReversed()
        .reduce((t, [i, value]) => t.set(i, value), Table.empty)
      assert.is(JSON.stringify(built), JSON.stringify(table))
      assert.is(JSON.stringify(Table.of(table.toJSON().$table)), JSON.stringify(table))
      const emptied = list.reduce((t, { index: i, count }) => t.setRange(i, count, 0, 0), table)
      assert.ok(emptied === Table.empty)
    }),
  )
})

test('a run that comes down to 0 ends before it', () => {
  const down = Table.empty.setRange(10, 4, 3, -1)
  assert.equal([...down.runs()], [[10, 3, 3, -1]])
  assert.equal([...down.set(10, 0).runs()], [[11, 2, 2, -1]])
  assert.equal([...down.runs(12)], [[12, 1, 1, 0]])
  assert.equal(Table.of(down.toJSON().$table).changesTo(down), [])
})

test('a table stays as it was when another is made of it', () => {
  const before = Table.empty.setRange(60, 10, 5, 1)
  const after = before.update(60, 10, (entry, i) => entry * i)
  assert.equal(
    entriesOf(before),
    Array.from({ length: 10 }, (_, i) => [60 + i, 5 + i]),
  )
  assert.is(after.get(69), 14 * 69)
})

test('looking beyond the last index finds nothing', () => {
  assert.is(Table.empty.next(INDEX_LIMIT - 1, INDEX_LIMIT + 5), INDEX_LIMIT + 5)
  assert.equal([...Table.empty.set(3, 1).runs(4, INDEX_LIMIT + 5)], [])
})

test('indices outside are refused, and say which', () => {
  assert.throws(() => Table.empty.set(-1, 1), /indices -1 to -1 are outside/)
  assert.throws(() => Table.empty.setRange(INDEX_LIMIT - 1, 2, 1, 0), /are outside 0\.\./)
  assert.is(Table.empty.set(INDEX_LIMIT - 1, 7).get(INDEX_LIMIT - 1), 7)
})

test.run()
