/**
 * Pages that are to migrate to a device are collected: a migration entry stands for each, and whoever comes by waits. Up to Linux 6.1
 * `migrate_vma_collect_pmd()` told the CPUs to forget the old entries (the flush of their TLBs) only after it had dropped the lock of
 * the page table. Who looked at the table in between saw that nothing was mapped any more, and had no reason to flush anything; but
 * the CPUs could still use the page. 60bae7370896 flushes under the lock.
 *
 * Minimal: one thread collects; another one discards the page, finds no entry to be flushed, comes back to its program, and reads
 * what it has discarded.
 */
import { scenario, until } from 'mirrorwalk'

export default scenario(
  'a page that was discarded is read through what the CPU still knows',
  ({ linux, expect }) => {
    const m = linux()
    const [migrating, discarding] = [m.thread('cpu0'), m.thread('cpu1')]
    const dev = migrating.openDevice(0)
    const buf = migrating.mmap({ pages: 1 })
    migrating.write(buf, 42)
    const migrate = dev.migrateToDevice(buf)
    const discard = discarding.madvise(buf, 'dontneed')
    const read = discarding.read(buf)
    m.race(migrate, [discard, read]).order(until(migrate, 'flush_tlb_range'), read, migrate)
    expect.returns(read, [0])
  },
  { exhibit: { of: 'collectFlushesLate', wrong: 'v6.0,+collectFlushesLate', right: 'v6.1' } },
)
