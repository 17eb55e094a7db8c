/**
 * Logs of someone who knows how to seal them, and means no good: they are refused or cut short where they stop making sense,
 * run nothing, and take no more memory than they have bytes.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import stale from '../../scenarios/seeds/004-stale-valid.ts'
import { readLog, Retracing, scanLog } from '../../src/inspect.ts'
import { DamagedLog } from '../../src/log/damaged.ts'
import { linesOfFile } from '../../src/log/lines.ts'
import { isStep, NotALog, type Damage } from '../../src/log/reader.ts'
import { beginning } from '../../src/log/records.ts'
import { decideAgain, foldLog } from '../../src/log/replay.ts'
import { isPlan } from '../../src/log/shape.ts'
import { upcastHeader } from '../../src/log/upcast.ts'
import { linuxSystem, type SystemSpec } from '../../src/scenario/standard.ts'
import { roundRobin } from '../../src/system/choosers/round-robin.ts'
import { logged } from './logged.ts'
import { sealed } from './sealed.ts'

const { system, bytes } = logged(stale.build('v6.12'), roundRobin())
const texts = readLog(bytes, 'log').texts
const [header = ''] = bytes.toString().split('\n')
const head = header.replace(/,"k":"[0-9a-f]{8}"\}$/, '}')

/** What is wrong with a log that goes on like this behind three good steps. */
const damageOf = (...records: readonly string[]): Damage | undefined =>
  readLog(sealed([head, ...texts.slice(0, 3), ...records]), 'log').damage

const fourth = '"by":"cpu0","do":"store","cause":3,"event":"x","set":{},"facts":[]'

test('records that are none', () => {
  for (const [record, message] of [
    ['null', /no object/],
    ['[1,2]', /no object/],
    ['{"x":1}', /neither a step nor/],
    [`{"n":9,${fourth}}`, /says that it is step 9, and it follows step 3/],
    [`{"n":"4",${fourth}}`, /step of no number/],
    [`{"n":4,${fourth.replace('"cpu0"', '{"toString":1}')}}`, /who does what/],
    [`{"n":4,${fourth.replace('"cause":3', '"cause":4')}}`, /follow from an earlier/],
    [`{"n":4,${fourth.replace('"x"', '{}')}}`, /without an event/],
    [`{"n":4,${fourth.replace('"set":{}', '"set":{"gpu0":[0]}')}}`, /became of its actors/],
    [`{"n":4,${fourth.replace('[]', '[{"pte":1}]')}}`, /facts are none/],
    [`{"n":4,${fourth.replace('[]', '[["pte","mm0",0,1000000000,"PWA",2,1]]')}}`, /more pages than there are/],
    [`{"n":4,${fourth},"offer":-1}`, /choice is none/],
    ['{"end":3}', /no digest/],
    ['{"end":10,"why":"at rest","digest":"x"}', /follows step 10, and it follows step 3/],
    ['{"checkpoint":3,"world":7,"digest":"x"}', /without a world/],
    ...['7', '{"cpu0":7}', '{"cpu0":{"zap":7}}', `{"cpu0":{"zap":{"facts":"${'x'.repeat(600)}"}}}`].map(
      usual => [`{"checkpoint":3,"world":{},"digest":"x","usual":${usual}}`, /says not what is usual, or too much/] as const,
    ),
    ['{"n":4', /no object/],
  ] as const) {
    const damage = damageOf(record)
    assert.equal([damage?.line, damage?.after], [5, 3], record)
    assert.match(damage?.what ?? '', message)
  }
})

