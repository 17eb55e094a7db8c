/** Steps as they are written down: what is read is what was told, whatever a log has learned to leave out, and whatever a line holds. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteWriter } from '../../src/log/bytes.ts'
import { isCheckpoint, isStep, readLog } from '../../src/log/reader.ts'
import { RecordWriter } from '../../src/log/record-writer.ts'
import type { StepRecord } from '../../src/log/records.ts'
import { unsound } from '../../src/log/sound.ts'
import { whole, writeStep } from '../../src/log/terse.ts'
import { Told } from '../../src/log/told.ts'
import { Learned, LONGEST_USUAL, type Usual } from '../../src/log/usual.ts'
import { isEqual } from '../../src/log/values.ts'

const header = { model: 'test', system: {}, chooser: 'a test', seed: null, title: 'told' }

/** JSON with the words that mean something to the codec. */
const word = fc.constantFrom('a', 'do', 'mm', 'type', 'agenda', 'program', '$moved', '$list', '__proto__', 'constructor', 'cpu0', '')
const plain = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom<unknown>(null, true, 0, 1, -3, 2 ** 40, '', 'ran', 'unmap\u0000"'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 3 }),
  ),
})).value
const fields = fc.dictionary(word, plain, { maxKeys: 3 })
const list = fc.oneof(
  fields.map(f => ({ $moved: f })),
  fields,
  fields.map(f => ({ ...f, do: 'zap', mm: 'mm0' })),
  plain,
)
const change = fc.oneof(
  plain,
  fc.tuple(fc.nat(3), fc.array(list, { maxLength: 3 })).map(([drop, put]) => ({ $list: [drop, ...put] })),
)
const keys = fc.record({ agenda: change, program: change, fail: plain, out: plain }, { requiredKeys: [] })
const set = fc.tuple(fc.constantFrom<string | 0>(0, 'user', ''), keys).filter(([to, told]) => to !== 0 || Object.keys(told).length > 0)

interface Words {
  readonly by: string
  readonly do: string
  readonly back: number
  readonly offer: number | undefined
  readonly budget: number | undefined
  readonly event: StepRecord['event']
  readonly sets: StepRecord['set']
  readonly facts: readonly unknown[]
}
const step: fc.Arbitrary<Words> = fc.record({
  by: fc.constantFrom('cpu0', 'gpu0.range', '__proto__', 'a "b"'),
  do: fc.constantFrom('zap', 'toString', '__proto__'),
  back: fc.nat(2),
  offer: fc.constantFrom(undefined, 1),
  budget: fc.constantFrom(undefined, 1),
  event: fc.tuple(fc.constantFrom('ran', 'done'), fields).map(([type, more]) => ({ ...more, type })),
  sets: fc.dictionary(fc.constantFrom('cpu0', 'gpu0.range', '__proto__', 'mm0.registry'), set, { maxKeys: 3 }),
  facts: fc.array(fc.tuple(fc.constantFrom('x', 'drip'), plain), { maxLength: 2 }),
})

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
/** As JSON; `assert.equal` takes a field named `constructor` for one. */
const same = (is: unknown, was: unknown): void =>
  assert.ok(isEqual(throughJson(is), throughJson(was)), `${JSON.stringify(is)}\n${JSON.stringify(was)}`)

function recordOf({ by, do: what, back, offer, budget, event, sets, facts }: Words, n: number): StepRecord {
  return { n, by, do: what, offer, budget, cause: Math.max(0, n - 1 - back), event, set: sets, facts }
}

test('a log tells each step as it was, checkpoint after checkpoint', () => {
  let shorter = 0
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.nat(7)), fc.nat(40), (kinds, picks, count) => {
      const chunks: Buffer[] = []
      const writer = new RecordWriter(header, lines => void chunks.push(Buffer.from(lines)), 8)
      const told = new Told()
      const records: StepRecord[] = []
      const sizes: number[] = []
      for (let n = 1; n <= count; n++) {
        // Mostly the first kind: it becomes usual, and another field of it is otherwise now and then.
        const pick = picks.next().value ?? 0
        const [first, other] = [kinds[0] as Words, kinds[pick % kinds.length] as Words]
        const words = pick < 5 ? first : pick === 5 ? { ...first, facts: other.facts, event: other.event } : other
        const record = recordOf(words, n)
        records.push(record)
        sizes.push(writer.step(told.record(record)))
        same(told.toRecord(), record)
        if (n % 10 === 0) writer.checkpoint(n, { a: 1 })
      }
      writer.end({ end: count, why: 'limit', digest: 'x' })
      const log = readLog(Buffer.concat(chunks), 'log')
      assert.is(log.damage, undefined)
      same(log.records.filter(isStep), records)
      assert.is(log.records.filter(isCheckpoint).length, Math.floor(count / 10))
      if ((sizes[10] ?? Infinity) < (sizes[0] ?? 0)) shorter++
    }),
    { numRuns: 500 },
  )
  assert.ok(shorter > 50, `only ${shorter} logs had anything to leave out`)
})

