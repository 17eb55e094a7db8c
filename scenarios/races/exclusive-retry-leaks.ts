/**
 * nouveau makes a page exclusive for an atomic access of its GPU: it takes the page and locks it, has its entry replaced, and asks under
 * the driver's lock whether that still counts. If not, it begins again; and it used to begin again with the page of the last time
 * still locked and referenced. Nobody ever unlocked it: the next who wanted that page waited for ever, and its memory was lost.
 * The test driver takes nouveau's part here.
 *
 * Minimal: the driver takes the page; another thread discards it; the driver finds something else mapped, and begins again.
 */
import { framesBalance, scenario, until } from 'mirrorwalk'

export default scenario(
  'a page stays locked for ever once its driver has begun again',
  ({ linux, expect }) => {
    const m = linux()
    const [driving, discarding] = [m.thread('cpu0'), m.thread('cpu1')]
    const dev = driving.openDevice(0)
    const buf = driving.mmap({ pages: 1 })
    driving.write(buf, 42)
    const exclusive = dev.exclusive(buf)
    const discard = discarding.madvise(buf, 'dontneed')
    m.race(exclusive, discard).order(until(exclusive, 'make_page_exclusive'), discard, exclusive)
    expect.finally('all is given back and unlocked', view => framesBalance(view) === undefined)
  },
  { exhibit: { of: 'exclusiveRetryLeaks', wrong: 'v7.1,+exclusiveRetryLeaks', right: 'v7.1' } },
)
