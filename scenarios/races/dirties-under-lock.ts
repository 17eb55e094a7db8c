/**
 * xe's user pointers (2025) marked the pages that `hmm_range_fault()` had given them dirty once it was certain that they still counted: under
 * the notifier lock, behind the retry check. `set_page_dirty_lock()` takes the lock of each folio. Who moves a folio holds that, and calls
 * the notifiers of all who map it; the driver's callback wants the notifier lock. Each waits for the other. xe marks nothing any more:
 * faulting for writing has made the pages dirty already.
 *
 * Minimal: a device is about to map a page to be written, behind the check; somebody locks the folio, and has it unmapped. In the report that is
 * compaction (`migrate_pages_batch()`), here another device that wants the page for itself (`make_device_exclusive_range()`).
 */
import { scenario, until } from 'mirrorwalk'

export default scenario(
  'a driver waits for a folio under the lock that its callback takes',
  ({ linux }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const other = cpu.openDevice(0)
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    const fault = gpu.fault(buf, { write: true })
    const exclusive = other.exclusive(buf)
    m.race(fault, exclusive).order(until(fault, 'commit'), exclusive, fault)
  },
  { exhibit: { of: 'dirtiesUnderLock', wrong: 'v6.12,+dirtiesUnderLock', right: 'v6.12' } },
)
