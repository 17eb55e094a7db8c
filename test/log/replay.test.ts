/** Logs: the same bytes for the same run, and two ways back that agree; and formats that stay as they are. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import fault from '../../scenarios/races/fault-against-munmap.ts'
import stale from '../../scenarios/seeds/004-stale-valid.ts'
import { isCheckpoint, isEnd, isStep, readLog } from '../../src/log/reader.ts'
import { digestOf, worldOf, worldText } from '../../src/log/records.ts'
import { decideAgain, foldLog } from '../../src/log/replay.ts'
import { scenario, type Built, type Thread } from '../../src/index.ts'
import { linuxSystem } from '../../src/scenario/standard.ts'
import { random } from '../../src/system/choosers/random.ts'
import { roundRobin } from '../../src/system/choosers/round-robin.ts'
import { logged } from './logged.ts'
import { sealed, unsealed } from './sealed.ts'

const here = import.meta.dirname

/** Two threads and a device that do what the numbers say, all at once. */
function mixed(profile: string, numbers: readonly number[]): Built {
  return scenario('mixed', ({ linux }) => {
    const m = linux(profile)
    const [a, b, gpu] = [m.thread(), m.thread(), m.device()]
    const buf = a.mmap({ pages: 8, at: 16 })
    const shared = a.mmap({ pages: 4, at: 40, shared: true })
    const did = numbers.map((n, i) => {
      const cpu: Thread = n % 2 === 0 ? a : b
      const pages = (n >> 1) % 3 === 0 ? shared : buf
      switch ((n >> 3) % 8) {
        case 0:
          return cpu.write(pages, i * 10)
        case 1:
          return cpu.read(pages)
        case 2:
          // 5.2 tries a write fault in a read-only area for ever.
          return gpu.fault(pages, { write: n % 3 === 0 && profile !== 'v5.2', attempts: 3 })
        case 3:
          return cpu.madvise(pages, n % 5 === 0 ? 'pageout' : 'dontneed')
        case 4:
          return cpu.mprotect(pages, n % 5 === 0 ? 'r' : 'rw')
        case 5:
          return cpu.gup(pages, { write: n % 5 === 0 })
        case 6:
          return cpu.mlock(pages)
        default:
          return n % 7 === 0 ? cpu.munmap(pages) : cpu.munlock(pages)
      }
    })
    m.race(...did)
  }).build()
}

test('deciding again and folding come to the world that was recorded', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('v5.2', 'v6.1', 'v6.12', 'v7.1'),
      fc.array(fc.nat(10_000), { minLength: 1, maxLength: 25 }),
      fc.nat(),
      (profile, numbers, seed) => {
        const { system, bytes, live } = logged(mixed(profile, numbers), random(seed))
        const log = readLog(bytes, 'log')
        assert.is(log.damage, undefined)
        assert.is(log.records.filter(isStep).length, live.n)
        for (const replayed of [decideAgain(system, log, 'test'), foldLog(system, log)]) {
          assert.is(replayed.difference, undefined)
          assert.is(replayed.steps, live.n)
          assert.is(worldText(system, replayed.world), worldText(system, live.world))
        }
      },
    ),
    { numRuns: 150 },
  )
})

test('a system built from the header of a log is the system that wrote it', () => {
  const { bytes } = logged(stale.build('v5.2'), roundRobin())
  const log = readLog(bytes, 'log')
  assert.is(decideAgain(linuxSystem(log.header.system as Parameters<typeof linuxSystem>[0]), log, 'test').difference, undefined)
})

test('checkpoints hold the world, and stand no closer than 512 steps', () => {
  const built = mixed(
    'v6.12',
    Array.from({ length: 400 }, (_, i) => i * 37),
  )
  const { system, bytes, live } = logged(built, random(1))
  const log = readLog(bytes, 'log')
  const checkpoints = log.records.filter(isCheckpoint)
  assert.ok(live.n > 2000 && checkpoints.length >= 1, `${checkpoints.length} checkpoints in ${live.n} steps`)
  let last = -512
  for (const { checkpoint, world, digest } of checkpoints) {
    assert.ok(checkpoint - last >= 512)
    last = checkpoint
    assert.is(digestOf(system, worldOf(system, world)), digest)
  }
})

