/**
 * Linux 6.1 takes an entry of 2 MiB that maps a DAX file for a damaged table when `MADV_PAGEOUT` or `MADV_COLD` comes by, and
 * clears it: 512 pages are gone from the page table, and no notifier hears of it. A device that mirrors them goes on with what
 * it has. Later kernels know such entries, and leave them alone (v6.5).
 *
 * It takes no race: the device has mapped pages of the entry, and `madvise()` comes by.
 */
import { noStaleDeviceMapping, scenario, slice } from 'mirrorwalk'

export default scenario(
  'an entry of a DAX file is cleared, and nobody is told',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread()
    const gpu = m.device()
    const file = cpu.open('data', { fs: 'dax', pages: 1024, fill: 1000 })
    const buf = cpu.mmap({ pages: 512, at: 512, shared: true, of: file })
    expect.returns(cpu.read(slice(buf, 3)), [1003])
    expect.returns(gpu.fault(slice(buf, 0, 8)), 0)
    cpu.madvise(slice(buf, 0, 4), 'pageout')
    expect.always('no stale device mapping', noStaleDeviceMapping)
  },
  { exhibit: { of: 'reclaimKnowsDaxPmd', wrong: 'v6.1', right: 'v6.12' } },
)
