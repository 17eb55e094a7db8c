/**
 * A driver takes pages out of its device's table, and leaves them in the device's TLB. The table looks right, and so does every
 * check of it; the device goes on with what it has looked up before, in a page that the process has given back.
 *
 * A callback has to flush the TLB before it returns: the CPU gives the frame away as soon as it does.
 *
 * Minimal: the device has read the page; the CPU gives it back; the device writes it.
 */
import { noStaleDeviceAccess, noStaleDeviceMapping, scenario } from 'mirrorwalk'

export default scenario(
  'the TLB of a device is not flushed',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread()
    const gpu = m.device()
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    expect.returns(gpu.read(buf), [42])

    const discard = cpu.madvise(buf, 'dontneed')
    const write = gpu.write(buf, 7)
    m.race(discard, write).order(discard, write)

    expect.always('no stale device mapping', noStaleDeviceMapping)
    expect.always('no stale device access', noStaleDeviceAccess)
  },
  { exhibit: { of: 'noDeviceTlbFlush', wrong: 'v6.12,+noDeviceTlbFlush', right: 'v6.12' } },
)