test('what no run tells is kept, or refused: a list with more beside it; what became of the actor itself, among the others', () => {
  const told = { by: 'cpu0', do: 'zap', back: 0, offer: undefined, budget: undefined, event: { type: 'ran' }, facts: [] }
  const record = recordOf({ ...told, sets: { cpu0: [0, { agenda: { a: {}, $list: [-3] } }] } }, 1)
  const to = new ByteWriter()
  writeStep(to, new Told().record(record), new Learned())
  same(whole(JSON.parse(to.taken().toString('utf8')), {}), record)
  assert.ok(unsound(whole({ n: 1, by: 'cpu0', do: 'zap', event: 'ran', set: { cpu0: {} } }, {}), 0) !== undefined)
})

test('what is read of any JSON is a record, or is refused, and nothing else changes', () => {
  const usual: Usual = { cpu0: { zap: { event: 'ran', set: { gpu0: { a: 1 } }, facts: [['drain', 'all']] } } }
  const names = ['n', 'by', 'do', 'cause', 'event', 'with', 'to', 'then', 'next', 'own', 'set', 'facts', 'x'] as const
  const line = fc.tuple(fc.dictionary(fc.constantFrom(...names), plain), fc.boolean()).map(([told, named]) => ({
    ...told,
    ...(named ? { n: 1, by: 'cpu0', do: 'zap' } : {}),
  }))
  const before = JSON.stringify(usual)
  let sound = 0
  fc.assert(
    fc.property(fc.oneof(line, plain), json => {
      const text = JSON.stringify(json)
      const record = whole(json, usual)
      if (unsound(record, 0) === undefined && 'n' in (record as object)) {
        sound++
        const to = new ByteWriter()
        writeStep(to, new Told().record(record as StepRecord), new Learned())
        same(whole(JSON.parse(to.taken().toString('utf8')), {}), record)
      }
      assert.is(JSON.stringify(json), text)
    }),
    { numRuns: 2000 },
  )
  assert.ok(sound > 20, `only ${sound} of the lines were sound`)
  assert.is(JSON.stringify(usual), before)
  assert.is(({} as { readonly a?: number }).a, undefined)
})

test('what a log says of a step, and what it leaves out', () => {
  const record: StepRecord = {
    n: 9,
    by: 'cpu0',
    do: 'mmap_read_lock',
    cause: 8,
    event: { type: 'ran' },
    set: {
      cpu0: [0, { agenda: { $list: [1, { $moved: { do: 'fault_in_vma' } }, { $moved: { at: 4 } }, { do: 'mmap_unlock', mm: 'mm0' }] } }],
      'mm0.mmap_lock': ['read', { readers: 1 }],
    },
    facts: [],
  }
  const learned = new Learned()
  const text = (told: StepRecord): string => {
    const to = new ByteWriter()
    writeStep(to, new Told().record(told), learned)
    return to.taken().toString('utf8')
  }
  const settle = (): string => {
    const to = new ByteWriter()
    learned.settle(to)
    return to.taken().toString('utf8')
  }
  const full =
    '"event":"ran","then":["fault_in_vma",{"at":4},{"do":"mmap_unlock","mm":"mm0"}],"set":{"mm0.mmap_lock":["read",{"readers":1}]}'
  const long: StepRecord = { ...record, do: 'mmap', facts: [['x', 'y'.repeat(LONGEST_USUAL)]] }
  for (let i = 0; i < 6; i++) {
    assert.is(text(record), `{"n":9,"by":"cpu0","do":"mmap_read_lock",${full}}`)
    text(long)
  }
  const settled = JSON.parse(settle()) as Usual
  assert.equal(settled['cpu0']?.['mmap_read_lock'], JSON.parse(`{${full}}`))
  assert.is(text(record), '{"n":9,"by":"cpu0","do":"mmap_read_lock"}')
  // A field that usually is there, and is not; one that is not as usual; one that is too long to be usual.
  assert.is(text({ ...record, cause: 3, set: {} }), '{"n":9,"by":"cpu0","do":"mmap_read_lock","cause":3,"then":null,"set":null}')
  assert.is(text({ ...record, facts: [['drain', 'all']] }), '{"n":9,"by":"cpu0","do":"mmap_read_lock","facts":[["drain","all"]]}')
  assert.match(text(long), /^\{"n":9,"by":"cpu0","do":"mmap","facts":\[\["x","yyy/)
  // What was not so any more is forgotten.
  assert.is(settle(), '{}')
})

test.run()
