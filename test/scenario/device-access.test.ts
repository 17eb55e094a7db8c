/** A device's own accesses: what they read and write, and that a callback which does not wait for them, or leaves a TLB, is found. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explore, type Exploration } from 'mirrorwalk/explore'
import { deviceWith } from '../../machines/device.ts'
import inFlight from '../../scenarios/races/dma-in-flight.ts'
import notFlushed from '../../scenarios/races/device-tlb-not-flushed.ts'
import {
  modelOf,
  noStaleDeviceAccess,
  runScenario,
  scenario,
  slice,
  type Built,
  type Scenario,
  type ScenarioContext,
} from '../../src/index.ts'
import { Table } from '../../src/memory/table.ts'
import type { AnyEvent } from '../../src/system/actor.ts'
import { compiled } from '../../src/system/compile.ts'
import { initialSnapshot } from '../../src/system/take.ts'
import { HMM_PFN_VALID } from '../../src/walker/hmm.ts'

const build = (write: (context: ScenarioContext) => void, profile?: string): Built => scenario('a test', write).build(profile)
const explored = (built: Built): Exploration => explore(modelOf(built))

for (const profile of ['v4.14', 'v5.2', 'v5.5', 'v6.12', 'v7.1']) {
  test(`${profile}: a device reads what the CPU wrote, writes what the CPU reads, and faults in what is missing`, () => {
    const { verdict, verdicts } = runScenario(
      build(({ linux, expect }) => {
        const m = linux()
        const [cpu, gpu] = [m.thread(), m.device()]
        const buf = cpu.mmap({ pages: 3 })
        cpu.write(buf, 10)
        expect.returns(gpu.read(buf), [10, 11, 12])
        gpu.write(slice(buf, 1, 2), 70)
        cpu.madvise(slice(buf, 2), 'dontneed')
        gpu.write(slice(buf, 2), 5)
        expect.returns(gpu.read(buf), [10, 70, 5])
        expect.returns(cpu.read(buf), [10, 70, 5])
        cpu.munmap(slice(buf, 2))
        expect.returns(gpu.read(slice(buf, 2)), profile === 'v4.14' ? 'EINVAL' : 'EFAULT')
      }, profile),
    )
    assert.is(verdict, 'holds', JSON.stringify(verdicts))
  })
}

test('what a device has written is dirty: a page that was given up lazily is kept', () => {
  const lazily = (writes: boolean): Built =>
    build(({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device()]
      const buf = cpu.mmap({ pages: 1 })
      cpu.write(buf, 42)
      cpu.madvise(buf, 'free')
      if (writes) gpu.write(buf, 7)
      else gpu.read(buf)
      cpu.madvise(buf, 'pageout')
      expect.returns(cpu.read(buf), [writes ? 7 : 0])
    })
  assert.equal([runScenario(lazily(true)).verdict, runScenario(lazily(false)).verdict], ['holds', 'holds'])
})

/** States of a scenario explored to its end, and the steps of the shortest way to what it shows, with the bug and without. */
const shown = (story: Scenario): readonly unknown[] =>
  story.profiles.map(profile => {
    const { verdict, complete, searched, found } = explored(story.build(profile))
    assert.equal([verdict, complete], ['holds', true])
    return [searched.states, ...found.filter(f => f.kind === 'sometimes').map(f => f.trail?.length)]
  })

test('a TLB that is not flushed is found, and nothing where it is', () => {
  assert.equal(shown(notFlushed), [[50, 28], [79]])
})

test('an access in flight that nobody waits for is found, and nothing where it is waited for', () => {
  assert.equal(shown(inFlight), [[153, 34, 42], [133]])
})

test('the same with the older notifiers', () => {
  const figures = {
    'v4.14': [
      ['holds', 128, undefined],
      ['violated', 131, 32],
    ],
    'v5.2': [
      ['holds', 270, undefined],
      ['violated', 281, 31],
    ],
  }
  for (const [profile, expected] of Object.entries(figures)) {
    const racing = (bug: string): readonly unknown[] => {
      const { found, searched } = explored(
        build(({ linux, expect }) => {
          const m = linux()
          const [cpu, gpu] = [m.thread(), m.device()]
          const buf = cpu.mmap({ pages: 1 })
          cpu.write(buf, 42)
          m.race(gpu.write(buf, 7), cpu.munmap(buf))
          expect.always('no stale device access', noStaleDeviceAccess)
        }, `${profile}${bug}`),
      )
      return [found.at(-1)?.verdict, searched.states, found.at(-1)?.trail?.length]
    }
    assert.equal([racing(''), racing(',+doesNotWaitForDma')], expected, profile)
  }
})

test('a call that may not block is declined while an access is in flight, and one that may has to wait', () => {
  const machine = deviceWith([])
  let now = initialSnapshot(machine, { mm: 'mm0', start: 0, end: 64, accesses: true })
  const does = (event: AnyEvent & Readonly<Record<string, unknown>>): unknown => {
    const taken = compiled(machine, now, event)
    now = taken?.next ?? now
    return taken === undefined ? 'has to wait' : taken.reply
  }
  const invalidate = (blockable: boolean): unknown => does({ type: 'invalidate', start: 16, end: 17, blockable, seq: 3 })
  does({ type: 'lock' })
  does({ type: 'commit', start: 16, end: 17, pfns: Table.empty.set(16, HMM_PFN_VALID) })
  does({ type: 'unlock' })
  assert.is(does({ type: 'translate', page: 16, write: true }), 0, 'it may not write there')
  assert.is(does({ type: 'translate', page: 16, write: false }), HMM_PFN_VALID)
  assert.equal([invalidate(true), invalidate(false)], ['has to wait', false])
  does({ type: 'performed', page: 16 })
  assert.is(invalidate(true), true)
  assert.is(does({ type: 'translate', page: 16, write: false }), 0)
})

test.run()
