/**
 * What a device has pinned for DMA must stay where it is: `migrate_vma` counts the references of a page, and gives a page back of which
 * somebody has more than its mappings. It counts once the page's entries are gone, and so nobody can take the page any more
 * (`migrate_vma_check_page()`). Without that, a page goes to the device while a transfer into it is under way, and what is transferred
 * ends up in a frame that the process no longer has.
 *
 * Minimal: one thread has pinned the page, another one migrates it.
 */
import { pinnedPagesStay, scenario, until } from 'mirrorwalk'

export default scenario(
  'a page that is pinned goes to a device',
  ({ linux, expect }) => {
    const m = linux()
    const [migrating, pinning] = [m.thread('cpu0'), m.thread('cpu1')]
    const dev = migrating.openDevice(0)
    const buf = migrating.mmap({ pages: 1 })
    migrating.write(buf, 42)
    const pin = pinning.gup(buf, { take: 'pin', write: true })
    const migrate = dev.migrateToDevice(buf)
    m.race(pin, migrate).order(until(pin, 'put_pages'), migrate, pin)
    expect.always('what is pinned stays', pinnedPagesStay)
    expect.returns(pin, 1)
  },
  { exhibit: { of: 'migratesPinned', wrong: 'v6.12,+migratesPinned', right: 'v6.12' } },
)
