/**
 * Up to Linux 5.6 `hmm_range_fault()` took every page in device-private memory for the caller's own, and left it where it was: a driver
 * was handed a frame in the memory of somebody else's device, which no bus leads to, and mapped it as if it were its own. Since v5.7
 * a caller names the owner whose pages it knows (`dev_private_owner`), and those of others are faulted back to the system.
 *
 * It takes two devices and no race: one has the page lent to it, the other wants it.
 */
import { scenario } from 'mirrorwalk'

export default scenario(
  "a device is handed a page in another one's private memory",
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const lender = cpu.openDevice(0)
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    lender.migrateToDevice(buf)
    gpu.fault(buf)
    expect.always("no device maps another one's private memory", view =>
      view.maps('gpu0', buf) && view.entry(buf.start).startsWith('!devpriv')
        ? `gpu0 maps page ${buf.start}, which is in the private memory of another device`
        : undefined,
    )
    expect.finally('the page is back', view => view.content(buf.start) === 42)
  },
  { exhibit: { of: 'foreignPrivateAccepted', wrong: 'v6.12,+foreignPrivateAccepted', right: 'v6.12' } },
)
