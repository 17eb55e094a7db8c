/**
 * With `hmm_mirror` (Linux 5.2 to 5.5) a range has a flag that says whether it is valid. An invalidation clears it, and sets it again
 * when it ends: true, false, true. A driver that looks before its walk and once more under its lock sees true twice, and maps what the
 * walk has found, though the process has lost it meanwhile. The interval notifier of v5.5 (04ec32fbc2b2) compares a sequence number, which
 * does not come back.
 *
 * Minimal: the device walks; an invalidation begins, takes the page away, and ends; the device looks at its flag, and maps the page.
 * Seed 004 (scenarios/seeds) tells the patch.
 */
import { noStaleDeviceMapping, scenario, until } from 'mirrorwalk'

export default scenario(
  'a valid flag forgets an invalidation',
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
  { exhibit: { of: 'rangeValidity', wrong: 'v5.2', right: 'v6.12' } },
)
