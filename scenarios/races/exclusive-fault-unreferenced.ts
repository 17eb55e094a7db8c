/**
 * A page that a device has to itself (device-exclusive access) comes back to the CPU by a fault, which locks the page and puts its entry
 * back. The entry was read under the lock of the page table; the page is locked without it. Up to Linux 6.3 the fault had no reference
 * of its own: if the entry went in between, and the page with it, the kernel locked, or waited for, a page that was free, or was
 * somebody else's already. 7c7b962938dd takes a reference first, and gives up if there is none to be had.
 *
 * Minimal: one thread has read the entry; another one, under mmap_lock for reading as the first, discards the page.
 */
import { lockedFramesAreHeld, scenario, until } from 'mirrorwalk'

export default scenario(
  'a page that a device had to itself is locked when it is free',
  ({ linux, expect }) => {
    const m = linux()
    const [reading, discarding] = [m.thread('cpu0'), m.thread('cpu1')]
    const dev = reading.openDevice(0)
    const buf = reading.mmap({ pages: 1 })
    reading.write(buf, 42)
    expect.answers(dev.exclusive(buf), { err: null })
    const read = reading.read(buf)
    const discard = discarding.madvise(buf, 'dontneed')
    m.race(read, discard).order(until(read, 'remove_device_exclusive_entry'), discard, read)
    expect.always('who locks a frame has it', lockedFramesAreHeld)
  },
  { exhibit: { of: 'exclusiveFaultUnreferenced', wrong: 'v6.1,+exclusiveFaultUnreferenced', right: 'v6.12' } },
)
