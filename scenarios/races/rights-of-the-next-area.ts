/**
 * Up to Linux 5.4 `hmm_range_fault()` asks `find_vma()` for the area at an address, and takes what it answers for that, though it may be the
 * next one, behind a gap: so where nothing is mapped, the rights of what is mapped behind it decide, and a look at a gap before memory that may
 * not be read is refused as a whole, with EPERM. d28c2c9a4877 (v5.5) has the generic page walker find areas, which knows gaps.
 *
 * It takes no race: a device looks at a gap, and at an area behind it that nobody may read.
 */
import { scenario, slice } from 'mirrorwalk'

export default scenario(
  'a device looks at a gap before memory that nobody may read',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const both = cpu.mmap({ pages: 2 })
    cpu.munmap(slice(both, 0))
    cpu.mprotect(slice(both, 1), '-')
    expect.answers(gpu.snapshot(both), { err: null })
  },
  { exhibit: { of: 'walksAreaByArea', wrong: 'v5.4', right: 'v6.12' } },
)
