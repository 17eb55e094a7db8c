/** A change, written and read as JSON, makes the new value of the old one. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { change, changed, isNoChange, revived } from '../../src/log/values.ts'
import { Table, type Run } from '../../src/memory/table.ts'

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const same = (a: unknown, b: unknown): void => assert.is(JSON.stringify(a), JSON.stringify(b))

const run: fc.Arbitrary<Run> = fc.tuple(
  fc.integer({ min: 0, max: 200 }),
  fc.integer({ min: 1, max: 70 }),
  fc.integer({ min: 0, max: 50 }),
  fc.integer({ min: 0, max: 2 }),
)
const table = fc.array(run, { maxLength: 5 }).map(runs => Table.of(runs))
const item = fc.record(
  { do: fc.constantFrom('walk', 'zap'), mm: fc.constant('mm0'), at: fc.nat(9), end: fc.nat(9), array: table },
  { requiredKeys: ['do', 'mm', 'at'] },
)
const list = fc.array(item, { maxLength: 5 })

/** Whatever was changed, the change tells it. */
const tells = (before: unknown, after: unknown): void => {
  const told = change(before, after)
  if (!isNoChange(told)) same(changed(before, throughJson(told)), after)
  else same(before, after)
}

test('lists, with what they keep at their end', () => {
  fc.assert(
    fc.property(list, list, fc.nat(5), (before, put, kept) => {
      tells(before, [...put, ...before.slice(before.length - Math.min(kept, before.length))])
      tells(before, before)
      tells([], put)
      tells(put, [])
    }),
    { numRuns: 1000 },
  )
})

test('an item with its cursor moved tells what moved', () => {
  const walk = { do: 'walk', mm: 'mm0', at: 1, end: 9 }
  const rest = { do: 'unlock', mm: 'mm0' }
  assert.equal(change([walk, rest], [{ ...walk, at: 4 }, rest]), { $list: [1, { $moved: { at: 4 } }] })
  assert.ok(isNoChange(change([walk, rest], [walk, rest])))
})

test('tables', () => {
  fc.assert(fc.property(table, table, (before, after) => tells(before, after)))
  assert.ok(isNoChange(change(Table.of([[1, 2, 3, 0]]), Table.of([[1, 2, 3, 0]]))))
})

test('anything else, by itself', () => {
  for (const [before, after] of [
    [1, 2],
    [null, 'EBUSY'],
    ['EBUSY', null],
    [[1], null],
    [null, [1, 2]],
    [{ a: 1 }, { a: 2 }],
    [Table.empty, null],
  ])
    tells(before, after)
})

test('tables come back wherever they stand', () => {
  const value = { deep: [{ t: Table.of([[5, 2, 7, 1]]) }], none: null }
  const back = revived(throughJson(value)) as typeof value
  assert.ok(back.deep[0]?.t instanceof Table)
  same(back, value)
  const text = '{"a":[1,{"__proto__":{"$table":[[1,1,7,0]]},"b":2}],"c":{"d":[]}}'
  const read = JSON.parse(text) as { readonly a: unknown; readonly c: unknown }
  const made = revived(read) as typeof read
  assert.is(JSON.stringify(read), text, 'what was read stays as it is')
  assert.is(JSON.stringify(made), text)
  assert.is(made.c, read.c, 'what has no table is not copied')
  assert.is.not(made.a, read.a)
})

test.run()
