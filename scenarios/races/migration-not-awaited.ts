/**
 * Up to Linux 5.6 `hmm_vma_handle_pte()` asks what a page needs of entries that are empty or present alone. A page that is just being
 * migrated has neither: a migration entry stands for it until it has arrived. The branch that would wait for that is there, and is
 * never taken, since nothing has been asked. `hmm_range_fault()` answers with success, and the word of the page is nothing.
 *
 * The notifier does not help: `migrate_vma_setup()` ends its invalidation once the entries stand, and the page is on its way for long
 * after. v5.7 asks for every entry.
 *
 * Minimal: the CPU's page is collected for a device; another device begins after that, and walks before the page has arrived.
 */
import { scenario, until } from 'mirrorwalk'

const VALID = 1

export default scenario(
  'a device is told that it has a page which is on its way to another',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const lender = cpu.openDevice(0)
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    const fault = gpu.fault(buf)
    const lend = lender.migrateToDevice(buf)
    m.race(fault, lend).order(until(lend, 'lru_add_drain'), fault, lend)
    expect.answers(fault, ({ err, values }) => err !== null || values.every(word => (word & VALID) !== 0))
  },
  { exhibit: { of: 'migrationNotAwaited', wrong: 'v6.12,+migrationNotAwaited', right: 'v6.12' } },
)
