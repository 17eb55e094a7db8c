/** Mapping for DMA page by page (v6.16 on): rows of 1.2/G8, 1.3 and 2.16 of the table of facts, by name. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import sticky from '../../scenarios/races/dma-map-is-sticky.ts'
import { dmaMapAlloc, isDmaMapped, mapPfn, unmapPfn, unmapPfns, type DmaMap } from '../../src/kernel/dma-map.ts'
import { page, pfn } from '../../src/memory/address.ts'
import { frameOf, NEXT_FRAME } from '../../src/memory/entry.ts'
import type { Memory } from '../../src/memory/memory.ts'
import { Table } from '../../src/memory/table.ts'
import { slice, until } from '../../src/scenario/api.ts'
import { runScenario } from '../../src/scenario/run.ts'
import {
  HMM_PFN_DMA_MAPPED,
  HMM_PFN_ERROR,
  HMM_PFN_INOUT_FLAGS,
  HMM_PFN_P2PDMA,
  HMM_PFN_P2PDMA_BUS,
  HMM_PFN_VALID,
  HMM_PFN_WRITE,
  mapOrder,
  walk,
  type Walk,
} from '../../src/walker/hmm.ts'
import { memoryAfter, profileWith, row, told } from './rows.ts'

const STICKY = [HMM_PFN_DMA_MAPPED, HMM_PFN_P2PDMA, HMM_PFN_P2PDMA_BUS] as const
const ALL = HMM_PFN_VALID | HMM_PFN_WRITE

/** The array that a walk leaves of `given` words, in each page of [start, end). */
function walked(profile: string, memory: Memory, [start, end]: readonly [number, number], given: number, defaultFlags = 0): Walk {
  const array = Table.empty.setRange(start, end - start, given, 0)
  const range = { start: page(start), end: page(end), defaultFlags, pfnFlagsMask: 0, owned: null }
  return walk(memory, 'mm0', range, { last: range.start, array, stop: null }, Infinity, profileWith(profile))
}
const map = (room: number | null = null): DmaMap => ({ room, limited: false, pfns: Table.empty, mapped: 0 })
const WORD = 7 * NEXT_FRAME + ALL

/** A written page, a hole, a page that may only be read, one in a gap, and 2 MiB in one entry. */
const mixed = memoryAfter('v7.1', ({ linux }) => {
  const cpu = linux().thread()
  const buf = cpu.mmap({ pages: 3, at: 16 })
  cpu.write(slice(buf, 0), 1)
  cpu.read(slice(buf, 2))
  const large = cpu.mmap({ pages: 512, at: 512 })
  cpu.madvise(large, 'huge')
  cpu.write(slice(large, 0), 1)
})

test('2.16, v6.16: input sticky bits are copied to the output in every branch', () => {
  const kinds = [
    [16, 'a page', ALL],
    [17, 'a hole', 0],
    [18, 'the zero page', HMM_PFN_VALID],
    [30, 'a gap', HMM_PFN_ERROR],
    [515, '2 MiB', ALL],
  ] as const
  for (const [at, what, flags] of kinds) {
    const plain = walked('v7.1', mixed, [at, at + 1], 0).array.get(at)
    assert.is(plain & 7, flags, what)
    for (const bit of [...STICKY, HMM_PFN_INOUT_FLAGS])
      assert.is(walked('v7.1', mixed, [at, at + 1], bit).array.get(at), plain | bit, `${what}, ${bit}`)
  }
})

test('1.2/G8, sticky bits: everything else is overwritten', () => {
  const given = HMM_PFN_DMA_MAPPED | HMM_PFN_ERROR | (99 * NEXT_FRAME + ALL)
  assert.is(walked('v7.1', mixed, [17, 18], given).array.get(17), HMM_PFN_DMA_MAPPED)
  assert.is(walked('v7.1', mixed, [16, 17], given).array.get(16), walked('v7.1', mixed, [16, 17], 0).array.get(16) | HMM_PFN_DMA_MAPPED)
})

test('1.4, sticky DMA bits: before v6.16 there are none, and all of a word is overwritten', () => {
  for (const profile of ['v5.16', 'v6.1', 'v6.12'])
    for (const at of [16, 17, 18, 30, 515])
      assert.is(walked(profile, mixed, [at, at + 1], HMM_PFN_INOUT_FLAGS).array.get(at) & HMM_PFN_INOUT_FLAGS, 0)
})

test('1.3, none: 0, sticky bits may remain; a word that is to be faulted in stays as it was given', () => {
  const { array, stop } = walked('v7.1', mixed, [17, 18], HMM_PFN_DMA_MAPPED, HMM_PFN_VALID)
  assert.equal([array.get(17), stop?.why], [HMM_PFN_DMA_MAPPED, 'fault'])
})

test('1.2/G8, bits: the order and the frame are told beside the sticky bits', () => {
  const { array } = walked('v7.1', mixed, [512, 1024], HMM_PFN_INOUT_FLAGS)
  const first = frameOf(array.get(512))
  for (const at of [512, 700, 1023]) assert.equal([mapOrder(array.get(at)), frameOf(array.get(at))], [9, pfn(first + at - 512)])
})

