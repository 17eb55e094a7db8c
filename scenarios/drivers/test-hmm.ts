/**
 * Pattern: the kernel's own HMM test driver (lib/test_hmm.c), which has pages migrated to a device's memory and back. Its callback
 * leaves alone what its own device migrates: the migration will see to the device's table itself.
 *
 * Mistake (`as-it-is`), open as of Linux 6.12: it does not move its sequence on then, either. A READ that has walked before the
 * migration finds its sequence as it was, and maps the page that was moved away, over the entry that the migration has made. Right is
 * here what makes no exception: own migrations are dealt with as all others are. The memory is coherent: of private memory the driver
 * would also die in the same race, as races/device-reads-its-own-page.ts has it.
 *
 * Explored to the end: 605 states; `as-it-is` found after 34 steps, of 347 states.
 */
import { noStaleDeviceMapping, scenario, until } from 'mirrorwalk'
import { defineMirror, dmirror } from 'mirrorwalk/driver'

const right = defineMirror('test-hmm-without-exception', dmirror.provide({ guards: { own: () => false } }))

export default scenario(
  'READ against MIGRATE of the HMM test driver',
  ({ linux, expect, variant }) => {
    const m = linux()
    const [cpu, other] = [m.thread(), m.thread()]
    const dev = cpu.openDevice(2, variant === 'as-it-is' ? {} : { driver: right })
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    const read = dev.read(buf)
    const migrate = dev.usedBy(other).migrateToDevice(buf)
    m.race(read, migrate).order(until(read, 'dmirror_do_fault'), migrate, read)
    expect.always('no stale device mapping', noStaleDeviceMapping)
  },
  { variants: ['', 'as-it-is'] },
)
