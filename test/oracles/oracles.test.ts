/** Each oracle rings for a bug that was put in, and is silent without it. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { assign } from 'xstate'
import { device } from '../../machines/device.ts'
import { thread } from '../../machines/thread.ts'
import {
  deviceWritesWhatCpuMay,
  framesBalance,
  noStaleDeviceMapping,
  prepare,
  runScenario,
  scenario,
  slice,
  type Oracle,
  type Report,
} from '../../src/index.ts'
import type { Outcome, Rules } from '../../src/kernel/agenda.ts'
import { kernelOf } from '../../src/kernel/rules.ts'
import { threadDoes } from '../../src/kernel/thread.ts'
import { pfn, slot } from '../../src/memory/address.ts'
import { absent, present, swapEntry, WRITE } from '../../src/memory/entry.ts'
import { entries, type Fact } from '../../src/memory/facts.ts'
import { fold } from '../../src/memory/fold.ts'
import { bootMemory, type Memory } from '../../src/memory/memory.ts'
import { Table } from '../../src/memory/table.ts'
import { profileOf, type Kinds } from '../../src/scenario/standard.ts'
import { kind } from '../../src/system/actor.ts'
import { HMM_PFN_VALID, HMM_PFN_WRITE } from '../../src/walker/hmm.ts'

/** A device mirrors eight pages, and the CPU does to them whatever it can. */
const busy = (oracle: Oracle): ReturnType<typeof scenario> =>
  scenario('busy', ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const buf = cpu.mmap({ pages: 8 })
    cpu.write(buf, 1)
    m.race(
      gpu.fault(buf),
      cpu.madvise(slice(buf, 0, 2), 'dontneed'),
      gpu.fault(buf),
      cpu.mprotect(slice(buf, 2, 2), 'r'),
      gpu.fault(slice(buf, 0, 2)),
    )
    cpu.madvise(slice(buf, 4), 'pageout')
    cpu.munmap(slice(buf, 5, 3))
    expect.always('the oracle is silent', oracle)
  })

/** The first seed of 40 for which the oracle rings, and what it says; the steps of all runs without it. */
function rings(oracle: Oracle, kinds?: Kinds): string | undefined {
  for (const profile of ['v6.1', 'v6.12', 'v7.1']) {
    for (let seed = 0; seed < 20; seed++) {
      const run = prepare(busy(oracle).build(profile), { seed, ...(kinds === undefined ? {} : { kinds }) })
      let report: Report | undefined
      while (report === undefined) report = run.advance()
      const [verdict] = report.verdicts
      if (verdict?.holds === false) return verdict.why
      assert.is(report.verdict, 'holds')
    }
  }
  return undefined
}

/** `framesBalance` is for worlds in which nobody is inside the kernel. */
const balancedAtRest: Oracle = view =>
  view.world.actors.every(a => !('agenda' in a.context) || (a.context.agenda as readonly unknown[]).length === 0)
    ? framesBalance(view)
    : undefined

/** Threads on a kernel that has some of its rules wrong. */
const kernel = kernelOf(profileOf('v6.12'))
const threads = (wrong: Partial<Rules>): Kinds => ({
  thread: kind<Memory, Fact, typeof thread>(thread, threadDoes({ ...kernel, rules: { ...kernel.rules, ...wrong } })),
})
const without = (what: Fact[0], outcome: Outcome): Outcome => ({ ...outcome, facts: (outcome.facts ?? []).filter(f => f[0] !== what) })
const { unmap_page_range, handle_pte_fault, try_to_unmap } = kernel.rules

/** Two files of the test driver on one process: what one of them migrates, the other maps. */
const twoFiles = (devices: readonly [0 | 1, 0 | 1]): Report =>
  runScenario(
    scenario('two files', ({ linux, expect }) => {
      const cpu = linux('v6.12').thread()
      const [one, two] = [cpu.openDevice(devices[0]), cpu.openDevice(devices[1])]
      const buf = cpu.mmap({ pages: 4 })
      cpu.write(buf, 1)
      one.read(buf)
      two.migrateToDevice(buf)
      expect.always('no stale device mapping', noStaleDeviceMapping)
    }).build(),
  )

test('a file of the test driver that ignores what its device migrates for another file keeps stale pages', () => {
  const [verdict] = twoFiles([0, 0]).verdicts
  assert.is(verdict?.holds, false)
  assert.match(verdict?.why ?? '', /^dmirror0 still maps page 16 to frame 2, where the process has frame \d+$/)
  assert.is(twoFiles([0, 1]).verdict, 'holds')
})

test('all are silent where nothing is wrong', () => {
  for (const oracle of [noStaleDeviceMapping, deviceWritesWhatCpuMay, balancedAtRest]) assert.is(rings(oracle), undefined)
})

test('no stale device mapping: a device that does not drop what is invalidated', () => {
  const forgetful = device.provide({ actions: { drop: assign({}) } })
  assert.match(
    rings(noStaleDeviceMapping, { device: kind(forgetful) }) ?? '',
    /^gpu0 still maps page \d+ to frame \d+, where the process has (nothing|frame \d+)$/,
  )
})

test('no stale device mapping: a device that never finds its sequence changed', () => {
  const trusting = device.provide({ actions: { mmu_interval_set_seq: assign({}) } })
  assert.match(rings(noStaleDeviceMapping, { device: kind(trusting) }) ?? '', /still maps page/)
})

