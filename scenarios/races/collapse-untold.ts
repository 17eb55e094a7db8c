/**
 * khugepaged makes one huge page of 512 small ones: what they contain is copied, and their frames are given back. Up to Linux 6.1 it
 * did so to memory that is shared, and to files, without a word to the notifiers (f268f6cf875f, in 6.1 and stable kernels before it):
 * a device, or a virtual machine, went on with frames that soon were somebody else's. To private memory, which is what this model
 * collapses, it always told them; the mistake, and what comes of it, is the same.
 *
 * Minimal: the device maps a page, the block is collapsed. Nothing has to race.
 */
import { noStaleDeviceMapping, scenario, slice } from 'mirrorwalk'

export default scenario(
  'small pages become a huge one, and the device is not told',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const buf = cpu.mmap({ pages: 512, at: 512 })
    const first = slice(buf, 0)
    cpu.write(first, 42)
    const fault = gpu.fault(first)
    const collapse = cpu.madvise(buf, 'collapse')
    m.race(fault, collapse).order(fault, collapse)
    expect.always('no stale device mapping', noStaleDeviceMapping)
    expect.finally('what the page contained is there still', view => view.content(first.start) === 42)
  },
  { exhibit: { of: 'collapseUntold', wrong: 'v6.1,+collapseUntold', right: 'v6.1' } },
)