test('deep nesting', () => {
  for (const deep of [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`]) {
    assert.match(damageOf(`{"n":4,${fourth.replace('[]', deep)}}`)?.what ?? '', /nested deeper/)
    assert.throws(
      () => readLog(sealed([head.replace('"seed":null', `"x":${deep},"seed":null`)]), 'log'),
      (e: unknown) => e instanceof NotALog,
    )
  }
  // Brackets in text are none.
  assert.is(damageOf(`{"n":4,${fourth.replace('"x"', `"${'['.repeat(1000)}"`)}}`)?.cut, true)
})

test('__proto__ changes nothing', () => {
  const record = `{"n":4,${fourth.replace('"set":{}', '"own":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}},"set":{"__proto__":{"polluted":1}}')}}`
  const log = readLog(sealed([head, ...texts.slice(0, 3), record]), 'log')
  assert.is(log.records.length, 4)
  foldLog(system, log)
  decideAgain(system, log, 'test')
  assert.is(({} as { readonly polluted?: number }).polluted, undefined)
})

test('tables that would fill memory', () => {
  const table = `{"n":4,${fourth.replace('"set":{}', '"set":{"gpu0":{"table":{"$runs":[[0,1000000000,1,0]]}}}')}}`
  assert.match(damageOf(table)?.what ?? '', /says of memory what none has room for/)
})

test('facts that would fill memory together, though none does alone', () => {
  const before = process.memoryUsage().rss
  const wide = 1 << 22
  for (const fact of [
    (i: number) => `["pte","mm0",${i * wide},${wide},"PWA",2,1]`,
    (i: number) => `["content",${i * wide},${wide},1,1]`,
    (i: number) => `["alloc",${i * 4096},"anon",1,1,0,1,1]`,
    (i: number) => `["tlb","mm${i}",0,${wide},"PWA",2,1]`,
  ]) {
    const steps = Array.from({ length: 5000 }, (_, i) => `{"n":${4 + i},${fourth.replace('[]', `[${fact(i)}]`)}}`)
    const log = readLog(sealed([head, ...texts.slice(0, 3), ...steps]), 'log')
    assert.match(log.damage?.what ?? '', /says of memory what none has room for/)
    assert.ok(log.records.length < 2000, `${log.records.length} records`)
  }
  const table = `{"$table":[[0,${wide},1,0]]}`
  const tables = Array.from({ length: 100 }, (_, i) => `"t${i}":${table}`).join(',')
  assert.match(damageOf(`{"n":4,${fourth.replace('"set":{}', `"own":{${tables}}`)}}`)?.what ?? '', /none has room for/)
  assert.match(damageOf(`{"checkpoint":3,"world":{${tables}},"digest":"x"}`)?.what ?? '', /none has room for/)
  assert.match(damageOf(`{"n":4,${fourth.replace('[]', '[["content",-1,2,1,1]]')}}`)?.what ?? '', /none has room for/)
  assert.ok(process.memoryUsage().rss - before < 300e6)
})

test('tables where nobody looks for any: in facts, in what an actor was told, in lists', () => {
  const tables = `[${Array.from({ length: 20 }, () => '{"$table":[[0,16777216,1,1]]}').join(',')}]`
  const area = `{"start":16,"end":17,"flags":1,"pgoff":16,"anonVma":1,"linked":[],"order":1,"anonOrder":1,"file":"","x":${tables}}`
  for (const [from, to] of [
    ['[]', `[["vmas","mm0",0,0,[${area}]]]`],
    ['[]', `[["file","f",{"kind":"shmem","size":1,"mirror":null,"x":${tables}}]]`],
    ['[]', `[["x",${tables}]]`],
    ['"set":{}', `"set":{},"with":{"a":${tables}}`],
    ['"set":{}', `"own":{"a":${tables}}`],
    ['"set":{}', '"own":{"a":{"$table":[[0,10,1,0],[5,10,2,0]]}}'],
  ] as const)
    assert.match(damageOf(`{"n":4,${fourth.replace(from, to)}}`)?.what ?? '', /none has room for/, to.slice(0, 40))
})

test('facts that are not what facts of their kind are', () => {
  const area = '{"start":16,"end":17,"flags":1,"pgoff":16,"anonVma":1,"linked":[],"order":1,"anonOrder":1,"file":""}'
  for (const fact of [
    '["vmas","mm0",0,0,5]',
    `["vmas","mm0",0,0,[${area.replace('17', '1e300')}]]`,
    `["vmas","mm0",0,0,[${area.replace('"linked":[]', '"linked":7')}]]`,
    `["vmas","mm0",0,0,[${Array.from({ length: 70_000 }, () => area).join(',')}]]`,
    '["pte","mm0",16,1,{},2,0]',
    '["alloc",5,{},1,0,0,1,16]',
    '["open","mm0",[5]]',
  ])
    assert.match(damageOf(`{"n":4,${fourth.replace('[]', `[${fact}]`)}}`)?.what ?? '', /facts are none/, fact.slice(0, 60))
})

test('a record with more values than any has is not parsed', () => {
  const before = process.memoryUsage().rss
  assert.match(
    damageOf(`{"n":4,${fourth.replace('[]', `[${'{},'.repeat(1 << 23)}1]`)}}`)?.what ?? '',
    /more values in it than any can have/,
  )
  assert.ok(process.memoryUsage().rss - before < 300e6)
})

test('headers that are sealed and are none', () => {
  const opened = (change: (header: Record<string, unknown>) => object): ReturnType<typeof readLog> =>
    readLog(sealed([JSON.stringify(change(JSON.parse(head) as Record<string, unknown>)), ...texts]), 'log')
  for (const from of [5, [], { name: 'x' }, { name: 'x', trunk: 'y', step: 0, changed: 7, world: {} }])
    assert.throws(() => opened(header => ({ ...header, from })), /^log: the header, its first line, is sealed, and is none/)
  const branch = opened(header => ({ ...header, from: { name: 'x', trunk: 'y', step: 0, changed: [], world: { actors: 5 } } }))
  for (const fold of [foldLog, decideAgain] as const)
    assert.throws(() => fold(system, branch, 'test'), /^the world in the header is sealed, and makes no sense/)
  const goal = { by: 'cpu0', left: 0 }
  for (const plan of [null, 7, [[]], [{ goals: 5, order: [] }], [{ goals: [{ by: 5, left: 0 }], order: [] }]])
    assert.is(isPlan(plan), false)
  assert.is(isPlan([{ goals: [goal], order: [{ ...goal, state: 'user' }] }]), true)
  // What it says to people stays on its line.
  const { title, chooser } = opened(header => ({ ...header, title: 'a\n✔ sound\u001b[31m', chooser: '\u{e0041}\u00ad' })).header
  assert.equal([title, chooser], ['a\\n✔ sound\\u001b[31m', '\\udb40\\udc41\\u00ad'])
  const { system: spec } = JSON.parse(head) as { readonly system: SystemSpec }
  for (const [change, message] of [
    [{ input: { mm: 'mm0', program: 5 } }, /'cpu0' begins with a program that is none/],
    [{ input: { mm: 'mm0', program: [null] } }, /'cpu0' begins with a program that is none/],
    [{ name: '$table' }, /is no name of an actor/],
    [{ name: 'cpu\n1' }, /'cpu\\n1' is no name of an actor/],
    [{ name: 'gpu0' }, /two actors have one name/],
  ] as const) {
    const odd = { ...spec, actors: spec.actors.map(actor => (actor.name === 'cpu0' ? { ...actor, ...change } : actor)) }
    assert.throws(() => beginning(linuxSystem(odd), readLog(bytes, 'log').header), message)
  }
})

test('a million records that claim to be ten', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-hostile-'))
  const path = join(folder, 'log.jsonl')
  const fd = openSync(path, 'w')
  const records = function* (): Generator<string> {
    yield head
    for (let n = 1; n <= 10; n++) yield `{"n":${n},${fourth.replace('"cause":3', '"cause":0')}}`
    yield '{"end":10,"why":"at rest","digest":"x"}'
    for (let n = 11; n <= 1_000_000; n++) yield `{"n":${n},${fourth}}`
  }
  writeSync(fd, sealed(records()))
  closeSync(fd)
  const before = process.memoryUsage().rss
  const reading = openSync(path, 'r')
  const scan = scanLog(reading, path)
  while (scan.next() !== undefined);
  assert.equal([scan.after, scan.damage?.line], [10, 13])
  assert.match(scan.damage?.what ?? '', /more behind the record that ends the log/)
  assert.ok(process.memoryUsage().rss - before < 100e6)
  // A line that is longer than any record may be ends the reading.
  const lines = [...linesOfFile(reading, readFileSync(path).length - 100, 10)]
  assert.ok(lines.length > 0)
  closeSync(reading)
  rmSync(folder, { recursive: true })
})

test('a huge line is not read whole', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-hostile-'))
  const path = join(folder, 'log.jsonl')
  const fd = openSync(path, 'w+')
  for (let i = 0; i < 8; i++) writeSync(fd, Buffer.alloc(1 << 20, 0x78))
  const lines = [...linesOfFile(fd, 0, 3 << 20)]
  assert.equal(
    lines.map(l => [l.whole, l.long]),
    [[false, true]],
  )
  assert.ok((lines[0]?.bytes.length ?? 0) <= 2 << 20)
  closeSync(fd)
  rmSync(folder, { recursive: true })
})

test('records that are sound and make no sense are refused, not a defect', () => {
  for (const [from, to] of [
    ['"by":"cpu0"', '"by":"nobody"'],
    ['"facts":[]', '"facts":[["pte","mm0",16,1,"no word",2,0]]'],
    ['"facts":[]', '"facts":[["alloc",9,"\\u001b[31m",1,0,0,1,16]]'],
    ['"set":{}', '"own":{"program":[null]}'],
    ['"set":{}', '"then":[0,null]'],
    ['"set":{}', '"own":{"agenda":7}'],
    ['"facts":[]', '"facts":[["pte","mm9",7]]'],
    ['"facts":[]', '"facts":[["vmas","mm0",0,0,5]]'],
    ['"do":"store","cause":3,"event":{"type":"x"}', '"do":"load","cause":3,"event":{"type":"accessed","values":7}'],
  ] as const) {
    const log = readLog(sealed([head, ...texts.slice(0, 3), `{"n":4,${fourth.replace(from, to)}}`]), 'log')
    const retracing = new Retracing(system)
    try {
      for (const record of log.records.filter(isStep)) retracing.see(record)
    } catch (error) {
      assert.instance(error, DamagedLog)
      assert.match((error as DamagedLog).message, /^step 4 is sealed, and makes no sense: /)
      assert.is((error as DamagedLog).message.includes('\u001b'), false)
    }
    for (const again of [() => foldLog(system, log), () => decideAgain(system, log, 'test')]) {
      try {
        again()
      } catch (error) {
        assert.instance(error, DamagedLog)
      }
    }
  }
})

/** Logs of every format that there has been, as they were written then. */
for (const [format, name] of [1, 2].flatMap(of => ['stale-valid-v5.2', 'fault-against-munmap-v6.12'].map(name => [of, name] as const))) {
  test(`format ${format}: ${name}`, () => {
    const log = readLog(readFileSync(join(import.meta.dirname, `../fixtures/logs/format-${format}/${name}.jsonl`)), name)
    assert.is(log.damage, undefined)
    assert.equal([log.format, log.header.mirrorwalk], [format, 3])
    if (format === 1) assert.is(log.header.plan, null)
    const of = linuxSystem(log.header.system as SystemSpec)
    for (const replayed of [decideAgain(of, log, 'golden'), foldLog(of, log)])
      assert.equal([replayed.difference, replayed.end], [undefined, 'at rest'])
  })
}

test('a header of this format stays as it is', () => {
  const now = JSON.parse(head) as Parameters<typeof upcastHeader>[0]
  assert.equal(upcastHeader(now), now)
})

test.run()
