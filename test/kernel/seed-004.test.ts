/** The rows of seed 004 (research 0.5, 1.2 G4 and G5, 2.12 dma_map, 3.6, 3.7): who is told that a range was invalidated. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Item } from '../../src/kernel/agenda.ts'
import type { Call } from '../../src/kernel/offer.ts'
import { changedBetween } from '../../src/kernel/switches.ts'
import { page, slot } from '../../src/memory/address.ts'
import { swapEntry } from '../../src/memory/entry.ts'
import { pte, type Fact } from '../../src/memory/facts.ts'
import { fold } from '../../src/memory/fold.ts'
import { mmOf, type Memory } from '../../src/memory/memory.ts'
import { noStaleMappingOn } from '../../src/oracles/no-stale-device-mapping.ts'
import { slice, until, type DeviceOptions, type ScenarioContext } from '../../src/scenario/api.ts'
import type { View } from '../../src/scenario/view.ts'
import { BadScenario } from '../../src/scenario/scenario.ts'
import { HMM_PFN_VALID } from '../../src/walker/hmm.ts'
import { contextIn, memoryAfter, profileWith, row, told, work, WRITE } from './rows.ts'

type Notifier = NonNullable<DeviceOptions['notifier']>
const BOTH: readonly Notifier[] = ['hmm_mirror', 'mmu_interval_notifier']

/** An invalidation of a page, whole, when a device has come so far. */
function raced({ linux }: ScenarioContext, notifier: Notifier, state: string) {
  const m = linux()
  const [cpu, gpu] = [m.thread(), m.device('gpu0', { notifier })]
  const buf = cpu.mmap({ pages: 1 })
  cpu.write(buf, 1)
  const fault = gpu.fault(buf, { attempts: 1 })
  const discard = cpu.madvise(buf, 'dontneed')
  m.race(fault, discard).order(until(fault, state), discard, fault)
  return { fault, buf }
}

test('the profiles around the seed differ in nothing else', () => {
  assert.equal(changedBetween(profileWith('v5.5-pre'), profileWith('v5.5')), ['rangeValidity'])
  assert.equal(changedBetween(profileWith('v5.2-pre'), profileWith('v5.2')), ['mirrorsDax', 'walkHoldsPagemap', 'walkRefusesSpecial'])
  assert.equal(changedBetween(profileWith('v4.14-pre'), profileWith('v4.14')), ['faultsForDevices'])
})

test('0.5/004 and 3.7: start and end complete between the walk and the check: unseen with the flag, seen with the sequence', () => {
  for (const profile of ['v5.2', 'v5.4', 'v5.5-pre', 'v5.5'])
    row(profile, context => {
      const { fault, buf } = raced(context, 'hmm_mirror', 'driver_lock')
      context.expect.returns(fault, 1)
      context.expect.violated('stale', noStaleMappingOn('gpu0'))
      context.expect.finally('it keeps it', view => view.maps('gpu0', buf) && view.entry(buf.start) === 'none')
    })
  row('v5.5', context => {
    const { fault, buf } = raced(context, 'mmu_interval_notifier', 'driver_lock')
    context.expect.returns(fault, 'EBUSY')
    context.expect.finally('it has nothing', view => !view.maps('gpu0', buf))
  })
})

test('0.5/004, range invalid at entry: EBUSY; the flag has forgotten an invalidation that is over, the sequence has not', () => {
  row('v5.5', context => context.expect.returns(raced(context, 'mmu_interval_notifier', 'hmm_range_fault').fault, 'EBUSY'))
  row('v5.5', context => context.expect.returns(raced(context, 'hmm_mirror', 'hmm_range_fault').fault, 1))
})

