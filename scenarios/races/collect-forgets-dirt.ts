/**
 * A migration that fails must leave everything as it was. Up to Linux 6.1 one thing was lost: `migrate_vma_collect_pmd()` took a dirty
 * entry away and did not tell the page that it was dirty, and the entry that came back was clean (fd35ca3d12cc). Where nobody but the
 * entry knew that the page was written, reclaim takes it for one that nobody will miss: what swap has of it already is old, or, as
 * here, the program had said that it could go (`MADV_FREE`) before it wrote it anew.
 *
 * Minimal: written, freed lazily, written again; a migration finds the page taken by somebody, and puts it back; reclaim drops it.
 */
import { scenario, until } from 'mirrorwalk'

export default scenario(
  'what was written is lost by a migration that failed',
  ({ linux, expect }) => {
    const m = linux()
    const [cpu, taking] = [m.thread('cpu0'), m.thread('cpu1')]
    const dev = cpu.openDevice(0)
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 1)
    cpu.madvise(buf, 'free')
    cpu.write(buf, 2)
    const take = taking.gup(buf)
    const migrate = dev.migrateToDevice(buf)
    m.race(take, migrate).order(until(take, 'put_pages'), migrate, take)
    cpu.madvise(buf, 'pageout')
    expect.returns(cpu.read(buf), [2])
  },
  { exhibit: { of: 'collectForgetsDirt', wrong: 'v6.0,+collectForgetsDirt', right: 'v6.1' } },
)
