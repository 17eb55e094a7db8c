/**
 * The kernel's HMM test driver dies of a page of its own. One of its files migrates memory to the device; another file on the
 * same device and process knows nothing of that, and faults the page in. `hmm_range_fault()` leaves a device's own private
 * memory where it is and hands out the frame, and the driver, which has no mapping of such a frame, reads it all the same.
 */
import { scenario } from 'mirrorwalk'

export default scenario(
  'the test driver reads a private page of its own device',
  ({ linux, expect }) => {
    const cpu = linux().thread()
    const [one, two] = [cpu.openDevice(0), cpu.openDevice(0)]
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    expect.answers(one.migrateToDevice(buf), { cpages: 1, values: [42] })
    expect.returns(two.read(buf), 'oops: dmirror_do_read')
  },
  { profiles: ['v6.1', 'v6.12'] },
)