test('1.2/G5, stale check: the call goes to the notifier of the range, or to hmm_mirror, of one and the same mm', () => {
  for (const [notifier, to] of [
    ['hmm_mirror', 'mm0.hmm'],
    ['mmu_interval_notifier', 'gpu0'],
  ] as const) {
    const memory = memoryAfter('v5.5', context => void raced(context, notifier, 'driver_lock'))
    assert.equal(Object.keys(memory.mms), ['mm0'], to)
  }
  const flag = told('v5.5', 'gpu0.range', context => void raced(context, 'hmm_mirror', 'driver_lock'))
  const sequence = told('v5.5', 'gpu0.range', context => void raced(context, 'mmu_interval_notifier', 'driver_lock'))
  assert.ok(flag.includes('hmm_range_register') && flag.includes('hmm_range_valid') && !flag.includes('mmu_interval_read_begin'))
  assert.ok(sequence.includes('mmu_interval_read_begin') && !sequence.includes('hmm_range_register'))
})

test('1.2/G5, inner retry loop: a fault that copies a page sends a range with a notifier back, one with a flag not', () => {
  for (const notifier of BOTH)
    row('v5.5', ({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device('gpu0', { notifier })]
      const buf = cpu.mmap({ pages: 1 })
      cpu.read(buf)
      expect.returns(gpu.fault(buf, { write: true, attempts: 1 }), notifier === 'hmm_mirror' ? 1 : 'EBUSY')
      expect.returns(gpu.fault(buf, { write: true, attempts: 1 }), 1)
    })
})

test('3.6: both in one mm; both devices lose what goes, that with the notifier first', () => {
  row('v5.5', ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread()
    const [flag, sequence] = BOTH.map((notifier, i) => m.device(`gpu${i}`, { notifier }))
    const buf = cpu.mmap({ pages: 2 })
    cpu.write(buf, 1)
    expect.answers(flag?.fault(buf) ?? buf, { ret: 2, values: [WRITE, WRITE] })
    expect.answers(sequence?.fault(buf) ?? buf, { ret: 2, values: [WRITE, WRITE] })
    cpu.madvise(buf, 'dontneed')
    expect.sometimes('first', view => view.maps('gpu0', buf) && !view.maps('gpu1', buf) && view.entry(buf.start) !== 'none')
    expect.finally('both', view => !view.maps('gpu0', buf) && !view.maps('gpu1', buf))
  })
})

test('3.6, v5.2: a range that an invalidation ends at counts as met, and the end of the last makes every range valid', () => {
  row('v5.2', ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const buf = cpu.mmap({ pages: 2 })
    cpu.write(buf, 1)
    const fault = gpu.fault(slice(buf, 1), { attempts: 1 })
    m.race(fault, cpu.madvise(slice(buf, 0), 'dontneed'))
    const valid = (view: View): boolean | undefined =>
      contextIn<{ readonly ranges: readonly { readonly valid: boolean }[] }>(view, 'mm0.hmm').ranges?.[0]?.valid
    expect.sometimes('not valid', view => valid(view) === false)
    expect.sometimes('valid', view => valid(view) === true)
  })
})

test('1.2/G4, a snapshot never faults, and says EFAULT where v5.2 says nothing', () => {
  for (const [profile, wanted] of [
    ['v5.2', { ret: 1, err: null }],
    ['v5.4', { err: 'EFAULT' }],
    ['v5.5', { ret: 2, err: null }],
  ] as const)
    row(profile, ({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device()]
      const buf = cpu.mmap({ pages: 2 })
      cpu.write(slice(buf, 0), 1)
      cpu.read(slice(buf, 1))
      expect.answers(gpu.snapshot(buf), wanted)
      const none = cpu.mmap({ pages: 1 })
      gpu.snapshot(none)
      expect.finally('not faulted', view => view.entry(none.start) === 'none')
    })
})

test('2.12 need rule and 2.15, device private: V in place, to write too; back only if that is asked for', () => {
  for (const profile of ['v5.2', 'v5.4', 'v5.5'])
    row(profile, ({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device()]
      const buf = cpu.mmap({ pages: 2 })
      cpu.write(buf, 1)
      cpu.openDevice().migrateToDevice(buf)
      expect.answers(gpu.fault(buf, { write: true }), { ret: 2, values: [WRITE, WRITE] })
      expect.answers(gpu.fault(slice(buf, 1), { devicePrivate: true }), { ret: 1, values: [WRITE] })
      expect.finally('in place', view => view.entry(buf.start) === '!devpriv-w')
      expect.finally('back', view => !view.entry(slice(buf, 1).start).startsWith('!'))
    })
})

