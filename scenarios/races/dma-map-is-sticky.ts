/**
 * Since Linux 6.16 a driver keeps one array of the pages of a range: `hmm_range_fault()` writes what it finds there, and
 * `hmm_dma_map_pfn()` notes in the same words which pages are mapped for DMA. The walk leaves these notes in place, so a page that
 * is asked for again is not mapped again; an invalidation unmaps its pages, and no others.
 */
import { noStaleDeviceMapping, scenario, slice, until } from 'mirrorwalk'

export default scenario(
  'what is mapped for DMA stays so until it is invalidated',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    // There is no room to map a page twice.
    const gpu = m.device('gpu0', { dmaRoom: 4 })
    const buf = cpu.mmap({ pages: 4 })
    cpu.write(buf, 42)
    expect.returns(gpu.dmaMap(slice(buf, 0, 2)), 2)
    expect.sometimes('two pages are mapped', view => [0, 1].every(i => view.dma('gpu0', slice(buf, i).start) === 'DMA_BIDIRECTIONAL'))
    // The first two are mapped already, and still so when they are asked for to be written.
    expect.answers(gpu.dmaMap(buf, { write: true }), { ret: 2, err: null })
    expect.returns(gpu.dmaMap(buf), 0)

    // An invalidation between the walk and the driver lock: the driver begins again, and only that page is mapped anew.
    const first = slice(buf, 0)
    const map = gpu.dmaMap(buf)
    const discard = cpu.madvise(first, 'dontneed')
    m.race(map, discard).order(until(map, 'driver_lock'), discard, map)
    expect.answers(map, ({ ret, err }) => err === null && (ret === 0 || ret === 1))
    expect.sometimes('the page that was discarded is not mapped, the others are', view =>
      [0, 1, 2, 3].every(i => (view.dma('gpu0', slice(buf, i).start) === undefined) === (i === 0)),
    )
    expect.returns(gpu.dmaMap(slice(buf, 1, 3)), 0)
    expect.always('no stale device mapping', noStaleDeviceMapping)

    cpu.munmap(buf)
    expect.finally('nothing is mapped', view => [0, 1, 2, 3].every(i => view.dma('gpu0', slice(buf, i).start) === undefined))
  },
  { profiles: ['v7.1'] },
)
