/**
 * A device that asks for pages where nothing is mapped kills Linux 5.2 and 5.3, if something is mapped behind them. The walk looks for
 * the area at its address with `find_vma()`, which answers with the next one if there is none; in the gap before that, pages are to be
 * faulted in, and `handle_mm_fault()` is given a null pointer for the area. Since v5.4 that is EFAULT.
 *
 * It takes no race: a device faults the page before an area. The recordings of 5.2 have the death.
 */
import { scenario, slice } from 'mirrorwalk'

export default scenario(
  'a device faults a page before an area',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const both = cpu.mmap({ pages: 2 })
    cpu.munmap(slice(both, 0))
    expect.returns(gpu.fault(both), 'EFAULT')
  },
  { exhibit: { of: 'walkFaultsInGaps', wrong: 'v5.2', right: 'v5.4' } },
)
