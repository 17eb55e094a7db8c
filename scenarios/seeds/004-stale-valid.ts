/**
 * Seed 004: a device fault, and an invalidation that begins and ends between the walk and the retry check.
 *
 * With `hmm_mirror` (Linux 5.2 to 5.5) a range has a `valid` flag. The invalidation clears it and, when it ends, sets it again:
 * the driver, which looks only then, commits a page that the process no longer has. The interval notifier that
 * replaced it compares a sequence number, which does not come back, and the driver begins again.
 *
 * The patch, in the making of Linux 5.5, lets a range have either, for as long as drivers are being converted: `needs_retry()`
 * asks the sequence where the range has a notifier, and the flag where it has none. So on `v5.5` one device of each kind mirrors
 * the same process: that with the flag is still wrong, and that with the notifier is right. The other places where
 * `needs_retry()` decides are in 004-needs-retry.ts.
 */
import { noStaleDeviceMapping, noStaleMappingOn, scenario, until } from 'mirrorwalk'

export default scenario(
  'seed 004: a valid flag forgets an invalidation',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const sideBySide = m.profile.rangeValidity === 'valid flag or sequence'
    const gpu = m.device('gpu0', sideBySide ? { notifier: 'hmm_mirror' } : {})
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)

    if (sideBySide) {
      const other = m.device('gpu1', { notifier: 'mmu_interval_notifier' })
      const [flag, sequence] = [gpu.fault(buf), other.fault(buf)]
      const discard = cpu.madvise(buf, 'dontneed')
      m.race(flag, sequence, discard).order(until(flag, 'driver_lock'), until(sequence, 'driver_lock'), discard, flag, sequence)
      expect.violated('the device with the flag keeps a stale page', noStaleMappingOn('gpu0'))
      expect.always('the device with the notifier does not', noStaleMappingOn('gpu1'))
      return
    }

    const fault = gpu.fault(buf)
    const discard = cpu.madvise(buf, 'dontneed')
    m.race(fault, discard).order(until(fault, 'driver_lock'), discard, fault)

    if (m.profile.rangeValidity === 'valid flag') expect.violated('the device keeps a stale page', noStaleDeviceMapping)
    else expect.always('no stale device mapping', noStaleDeviceMapping)
  },
  { profiles: ['v5.2', 'v5.5-pre', 'v5.5', 'v6.12'] },
)