test('one run has one log, in one process and in two', () => {
  const bytes = [0, 1].map(() => logged(fault.build('v6.12'), random(5)).bytes.toString())
  assert.is(bytes[0], bytes[1])
  const script = `
    const { logged } = await import('./test/log/logged.ts')
    const { random } = await import('./src/system/choosers/random.ts')
    const fault = (await import('./scenarios/races/fault-against-munmap.ts')).default
    process.stdout.write(logged(fault.build('v6.12'), random(5)).bytes)`
  const other = execFileSync(process.execPath, ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: join(here, '../..'),
    encoding: 'utf8',
  })
  assert.is(other, bytes[0])
})

test('--sync writes each record at once, and the same bytes', () => {
  assert.is(
    logged(stale.build('v6.12'), roundRobin(), { sync: true }).bytes.toString(),
    logged(stale.build('v6.12'), roundRobin()).bytes.toString(),
  )
})

/**
 * Golden logs: what was written once has to be read for ever. If the model was changed on purpose, so that a run differs,
 * delete the file: the test writes it anew, and the difference is there to be looked at in the commit.
 */
for (const [name, built] of [
  ['stale-valid-v5.2', stale.build('v5.2')],
  ['fault-against-munmap-v6.12', fault.build('v6.12')],
  // Long enough for a checkpoint, behind which steps leave out what is usual.
  [
    'checkpoint-v6.12',
    mixed(
      'v6.12',
      Array.from({ length: 45 }, (_, i) => i * 37),
    ),
  ],
] as const) {
  test(`golden log ${name}`, () => {
    const file = join(here, `../fixtures/logs/${name}.jsonl`)
    const { system, bytes } = logged(built, roundRobin(), { model: 'golden' })
    if (!existsSync(file)) {
      writeFileSync(file, bytes)
      throw new Error(`${file} was not there: it has been written; look at it, and run the test again`)
    }
    assert.fixture(bytes.toString(), readFileSync(file, 'utf8'))
    assert.is(decideAgain(system, readLog(readFileSync(file), name), 'golden').difference, undefined)
  })
}

/** A log whose records were changed by someone who knew how to seal them. */
const forged = (bytes: Buffer, change: (record: string, i: number) => string): Buffer => sealed(unsealed(bytes).map(change))

test('a log that says something else is told by step, path and likely cause', () => {
  const { system, bytes } = logged(stale.build('v6.12'), roundRobin())
  const untouched = forged(bytes, record => record)
  assert.is(untouched.toString(), bytes.toString())

  const line = bytes
    .toString()
    .split('\n')
    .findIndex(l => l.includes('"by":"cpu0","do":"unmap_page_range"'))
  const log = readLog(
    forged(bytes, (record, i) => (i === line ? record.replace('"none"', '"PA"') : record)),
    'log',
  )
  const decided = decideAgain(system, log, 'test').difference
  assert.equal([decided?.step, decided?.path, decided?.logged, decided?.got], [line, 'facts.0.4', 'PA', 'none'])
  assert.match(decided?.likely ?? '', /a rule or a machine was changed/)
  assert.match(decideAgain(system, log, 'newer').difference?.likely ?? '', /written by version test of the model, and this is newer/)
  const last = bytes
    .toString()
    .split('\n')
    .findLastIndex(l => l.includes('["pte"'))
  const lasting = readLog(
    forged(bytes, (record, i) => (i === last ? record.replace('["pte","mm0",16,', '["pte","mm0",17,') : record)),
    'log',
  )
  const folded = foldLog(system, lasting).difference
  assert.equal([folded?.path, folded?.step], ['digest', log.records.filter(isStep).length])
})

test('a choice that cannot be taken is told', () => {
  const { system, bytes } = logged(stale.build('v6.12'), roundRobin())
  const swapped = forged(bytes, (record, i) => (i === 3 ? record.replace(/"by":"[^"]+"/, '"by":"gpu0.range"') : record))
  const difference = decideAgain(system, readLog(swapped, 'log'), 'test').difference
  assert.is(difference?.step, 3)
  assert.match(difference?.path ?? '', /^(do|cause)$/)
})

test('the end says how the run ended', () => {
  const ends = [
    [logged(stale.build('v6.12'), roundRobin()), 'at rest'],
    [logged(stale.build('v6.12'), roundRobin(), { steps: 10 }), 'limit'],
  ] as const
  for (const [{ system, bytes }, why] of ends) {
    const log = readLog(bytes, 'log')
    assert.equal(
      log.records.filter(isEnd).map(r => r.why),
      [why],
    )
    assert.is(decideAgain(system, log, 'test').end, why)
  }
})

test.run()
