/**
 * A file of the HMM test driver is closed while pages that it has moved to the device are still there. Each of these pages leads to the
 * file, for that is whom the driver asks when the CPU wants the page back. Until 2026 closing it freed the file, and left the pages
 * where they were; who touched one of them later made the driver use what it had freed. Now the file brings them back before it goes.
 *
 * Minimal: migrate, close, read. Nothing has to race. If something does, the fix is not whole: it tries once, and a page that a CPU
 * fault has a reference to just then stays on the device, and leads to a file that is gone (test/scenario/close-against-fault.test.ts).
 */
import { scenario } from 'mirrorwalk'

export default scenario(
  'a page comes back from a file of the driver that is closed',
  ({ linux, expect }) => {
    const cpu = linux().thread('cpu0')
    const dev = cpu.openDevice(0)
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    expect.answers(dev.migrateToDevice(buf), { cpages: 1 })
    expect.returns(dev.close(), 0)
    expect.returns(cpu.read(buf), [42])
  },
  { exhibit: { of: 'closeKeepsMemory', wrong: 'v6.12,+closeKeepsMemory', right: 'v6.12' } },
)
