/**
 * A device faults four pages for writing while the CPU unmaps them. Whoever comes first, the device ends up with
 * nothing: what it mapped too early is taken away again, and what it asks for too late is not there any more.
 *
 * In the order given here the driver holds its lock when munmap begins: the notifier's callback has to wait until the
 * pages are mapped and the lock is free, and takes them away before munmap may touch the page table.
 */
import { deviceWritesWhatCpuMay, noStaleDeviceMapping, scenario, until } from 'mirrorwalk'

export default scenario('a device fault races munmap', ({ linux, expect }) => {
  const m = linux()
  const cpu = m.thread('cpu0')
  const gpu = m.device('gpu0')
  const buf = cpu.mmap({ pages: 4 })
  cpu.write(buf, 100)

  const fault = gpu.fault(buf, { write: true })
  const unmap = cpu.munmap(buf)
  m.race(fault, unmap).order(until(fault, 'read_retry'), unmap, fault)

  expect.always('no stale device mapping', noStaleDeviceMapping)
  expect.always('the device writes only what the CPU may', deviceWritesWhatCpuMay)
  expect.finally('the device maps nothing of it', view => !view.maps('gpu0', buf))
  expect.returns(unmap, 0)
})
