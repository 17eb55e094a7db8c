/** Branches: another order, another operation, other rules; as runs of their own, and as logs that are read back. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  Branch,
  CannotTake,
  compareFrom,
  conditionOf,
  Cursor,
  lastChange,
  openRecording,
  pathOf,
  possibleIn,
  why,
  withStatement,
  type Run,
} from '../../src/inspect.ts'
import { decideAgain, foldLog } from '../../src/log/replay.ts'
import { readLog } from '../../src/log/reader.ts'
import { digestOf } from '../../src/log/records.ts'

const trunk = openRecording(join(import.meta.dirname, '../fixtures/logs/race-v5.2.jsonl'))
/** The device has walked, and has dropped mmap_lock. */
const WALKED = 18
const branchAt = (n: number, name = 'other', world = trunk.world(n)): Branch =>
  new Branch(trunk, n, world, { name, trunk: trunk.log.id, system: trunk.system, spec: trunk.header.system, changed: [] })

const bytesOf = (branch: Branch): Buffer => {
  const chunks: Buffer[] = []
  branch.write(lines => void chunks.push(Buffer.from(lines)))
  return Buffer.concat(chunks)
}
const stale = conditionOf(trunk.system, 'noStaleDeviceMapping')

test('the recorded choices lead where the run went', () => {
  const branch = branchAt(WALKED)
  for (let n = WALKED + 1; n <= trunk.last; n++) branch.take(trunk.record(n).by)
  assert.equal(compareFrom(branch, trunk, WALKED), { common: trunk.last - WALKED, here: undefined, there: undefined })
  assert.is(digestOf(trunk.system, branch.world(branch.last)), digestOf(trunk.system, trunk.world(trunk.last)))
})

test('another order does not end in the same way', () => {
  const branch = branchAt(WALKED)
  branch.run(100, 'gpu0.range')
  assert.is(branch.run(100).why, 'at rest')
  assert.is(new Cursor(branch).continue([stale]).why, 'end')
  assert.is(new Cursor(trunk).continue([stale]).n, 30)
  assert.equal(compareFrom(branch, trunk, WALKED), { common: 0, here: 19, there: 19 })
})

test('another operation: behind what the thread is doing, or at once', () => {
  const munmap = { do: 'munmap', mm: 'mm0', start: 16, end: 17 }
  const at = branchAt(WALKED, 'at-once', withStatement(trunk.system, trunk.world(WALKED), 'cpu0', munmap))
  assert.is(at.take('cpu0').do, 'munmap')
  const busy = branchAt(20, 'behind', withStatement(trunk.system, trunk.world(20), 'cpu0', munmap))
  busy.run(100)
  const entered = Array.from({ length: busy.last - 20 }, (_, i) => busy.record(21 + i)).filter(
    r => r.by === 'cpu0' && r.event.type === 'syscall',
  )
  assert.equal(
    entered.map(r => r.do),
    ['munmap'],
  )
  assert.ok((lastChange(busy, pathOf(busy.system, 'mm0.vmas'), busy.last) ?? 0) > 20)
})

test('who cannot act says who does not let it', () => {
  const branch = branchAt(19)
  branch.take('gpu0.range')
  branch.take('cpu0')
  branch.take('cpu0')
  branch.take('cpu0')
  assert.equal(
    possibleIn(branch.system, branch.world(branch.last)).map(p => [p.choice.by, p.blockedOn?.to]),
    [
      ['cpu0', 'gpu0'],
      ['gpu0.range', undefined],
    ],
  )
  assert.throws(
    () => branch.take('cpu0'),
    (error: unknown) =>
      error instanceof CannotTake && error.message.startsWith('cpu0 cannot sync cpu device pagetables: gpu0 does not take'),
  )
})