test('1.2/G4, quirk: each area is walked twice, and the faults of the first walk stay', () => {
  const walks = (profile: string): readonly string[] =>
    told(profile, 'gpu0.range', ({ linux }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device()]
      gpu.fault(cpu.mmap({ pages: 1 }), { write: true })
    }).filter(what => /hmm_walk_area|hmm_range_again|handle_pte_fault/.test(what))
  assert.equal(
    walks('v5.2').filter(what => what !== 'handle_pte_fault'),
    ['hmm_walk_area', 'hmm_range_again', 'hmm_walk_area'],
  )
  assert.equal(
    walks('v5.4').filter(what => what !== 'handle_pte_fault'),
    ['hmm_walk_area', 'hmm_walk_area'],
  )
})

test('1.2/G4, errors: write on a vma without VM_WRITE is EPERM, no vma EFAULT; a page in swap is faulted in', () => {
  for (const profile of ['v5.4', 'v5.5-pre', 'v5.5'])
    row(profile, ({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device()]
      const buf = cpu.mmap({ pages: 1, prot: 'r' })
      expect.returns(gpu.fault(buf, { write: true }), 'EPERM')
      const end = cpu.mmap({ pages: 1 })
      expect.returns(gpu.fault(slice(end, 4)), 'EFAULT')
      const gone = cpu.mmap({ pages: 1, prot: '-' })
      expect.returns(gpu.fault(gone), 'EPERM')
      const out = cpu.mmap({ pages: 1 })
      cpu.write(out, 1)
      cpu.madvise(out, 'pageout')
      expect.sometimes('out', view => view.entry(out.start) === '!swap')
      expect.answers(gpu.fault(out, { write: true }), { ret: 1, values: [WRITE] })
    })
})

/** `hmm_range_dma_map()` over three written pages, and one that is only read; who is asked answers `stale` the n-th time. */
function dmaMapped(
  staleAt: number,
  room = Infinity,
  profile = 'v5.5',
  change: readonly Fact[] = [],
): { readonly fail: unknown; readonly ret: number; readonly calls: readonly string[] } {
  const memory: Memory = memoryAfter('v5.5', ({ linux }) => {
    const cpu = linux().thread()
    const buf = cpu.mmap({ pages: 4, at: 16 })
    cpu.write(slice(buf, 0, 3), 1)
    cpu.read(slice(buf, 3))
  })
  assert.is(mmOf(memory, 'mm0').vmas.length, 1)
  const stale: Call = { to: 'gpu0', event: { type: 'check_retry' } }
  const range = { start: page(16), end: page(20), defaultFlags: HMM_PFN_VALID, pfnFlagsMask: 0, owned: null }
  const map: Item = { do: 'hmm_range_dma_map', dma: 'gpu0.dma', start: range.start, at: range.start, end: range.end, mapped: 0, stale }
  let [asked, mapped] = [0, 0]
  const calls: string[] = []
  const reply = ({ event }: Call): unknown => {
    if (event.type === 'check_retry') return ++asked === staleAt
    const { page: at, bidirectional } = event as { readonly page?: number; readonly bidirectional?: boolean }
    calls.push(`${event.type} ${at}${bidirectional === undefined ? '' : bidirectional ? ' both ways' : ' to the device'}`)
    return event.type === 'dma_map_page' && ++mapped <= room
  }
  const { after } = work(
    profileWith(profile),
    fold(memory, change),
    [{ do: 'hmm_range_fault', mm: 'mm0', range, last: range.start, stale }, map],
    reply,
  )
  return { fail: after.fail, ret: after.ret, calls }
}

test('2.12, dma_map: each page, both ways iff WRITE; the number mapped', () => {
  assert.equal(dmaMapped(0), {
    fail: null,
    ret: 4,
    calls: ['dma_map_page 16 both ways', 'dma_map_page 17 both ways', 'dma_map_page 18 both ways', 'dma_map_page 19 to the device'],
  })
})

