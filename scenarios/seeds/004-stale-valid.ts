/**
 * Seed 004: a device fault, and an invalidation that begins and ends between the walk and the retry check.
 *
 * With `hmm_mirror` (Linux 5.2) a range has a `valid` flag. The invalidation clears it and, when it ends, sets it again:
 * the driver, which looks only then, commits a page that the process no longer has. The interval notifier that
 * replaced it compares a sequence number, which does not come back, and the driver begins again.
 */
import { noStaleDeviceMapping, scenario, until } from 'mirrorwalk'

export default scenario(
  'seed 004: a valid flag forgets an invalidation',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)

    const fault = gpu.fault(buf)
    const discard = cpu.madvise(buf, 'dontneed')
    m.race(fault, discard).order(until(fault, 'driver_lock'), discard, fault)

    if (m.profile.rangeValidity === 'valid flag') expect.violated('the device keeps a stale page', noStaleDeviceMapping)
    else expect.always('no stale device mapping', noStaleDeviceMapping)
  },
  { profiles: ['v5.2', 'v6.12'] },
)
