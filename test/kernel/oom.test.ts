/** The OOM reaper: takes private memory and no other, never waits, and leaves what a driver declines. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { framesBalance, noStaleDeviceMapping, runScenario, scenario, until, type ScenarioContext } from '../../src/index.ts'

/** Fails with the first expectation that does not come true. */
function holds(tell: (context: ScenarioContext) => void): void {
  const { verdict, verdicts } = runScenario(scenario('a test', tell).build('v6.12'))
  assert.is(verdict, 'holds', JSON.stringify(verdicts.filter(v => v.holds !== true)))
}

test('private memory goes, anonymous or of a file; shared memory and pages of the pool stay', () => {
  holds(({ linux, expect }) => {
    const cpu = linux().thread()
    const file = cpu.open('file', { fs: 'memfd', pages: 1, fill: 5 })
    const anon = cpu.mmap({ pages: 2 })
    const own = cpu.mmap({ pages: 1, of: file })
    const shared = cpu.mmap({ pages: 1, of: file, shared: true })
    const pool = cpu.mmap({ pages: 512, at: 512, of: 'hugetlb' })
    cpu.write(anon, 1)
    cpu.write(own, 2)
    cpu.write(shared, 3)
    cpu.write({ start: pool.start, end: pool.start + 1 } as typeof pool, 4)
    expect.returns(cpu.oom_reap_task_mm(), 0)
    for (const gone of [anon, own]) expect.finally(`page ${gone.start} is gone`, view => view.entry(gone.start) === 'none')
    for (const [stays, value] of [
      [shared, 3],
      [pool, 4],
    ] as const)
      expect.finally(`page ${stays.start} stays`, view => view.content(stays.start) === value)
    expect.finally('references balance', view => framesBalance(view) === undefined)
  })
})

test('what a driver declines stays, in every area, and is told; another time it goes', () => {
  holds(({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu, reaper] = [m.thread('cpu0'), m.device('gpu0'), m.thread('oom_reaper')]
    const [first, second] = [cpu.mmap({ pages: 1 }), cpu.mmap({ pages: 1 })]
    cpu.write(first, 1)
    cpu.write(second, 2)
    const fault = gpu.fault(first)
    const reap = reaper.oom_reap_task_mm()
    m.race(fault, reap).order(until(fault, 'commit'), reap, fault)
    expect.returns(reap, 'EAGAIN')
    expect.returns(fault, 0)
    expect.returns(cpu.read(first), [1])
    expect.returns(cpu.read(second), [2])
    expect.always('no stale device mapping', noStaleDeviceMapping)
    expect.returns(reaper.oom_reap_task_mm(), 0)
    expect.finally('all is gone', view => view.entry(first.start) === 'none' && !view.maps('gpu0', first))
  })
})

test.run()
