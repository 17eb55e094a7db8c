/** Runs that never end: they are known for it, told as a way in and a circle, and may be expected. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import endless from '../../scenarios/races/endless-write-fault.ts'
import { noStaleDeviceMapping, prepare, runScenario, scenario, type Report, type Scenario } from '../../src/index.ts'
import { isSameWorld } from '../../src/system/recurrence.ts'

/** A device writes where nothing may be written, and somebody unmaps that. */
const racing = (expected?: 'livelock' | 'EPERM'): Scenario =>
  scenario('a write fault', ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread('cpu0'), m.device('gpu0')]
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 7)
    cpu.mprotect(buf, 'r')
    const fault = gpu.fault(buf, { write: true })
    const unmap = cpu.munmap(buf)
    m.race(fault, unmap)
    if (expected !== undefined) expect.returns(fault, expected)
    expect.always('no stale device mapping', noStaleDeviceMapping)
  })
const SEEDS = Array.from({ length: 60 }, (_, seed) => seed)
const endOf = ({ ended }: Report): Extract<Report['ended'], { readonly why: 'livelock' }> => {
  assert.is(ended.why, 'livelock')
  return ended as Extract<Report['ended'], { readonly why: 'livelock' }>
}

test('the worlds at both ends of the circle are the same, and there is no shorter or earlier one', () => {
  for (const profile of ['v4.14', 'v5.2']) {
    const run = prepare(endless.build(profile))
    const worlds = [run.live.world]
    run.entries$.subscribe(entry => void worlds.push(entry.world))
    let report = run.advance()
    while (report === undefined) report = run.advance()
    const { from, to, circle } = endOf(report)
    assert.is(circle.length, to - from)
    const same = (a: number, b: number): boolean => isSameWorld(worlds[a] as (typeof worlds)[0], worlds[b] as (typeof worlds)[0])
    assert.ok(same(from, to))
    for (let n = from + 1; n < to; n++) assert.not.ok(same(from, n))
    assert.not.ok(same(from - 1, to - 1))
    assert.ok(report.steps < 500)
  }
})

test('who does not expect it is told of it; who expects it and gets something else, too', () => {
  const unexpected = runScenario(racing().build('v4.14'))
  assert.is(unexpected.verdict, 'violated')
  const [first] = unexpected.verdicts
  const { from, to } = endOf(unexpected)
  assert.equal(first, {
    expectation: 'everybody comes to rest',
    holds: false,
    step: to,
    why: `gpu0.range in circles for ever: the world is the same as after step ${from}`,
  })
  assert.is(runScenario(racing('livelock').build('v4.14')).verdict, 'holds')
  const other = runScenario(racing('livelock').build('v6.12'))
  assert.equal([other.verdict, other.ended.why, other.verdicts[0]?.why], ['violated', 'at rest', 'it answers "EFAULT"'])
  assert.is(runScenario(racing('EPERM').build('v4.14')).verdict, 'violated')
})

test('somebody who waits for who goes in circles leads out of nothing; who comes first, prevents it', () => {
  const ends = new Set(SEEDS.map(seed => runScenario(racing().build('v5.2'), { seed }).ended.why))
  assert.equal([...ends].toSorted(), ['at rest', 'livelock'])
  for (const seed of SEEDS) assert.is(runScenario(racing('EPERM').build('v6.12'), { seed }).ended.why, 'at rest')
})

test('where somebody else could act, and is not let, nothing is said: that is the order, and not the kernel', () => {
  const held = scenario('a write fault that is let go on alone', ({ linux }) => {
    const m = linux()
    const [cpu, other, gpu] = [m.thread('cpu0'), m.thread('cpu1'), m.device('gpu0')]
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 7)
    cpu.mprotect(buf, 'r')
    const fault = gpu.fault(buf, { write: true })
    m.race(fault, other.read(buf)).order(fault)
  }).build('v5.2')
  assert.is(runScenario(held, { steps: 3000 }).ended.why, 'limit')
  for (const seed of SEEDS) assert.is(runScenario(held, { seed }).ended.why, 'livelock')
})

test.run()
