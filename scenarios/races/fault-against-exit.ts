/**
 * A process can end while a device faults on its behalf: then its page tables go, whatever the device is about to do. Of the drivers
 * that use `hmm_range_fault()` it is asked to have the process's memory stay (`mmget_not_zero()`) before they walk it, and to give up if
 * it cannot. Up to Linux 5.3 ranges of HMM could be begun and walked without, and outlive the memory ("mm/hmm: Hold on to the mmget for
 * the lifetime of the range", of the series by Jason Gunthorpe that put the lifetimes of HMM right).
 *
 * Minimal: the device has begun, and the process ends: notifiers are released, and the memory goes; the device walks.
 */
import { scenario, until } from 'mirrorwalk'

export default scenario(
  'a device walks the memory of a process that has ended',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    const fault = gpu.fault(buf)
    const exit = cpu.exit()
    m.race(fault, exit).order(until(fault, 'mmap_read_lock'), exit, fault)
    expect.answers(fault, ({ err }) => err === null || err === 'EFAULT')
  },
  { exhibit: { of: 'rangeOutlivesMm', wrong: 'v6.12,+rangeOutlivesMm', right: 'v6.12' } },
)
