/**
 * The HMM test driver takes no notice of invalidations that are its own device's doing: a page that it migrates is entered in its table
 * by the migration itself. But it does not even set the sequence of the invalidation, and so another thread, which has the same file
 * fault the page in just then, is told that what its walk has found is still current, and enters that over what the migration has put
 * there. If it walked before, that is the page which the process had, and which is free by then; if it walked behind, the device's
 * own page, of which the driver has no mapping: it dies when it reads it.
 *
 * Known from reading the driver; it is so in 6.1, 6.12 and 7.1. Of a migration by another device the driver hears, sets the sequence, and begins
 * again: `mmu_interval_set_seq()` is to be called whatever else a callback does, and is all that is missing.
 *
 * Minimal: the device begins to read; the page migrates to it, from the first call of the notifier to the last; the device walks, maps
 * what it has found, and reads. The order given here has it walk first.
 */
import { noStaleMappingOn, scenario, until } from 'mirrorwalk'

export default scenario(
  'a device maps what it has itself moved away',
  ({ linux, expect, variant }) => {
    const m = linux()
    const [cpu, other] = [m.thread('cpu0'), m.thread('cpu1')]
    const dev = cpu.openDevice(0)
    const moving = variant === 'by itself' ? dev.usedBy(other) : other.openDevice(1)
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    const read = dev.read(buf)
    const migrate = moving.migrateToDevice(buf)
    m.race(read, migrate).order(until(read, 'dmirror_do_fault'), migrate, read)
    expect.always('the device maps what the process has', noStaleMappingOn(dev.file))
  },
  {
    variants: ['by itself', 'by another device'],
    exhibit: {
      of: {
        says: "The test driver takes no notice of a migration of its device's own, and maps what a walk has found before it.",
        source: 'dmirror_interval_invalidate() (lib/test_hmm.c), to this day',
      },
      wrong: 'v6.12',
      right: 'v6.12',
    },
  },
)
