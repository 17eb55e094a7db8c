/** Conditions, which are queries that one step and the worlds beside it can answer: where they stop a cursor; and their text. */
import { join } from 'node:path'
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  conditionOf,
  Cursor,
  momentAt,
  openRecording,
  parseQuery,
  QueryError,
  queryText,
  type Query,
  type Term,
} from '../../src/inspect.ts'

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
  'noStaleDeviceMapping and do return': [33],
  'commit or type driver_lock': [28, 30],
  'page 16 and by cpu0 and step 20..': [20, 21, 22, 23, 24, 25, 26],
  'not (step 3.. or by gpu0.range)': [1, 2],
  'mm0.hmm.ranges and not mm0.hmm.ranges = 1': [],
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
  assert.match(stop.condition?.why(momentAt(run, stop.n)) ?? '', /^gpu0 still maps page 16 to frame 2/)
})

test('a condition is refused that needs the other steps', () => {
  assert.throws(
    () => conditionOf(run.system, 'invalidation inside fault'),
    (error: unknown) =>
      error instanceof QueryError && error.at === 13 && /expected 'and', 'or' or the end .* got 'inside'/.test(error.message),
  )
})

const name = fc.constantFrom('cpu0', 'gpu0.range', 'cpu*', 'mm0.*', '*')
const word = fc.string({ unit: 'grapheme-ascii', maxLength: 8 }).map(s => s.replaceAll('"', '').trim())
const path = fc.constantFrom(
  '16',
  'mm0:16',
  'frame.2',
  'frame.2.refs',
  'gpu0.table.16-19',
  'cpu0',
  'cpu0.state',
  'mm0.vmas',
  'swap',
  'files.a b',
)
const names = (of: fc.Arbitrary<string>): fc.Arbitrary<string[]> => fc.array(of, { minLength: 1, maxLength: 3 })
const term: fc.Arbitrary<Term> = fc.oneof(
  fc.constantFrom<Term>(
    { kind: 'all' },
    { kind: 'is', name: 'commit' },
    { kind: 'is', name: 'fault' },
    { kind: 'finds', oracle: 'framesBalance' },
  ),
  fc.record({ kind: fc.constantFrom('actor' as const, 'by' as const), names: names(name) }),
  fc.record({ kind: fc.constantFrom('do' as const, 'type' as const), names: names(word) }),
  fc
    .tuple(
      fc.constantFrom('page' as const, 'frame' as const, 'step' as const, 'cause' as const),
      fc.nat(99),
      fc.constantFrom(0, 3, Infinity),
    )
    .map(([kind, from, more]) => ({ kind, from, to: from + more })),
  fc.record({ kind: fc.constant('text' as const), words: word }),
  fc.record({ kind: fc.constantFrom('changes' as const, 'value' as const), path }),
  fc.record({ kind: fc.constant('compare' as const), path, sign: fc.constantFrom('=' as const, '!=' as const), value: word }),
  fc.record({
    kind: fc.constant('compare' as const),
    path,
    sign: fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const),
    value: fc.integer().map(String),
  }),
)
const { query } = fc.letrec<{ query: Query }>(tie => ({
  query: fc.oneof(
    { depthSize: 'small' },
    term,
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), a: tie('query'), b: tie('query') }),
    fc.record({ kind: fc.constant('not' as const), of: tie('query') }),
    fc.record({ kind: fc.constantFrom('before' as const, 'after' as const), of: tie('query'), mark: tie('query') }),
    fc.record({ kind: fc.constant('between' as const), of: tie('query'), from: tie('query'), to: tie('query'), one: fc.boolean() }),
    fc.record({
      kind: fc.constant('inside' as const),
      of: tie('query'),
      window: fc.constantFrom('fault' as const, 'lock' as const),
      who: fc.array(name, { maxLength: 2 }),
    }),
  ),
}))

test('a query that is written and read again is the same', () => {
  fc.assert(
    fc.property(query, asked => {
      assert.equal(parseQuery(queryText(asked), run.system), structuredClone(asked), queryText(asked))
    }),
    { numRuns: 2000 },
  )
})

test.run()
