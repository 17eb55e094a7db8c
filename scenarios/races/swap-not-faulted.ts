/**
 * In Linux 5.2 and 5.3 `hmm_vma_handle_pte()` asks whether a page has to be faulted in only after it has found the entry empty or
 * present. Of a page in swap it never asks, and goes on: `hmm_range_fault()` answers with success, and the word of the page is nothing.
 * A driver that believes the number has no page to map. v5.4 asks first.
 *
 * It takes no race: a page goes to swap, and a device wants it.
 */
import { scenario } from 'mirrorwalk'

const VALID = 1

export default scenario(
  'a device is told that it has a page which is in swap',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    cpu.madvise(buf, 'pageout')
    const fault = gpu.fault(buf)
    expect.answers(fault, ({ err, values }) => err !== null || values.every(word => (word & VALID) !== 0))
    expect.finally('the page is back', view => view.content(buf.start) === 42)
  },
  { exhibit: { of: 'swapNotFaulted', wrong: 'v6.12,+swapNotFaulted', right: 'v6.12' } },
)
