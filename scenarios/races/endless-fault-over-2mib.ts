/**
 * A device that faults a page of 2 MiB in memory without any rights hangs Linux 4.14, though it only wants to read. mprotect() has
 * marked the entry like those that NUMA balancing wants to hear of, and the walk takes it for one: to be faulted in, for the
 * fault will put that right. The fault does not, as the area has no rights to give, and finds nothing else wrong with it.
 *
 * Small pages have no such luck: of their entries 4.14 does not look at that mark, and the device is given what nobody may read.
 */
import { scenario } from 'mirrorwalk'

const PMD_PAGES = 512

export default scenario(
  'a device reads 2 MiB that nobody may read',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const small = cpu.mmap({ pages: 1 })
    cpu.write(small, 5)
    cpu.mprotect(small, '-')
    const huge = cpu.mmap({ pages: PMD_PAGES, at: PMD_PAGES })
    cpu.madvise(huge, 'huge')
    cpu.write(huge, 7)
    cpu.mprotect(huge, '-')

    const asksRights = m.profile.rangeValidity !== 'valid flag at the end'
    expect.returns(gpu.fault(small), asksRights ? (m.profile.walksAreaByArea ? 'EPERM' : 'EFAULT') : 0)
    expect.returns(gpu.fault(huge), asksRights ? (m.profile.walksAreaByArea ? 'EPERM' : 'EFAULT') : 'livelock')
    expect.finally('one entry of 2 MiB maps it still', view => view.huge(huge.start))
  },
  { profiles: ['v4.14', 'v5.2', 'v6.1', 'v6.12'] },
)