test('a device writes only what the CPU may: one that maps everything writable', () => {
  const bold = device.provide({
    actions: {
      map: assign(({ context, event }) =>
        event.type === 'commit'
          ? {
              table: context.table.update(
                event.start,
                event.end - event.start,
                (_, p) => event.pfns.get(p) | HMM_PFN_WRITE | HMM_PFN_VALID,
              ),
            }
          : {},
      ),
    },
  })
  assert.match(rings(deviceWritesWhatCpuMay, { device: kind(bold) }) ?? '', /^gpu0 may write page \d+, which the CPU may not$/)
})

const forgotten: readonly (readonly [string, Kinds, RegExp])[] = [
  [
    'an unmapping that keeps its references',
    threads({ unmap_page_range: (...at) => without('refs', unmap_page_range(...at)) }),
    /frame \d+ \(anon\) has 1 references, and 0 are accounted for/,
  ],
  [
    'an unmapping that keeps its map counts',
    threads({ unmap_page_range: (...at) => without('maps', unmap_page_range(...at)) }),
    /frame \d+ has map count 1, and 0 entries map it/,
  ],
  [
    'a fault that maps what it did not take',
    threads({ handle_pte_fault: (...at) => without('alloc', handle_pte_fault(...at)) }),
    /frame \d+ has map count 0, and \d+ entries map it/,
  ],
  [
    'a page that goes to swap and stays mapped',
    threads({ try_to_unmap: (...at) => without('pte', try_to_unmap(...at)) }),
    /frame \d+ has map count 0, and 1 entries map it/,
  ],
]
for (const [what, kinds, message] of forgotten) {
  test(`frames balance: ${what}`, () => assert.match(rings(balancedAtRest, kinds) ?? 'silent', message))
}

test('frames balance: swap slots, and the frame that is given out next', () => {
  const { memory } = prepare(busy(balancedAtRest).build('v6.12')).system
  const told = (broken: Memory): string | undefined => framesBalance({ names: [], world: { memory: broken, actors: [] } })
  assert.is(told(memory), undefined)
  assert.match(
    told({ ...memory, swap: { ...memory.swap, refs: Table.empty.set(3, 2) } }) ?? '',
    /swap slot 3 has 2 references, and 0 entries lead to it/,
  )
  assert.match(
    told({ ...memory, frames: { ...memory.frames, refs: memory.frames.refs.set(2, 1) } }) ?? '',
    /frame 2 \(free\) has 1 references, and 0 are accounted for/,
  )
})

test('frames balance: large folios, device memory, exclusive entries, the swap cache, and pages on their way', () => {
  const [LARGE, PRIVATE, HELD, CACHED] = [pfn(1024), pfn(4096), pfn(2), pfn(3)]
  const facts: readonly Fact[] = [
    ['folio', LARGE, 'anon:XH', 3],
    ['hugeMaps', LARGE, 1, 1],
    ['maps', pfn(LARGE + 5), 1, 1],
    entries('pmd', 'mm0', 0, 1, present(WRITE, LARGE)),
    entries('pte', 'mm0', 600, 1, present(0, pfn(LARGE + 5))),
    ['alloc', HELD, 'anon', 1, 0, 0, 0, 0],
    entries('pte', 'mm0', 601, 1, absent('!excl-w', HELD)),
    ['alloc', PRIVATE, 'devpriv', 1, 1, 0, 0, 0],
    entries('pte', 'mm0', 602, 1, absent('!devpriv-r', PRIVATE)),
    ['alloc', CACHED, 'anon', 1, 0, 7, 0, 0],
    ['swap', slot(1), 7],
    ['swap-cache', slot(1), CACHED],
    entries('pte', 'mm0', 603, 1, swapEntry(slot(1), false)),
    // Part of the large folio is the device's for now: its entry keeps the head's reference.
    entries('pte', 'mm0', 604, 1, absent('!excl-r', pfn(LARGE + 6))),
  ]
  const told = (...more: readonly Fact[]): string | undefined =>
    framesBalance({ names: [], world: { memory: fold(bootMemory(['mm0']), [...facts, ...more]), actors: [] } })
  assert.is(told(), undefined)
  assert.match(told(['refs', LARGE, 1, 1]) ?? '', /^frame 1024 \(anon\) has 4 references, and 3 are accounted for$/)
  assert.match(told(['refs', pfn(LARGE + 1), 1, 1]) ?? '', /^frame 1025 \(anon\) has 2 references, and 1 are accounted for$/)
  assert.match(told(['hugeMaps', LARGE, 1, 1]) ?? '', /^frame 1024 has a map count of 2 for 2 MiB, and 1 entries map that$/)
  assert.match(told(['maps', HELD, 1, 1]) ?? '', /^frame 2 has map count 1, and 0 entries map it$/)
  assert.match(told(['maps', PRIVATE, 1, -1]) ?? '', /^frame 4096 has map count 0, and 1 entries map it$/)
  assert.match(told(['swap-cache', slot(1), pfn(0)]) ?? '', /^frame 3 \(anon\) has 1 references, and 0 are accounted for$/)
  assert.match(told(['lock', LARGE, true]) ?? '', /^frame 1024 is locked, and nobody is there to unlock it$/)
  assert.match(
    told(entries('pte', 'mm0', 600, 1, absent('!migr-x', LARGE))) ?? '',
    /^page 600 of mm0 is on its way from frame 1024, and nobody is moving it$/,
  )
})

test.run()