test('1.2/G8, map_pfn: sets DMA_MAPPED; a page that is mapped has its address already; failure is DMA_MAPPING_ERROR', () => {
  const one = mapPfn(map(1), 3, WORD)
  assert.equal([one.answer, one.map.mapped, one.map.pfns.get(3)], ['mapped', 1, WORD | HMM_PFN_DMA_MAPPED])
  // There is no room, and it takes none; what the walk has found since, it notes.
  const again = mapPfn(one.map, 3, (WORD & ~HMM_PFN_WRITE) | HMM_PFN_DMA_MAPPED)
  assert.equal([again.answer, again.map.mapped, again.map.pfns.get(3) & ALL], ['was mapped', 1, HMM_PFN_VALID])
  assert.equal(mapPfn(one.map, 4, WORD), { map: one.map, answer: 'DMA_MAPPING_ERROR' })
})

test('1.2/G8, unmap_pfn: false when not VALID and DMA_MAPPED; clears the sticky bits; true otherwise', () => {
  for (const word of [0, WORD, HMM_PFN_DMA_MAPPED, HMM_PFN_INOUT_FLAGS]) {
    const before = { ...map(), pfns: Table.empty.set(3, word), mapped: 1 }
    assert.equal(unmapPfn(before, 3), { map: before, answer: false })
  }
  const before = { ...map(), pfns: Table.empty.set(3, WORD | HMM_PFN_INOUT_FLAGS), mapped: 1 }
  const { map: after, answer } = unmapPfn(before, 3)
  assert.equal([answer, after.mapped, after.pfns.get(3)], [true, 0, WORD])
})

test('an invalidation unmaps its pages, and no others', () => {
  const all = [3, 4, 5].reduce((m, p) => mapPfn(m, p, WORD).map, map())
  const after = unmapPfns(all, 4, 5)
  assert.equal([after.mapped, [3, 4, 5].map(p => isDmaMapped(after, p))], [2, [true, false, true]])
})

test('1.2/G8, alloc errors: EOPNOTSUPP when the device needs cache sync or limited addressing', () => {
  assert.is(dmaMapAlloc(map()), null)
  row('v7.1', ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device('gpu0', { dmaLimited: true })]
    const buf = cpu.mmap({ pages: 1 })
    expect.returns(gpu.dmaMap(buf), 'EOPNOTSUPP')
    expect.finally('nothing was faulted in', view => view.entry(buf.start) === 'none')
    // What needs no DMA it can.
    expect.returns(gpu.fault(cpu.mmap({ pages: 1 })), 0)
  })
})

test('the driver: allocates once; sequence, walk, driver lock, retry check, each page, and only then does the device map them', () => {
  const steps = told('v7.1', 'gpu0.range', ({ linux }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device('gpu0')]
    const buf = cpu.mmap({ pages: 2 })
    cpu.write(buf, 1)
    gpu.dmaMap(buf)
    gpu.dmaMap(buf)
  })
  const call = [
    'mmu_interval_read_begin',
    'mmap_read_lock',
    'hmm_dma_pfn_list',
    'hmm_range_fault',
    'walk_page_range',
    'mmap_read_unlock',
    'driver_lock',
    'mmu_interval_read_retry',
    'hmm_dma_map_pfn',
    'hmm_dma_map_pfn',
    'commit',
    'driver_unlock',
    'return',
  ]
  assert.equal(steps, ['device_fault', 'hmm_dma_map_alloc', ...call, 'device_fault', ...call])
})

test('a page that cannot be mapped is EFAULT; the device maps nothing of it, and those before stay mapped for DMA', () => {
  row('v7.1', ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device('gpu0', { dmaRoom: 2 })]
    const buf = cpu.mmap({ pages: 3 })
    cpu.write(buf, 1)
    expect.returns(gpu.dmaMap(buf), 'EFAULT')
    expect.finally('two', view => [0, 1, 2].map(i => view.dma('gpu0', slice(buf, i).start) !== undefined).join() === 'true,true,false')
    expect.finally('not mapped, but for what is asked for alone', view => !view.maps('gpu0', slice(buf, 1, 2)))
    expect.returns(gpu.dmaMap(slice(buf, 0)), 0)
  })
})

test('a copy for a write invalidates the page: the driver that has caused it begins again, and maps the copy', () => {
  row('v7.1', ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device('gpu0')]
    const buf = cpu.mmap({ pages: 2 })
    cpu.read(buf)
    expect.returns(gpu.dmaMap(buf), 2)
    expect.answers(gpu.dmaMap(slice(buf, 0), { write: true }), { ret: 1, values: [ALL] })
    expect.returns(gpu.dmaMap(buf), 0)
  })
})

test('an invalidation before the driver lock sends it back; with no other attempt what it had mapped before stays', () => {
  row('v7.1', ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device('gpu0')]
    const buf = cpu.mmap({ pages: 2 })
    cpu.write(buf, 1)
    gpu.dmaMap(buf)
    const again = gpu.dmaMap(buf, { attempts: 1 })
    const discard = cpu.madvise(slice(buf, 0), 'dontneed')
    m.race(again, discard).order(until(again, 'driver_lock'), discard, again)
    expect.returns(again, 'EBUSY')
    expect.finally('the other', view => view.dma('gpu0', buf.start) === undefined && view.dma('gpu0', slice(buf, 1).start) !== undefined)
  })
})

test('the scenario holds', () => {
  const { verdicts } = runScenario(sticky.build('v7.1'))
  assert.equal(
    verdicts.filter(v => v.holds !== true),
    [],
  )
})

test.run()
