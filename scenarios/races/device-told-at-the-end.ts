/**
 * Before v4.20 (ec131b2d7fa6) HMM told devices of an invalidation when it was over. Between its begin and its end the kernel takes the
 * page out of the CPU's page table and gives the frame back, and somebody else may have it; the device, which has heard of nothing,
 * goes on to write there. Since then it is told when the invalidation begins, and the page is not touched before it has let go.
 *
 * It takes no race: the device has mapped the page, and the CPU discards it.
 */
import { scenario } from 'mirrorwalk'

export default scenario(
  'a device keeps a page until after it was given back',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    gpu.fault(buf, { write: true })
    cpu.madvise(buf, 'dontneed')
    expect.always('a page is given back when no device has it any more', view =>
      view.maps('gpu0', buf) && view.entry(buf.start) === 'none' ? `gpu0 still maps page ${buf.start}, which was given back` : undefined,
    )
  },
  { exhibit: { of: 'rangeValidity', wrong: 'v4.14', right: 'v6.12' } },
)