test('statements that a thread is given come in the order in which it is given them', () => {
  const [read, munmap] = [
    { do: 'load', at: 16, end: 17 },
    { do: 'munmap', mm: 'mm0', start: 16, end: 17 },
  ]
  const one = withStatement(trunk.system, trunk.world(WALKED), 'cpu0', read)
  const branch = branchAt(WALKED, 'both', withStatement(trunk.system, one, 'cpu0', munmap, 1))
  assert.equal([branch.take('cpu0').do, branch.take('cpu0').do, branch.take('cpu0').do], ['load', 'munmap', 'mmap_write_lock'])
  const last = trunk.world(trunk.last)
  const dead = { ...last, actors: last.actors.map(({ context }) => ({ value: 'dead', context })) }
  assert.throws(() => withStatement(trunk.system, dead, 'cpu0', read), /cpu0 is dead: it does nothing any more/)
})

test('a run can be stopped, and one that fails keeps what was taken before', () => {
  const busy = branchAt(0)
  const running = busy.running(Infinity)
  while (running.next(busy.last > 0).done !== true) continue
  assert.ok(busy.last > 0)
  const nonsense = { do: 'madvise', mm: 'mm0', start: 16, end: 17, advice: 'nonsense' }
  const branch = branchAt(WALKED, 'bad', withStatement(trunk.system, trunk.world(WALKED), 'cpu0', nonsense))
  for (let again = 0; again < 2; again++)
    assert.throws(
      () => branch.run(100),
      (error: unknown) => error instanceof CannotTake && /^nobody can go on behind step \d+, up to where all is kept: /.test(error.message),
    )
  assert.ok(branch.last > WALKED)
  assert.is(readLog(bytesOf(branch), 'bad').damage, undefined)
})

test('one that was recorded goes on as if it had not ended; what this model does otherwise is told', () => {
  const [whole, part] = [branchAt(WALKED), branchAt(WALKED)]
  whole.run(100, 'gpu0.range')
  part.run(3, 'gpu0.range')
  const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-branch-'))
  writeFileSync(join(folder, 'b'), bytesOf(part))
  const recorded = openRecording(join(folder, 'b'))
  const again = Branch.again(trunk, recorded).next(false).value
  if (!(again instanceof Branch)) throw new Error('it is short, and nobody stopped it')
  again.run(100, 'gpu0.range')
  assert.equal(bytesOf(again), bytesOf(whole))
  const { system, header, first, last, ended, origins } = recorded
  const otherwise: Run = {
    system,
    header,
    first,
    last,
    ended,
    origins,
    world: n => recorded.world(n),
    record: n => ({ ...recorded.record(n), facts: [['refs', 2, 1, 1]] }),
    formatOf: () => recorded.formatOf(),
    candidates: (n, back, keys) => recorded.candidates(n, back, keys),
  }
  assert.throws(() => Branch.again(trunk, otherwise).next(false), /step 19 does not come out as it was recorded/)
  rmSync(folder, { recursive: true })
})

test('as a log it is replayed both ways, opened again, and asked where things came from', () => {
  const branch = branchAt(WALKED)
  branch.run(100, 'gpu0.range')
  branch.run(100)
  const bytes = bytesOf(branch)
  const log = readLog(bytes, 'branch')
  assert.is(log.damage, undefined)
  for (const replayed of [decideAgain(trunk.system, log, log.header.model), foldLog(trunk.system, log)]) {
    assert.is(replayed.difference, undefined)
    assert.is(replayed.steps, branch.last)
  }
  const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-branch-'))
  writeFileSync(join(folder, 'b'), bytes)
  const opened = openRecording(join(folder, 'b'))
  assert.equal([opened.first, opened.last, opened.header.from?.trunk], [WALKED, branch.last, trunk.log.id])
  assert.is(digestOf(trunk.system, opened.world(opened.last)), digestOf(trunk.system, branch.world(branch.last)))
  const [derived] = why(opened, 'mm0', 16, opened.last).derived
  assert.is(derived?.word, 0)
  assert.is(derived?.dropped, derived?.invalidations[0]?.told)
  rmSync(folder, { recursive: true })
})

test.run()
