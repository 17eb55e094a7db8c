/**
 * amdgpu, as it learned to use user pointers (2019), took the pages that `hmm_range_fault()` had given it, and used them before it had
 * asked, under its lock, whether the range was invalidated meanwhile: a FIXME in its patches says so. What was found may be worth
 * nothing by then, and nobody will say so again, for the invalidation was over before the device had anything to be taken away.
 *
 * The kernel's documentation has drivers ask `mmu_interval_read_retry()` under the lock that their callback takes, and begin again.
 *
 * Minimal: the device walks; the CPU gives the page back, from the first call of the notifier to the last; the device maps it.
 */
import { noStaleDeviceMapping, scenario, until } from 'mirrorwalk'

export default scenario(
  'a driver maps pages without asking whether they still count',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    const fault = gpu.fault(buf)
    const discard = cpu.madvise(buf, 'dontneed')
    m.race(fault, discard).order(until(fault, 'driver_lock'), discard, fault)
    expect.always('no stale device mapping', noStaleDeviceMapping)
  },
  { exhibit: { of: 'commitsUnchecked', wrong: 'v6.12,+commitsUnchecked', right: 'v6.12' } },
)
