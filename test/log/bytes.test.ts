/** JSON byte by byte is what `JSON.stringify` writes. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '../../src/log/bytes.ts'
import { Table } from '../../src/memory/table.ts'

const written = (value: unknown): string => {
  const to = new ByteWriter()
  to.value(value)
  return to.taken().toString('utf8')
}

test('any plain value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => assert.is(written(value), JSON.stringify(value))),
    { numRuns: 2000 },
  )
})

test('numbers of every kind', () => {
  const edges = [
    0,
    -0,
    1,
    -1,
    9,
    10,
    99,
    100,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    -(2 ** 31) + 1,
    2 ** 53,
    1.5,
    -0.25,
    1e21,
    5e-324,
    NaN,
    Infinity,
  ]
  for (const n of edges) assert.is(written(n), JSON.stringify(n))
  fc.assert(fc.property(fc.oneof(fc.integer(), fc.double()), n => assert.is(written(n), JSON.stringify(n))))
})

test('text that JSON has to escape, or that is not ASCII', () => {
  for (const text of ['"', '\\', '\n', '\u0000', '\u007f', 'ä', '漢', '😀', '\ud800', '</script>'])
    assert.is(written({ [text]: text }), JSON.stringify({ [text]: text }))
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => assert.is(written([text]), JSON.stringify([text]))))
})

test('tables are their runs, and what is undefined is left out', () => {
  const value = { a: undefined, t: Table.empty.setRange(3, 4, 5, 1), b: [undefined, null] }
  assert.is(written(value), JSON.stringify(value))
  assert.is(written(value), '{"t":{"$table":[[3,4,5,1]]},"b":[null,null]}')
})

test('the buffer grows wherever it has to', () => {
  const long = 'x'.repeat(100_000)
  for (const value of [[long], { [long]: long }, Array.from({ length: 50_000 }, (_, i) => i), 'ä'.repeat(70_000)])
    assert.is(written(value), JSON.stringify(value))
  const to = new ByteWriter()
  for (let i = 0; i < 70_000; i++) to.raw('a')
  assert.is(to.at, 70_000)
  assert.is(to.taken().length, 70_000)
  assert.is(to.at, 0)
})

test.run()