test('1.2/G5 and 2.12, dma_map: needs_retry for each page; EBUSY after unmapping what was mapped', () => {
  // The first question is that of the walk.
  for (const [at, mapped] of [
    [2, 0],
    [3, 1],
    [5, 3],
  ] as const) {
    const { fail, calls } = dmaMapped(at)
    assert.is(fail, 'EBUSY')
    assert.equal(calls.filter(c => c.startsWith('dma_map')).length, mapped)
    assert.equal(
      calls.slice(mapped),
      Array.from({ length: mapped }, (_, i) => `dma_unmap_page ${16 + i}`),
    )
  }
})

test('2.12, dma_map: a page that cannot be mapped is EFAULT, after unmapping', () => {
  const { fail, calls } = dmaMapped(0, 2)
  assert.equal([fail, calls.slice(3)], ['EFAULT', ['dma_unmap_page 16', 'dma_unmap_page 17']])
  row('v5.4', ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device('gpu0', { dmaRoom: 2 })]
    const buf = cpu.mmap({ pages: 3 })
    cpu.write(buf, 1)
    expect.returns(gpu.dmaMap(buf), 'EFAULT')
    expect.finally('none', view => view.dma('gpu0', buf.start) === undefined)
  })
})

test('2.12, dma_map: an entry without a page is skipped; a result of 0 is EBUSY', () => {
  // In v5.2 a page in swap is found to be nothing, and that is a success.
  const { ret, calls } = dmaMapped(0, Infinity, 'v5.2', [
    pte('mm0', page(16), swapEntry(slot(3), false)),
    pte('mm0', page(19), swapEntry(slot(4), false)),
  ])
  assert.equal([ret, calls], [2, ['dma_map_page 17 both ways', 'dma_map_page 18 both ways']])
  const stale: Call = { to: 'gpu0', event: { type: 'check_retry' } }
  const map: Item = { do: 'hmm_range_dma_map', dma: 'gpu0.dma', start: page(1), at: page(1), end: page(2), mapped: 0, stale }
  assert.is(
    work(
      profileWith('v5.2'),
      memoryAfter('v5.2', ({ linux }) => void linux()),
      [map],
      () => false,
    ).after.fail,
    'EBUSY',
  )
})

test('a driver that finds its range invalidated behind dma_map unmaps all of it', () => {
  for (const [profile, notifier] of [
    ['v5.5', 'mmu_interval_notifier'],
    ['v5.5', 'hmm_mirror'],
  ] as const)
    row(profile, ({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device('gpu0', { notifier })]
      const buf = cpu.mmap({ pages: 2 })
      cpu.write(buf, 1)
      const map = gpu.dmaMap(buf, { attempts: 1 })
      const discard = cpu.madvise(buf, 'dontneed')
      m.race(map, discard).order(until(map, 'driver_lock'), discard, map)
      const back = notifier === 'mmu_interval_notifier'
      expect.returns(map, back ? 'EBUSY' : 2)
      expect.finally('mapped or not', view => (view.dma('gpu0', buf.start) === undefined) === back)
    })
})

test('what a kernel has not is refused by name', () => {
  const refused = (profile: string, build: (context: ScenarioContext) => void, message: RegExp): void => {
    assert.throws(
      () => row(profile, build),
      (error: unknown) => error instanceof BadScenario && message.test(error.message),
    )
  }
  refused('v6.12', ({ linux }) => void linux().device('gpu0', { notifier: 'hmm_mirror' }), /v6\.12 has no hmm_mirror/)
  refused('v5.4', ({ linux }) => void linux().device('gpu0', { notifier: 'mmu_interval_notifier' }), /v5\.4 has no mmu_interval_notifier/)
  refused(
    'v6.12',
    ({ linux }) =>
      void linux()
        .device()
        .dmaMap({ start: page(1), end: page(2) }),
    /v6\.12 has no hmm_range_dma_map\(\) or hmm_dma_map_pfn\(\)/,
  )
})

test.run()
