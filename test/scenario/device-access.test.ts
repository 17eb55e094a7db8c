/** A device's own accesses: what they read and write, and what a callback does about those in flight. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explore } from 'mirrorwalk/explore'
import { deviceWith } from '../../machines/device.ts'
import {
  deviceAccessesAreCurrent,
  modelOf,
  noStaleDeviceAccess,
  runScenario,
  scenario,
  slice,
  type Built,
  type ScenarioContext,
} from '../../src/index.ts'
import { Table } from '../../src/memory/table.ts'
import type { AnyEvent } from '../../src/system/actor.ts'
import { compiled } from '../../src/system/compile.ts'
import { initialSnapshot } from '../../src/system/take.ts'
import { HMM_PFN_VALID } from '../../src/walker/hmm.ts'

const build = (write: (context: ScenarioContext) => void, profile?: string): Built => scenario('a test', write).build(profile)

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

test('with the older notifiers, too, an access in flight that nobody waits for is found', () => {
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
      const { found, searched } = explore(
        modelOf(
          build(({ linux, expect }) => {
            const m = linux()
            const [cpu, gpu] = [m.thread(), m.device()]
            const buf = cpu.mmap({ pages: 1 })
            cpu.write(buf, 42)
            m.race(gpu.write(buf, 7), cpu.munmap(buf))
            expect.always('no stale device access', noStaleDeviceAccess)
          }, `${profile}${bug}`),
        ),
      )
      return [found.at(-1)?.verdict, searched.states, found.at(-1)?.trail?.length]
    }
    assert.equal([racing(''), racing(',+doesNotWaitForDma')], expected, profile)
  }
})

test('every read sees the last write, unless a kernel or a driver has it otherwise', () => {
  const lost = (profile: string): number | undefined => {
    const { found, complete } = explore(
      modelOf(
        build(({ linux, expect }) => {
          const m = linux()
          const [cpu, gpu] = [m.thread(), m.device()]
          const buf = cpu.mmap({ pages: 1 })
          cpu.write(buf, 42)
          m.race(gpu.write(buf, 7), cpu.munmap(buf))
          expect.always('accesses are current', deviceAccessesAreCurrent)
        }, profile),
      ),
    )
    assert.ok(complete)
    return found.at(-1)?.trail?.length
  }
  // Told when an invalidation ends; told of a flag that forgets; and from v5.5 on, of a sequence.
  assert.equal(['v4.14', 'v5.2', 'v5.4', 'v5.5', 'v6.1', 'v6.12', 'v7.1'].map(lost), [
    29,
    34,
    35,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  assert.equal(['v6.12,+commitsUnchecked', 'v6.12,+doesNotWaitForDma'].map(lost), [29, 29])
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
