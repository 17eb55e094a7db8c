/**
 * A CPU that touches a page which is in a device's memory has the driver bring it back (`migrate_to_ram()`). Up to Linux 6.1 the fault
 * looked the page up under the lock of the page table, dropped the lock, and gave the page to the driver without a reference: nothing
 * kept it from being freed in between, and from being used for something else. 16ce101db85d takes one.
 *
 * Minimal: one thread has read the entry of the page; another one, under mmap_lock for reading as the first, discards the page; the
 * driver is given a page that is free. The test driver looks for its file by what the page keeps for it, which in a free page is the
 * next one of its list, and dies of it.
 */
import { scenario, until } from 'mirrorwalk'

export default scenario(
  'a driver is to bring back a page that was freed meanwhile',
  ({ linux, expect }) => {
    const m = linux()
    const [reading, discarding] = [m.thread('cpu0'), m.thread('cpu1')]
    const dev = reading.openDevice(0)
    const buf = reading.mmap({ pages: 1 })
    reading.write(buf, 42)
    expect.answers(dev.migrateToDevice(buf), { cpages: 1 })
    const read = reading.read(buf)
    const discard = discarding.madvise(buf, 'dontneed')
    m.race(read, discard).order(until(read, 'dmirror_devmem_fault'), discard, read)
    expect.returns(discard, 0)
  },
  { exhibit: { of: 'privateFaultUnreferenced', wrong: 'v6.0,+privateFaultUnreferenced', right: 'v6.1' } },
)
