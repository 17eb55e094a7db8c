/**
 * The kernel's HMM test driver dies of a page of its own. One of its files migrates memory to the device; another file on the
 * same device and process knows nothing of that, and faults the page in. `hmm_range_fault()` leaves a device's own private
 * memory where it is and hands out the frame, and the driver, which has no mapping of such a frame, reads it all the same. The recordings
 * of 6.1 and 6.12 have the death, and no release has put it right. Memory that CPUs can reach, on a coherent device, can be read.
 *
 * It takes no race: one file migrates a page, the other reads it.
 */
import { scenario } from 'mirrorwalk'

export default scenario(
  'the test driver reads a page of its own device',
  ({ linux, expect, variant }) => {
    const cpu = linux().thread()
    const device = variant === 'private memory' ? 0 : 2
    const [one, two] = [cpu.openDevice(device), cpu.openDevice(device)]
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    expect.answers(one.migrateToDevice(buf), { cpages: 1, values: [42] })
    expect.answers(two.read(buf), { err: null, values: [42] })
  },
  {
    exhibit: {
      of: {
        says: 'A second file on a device reads a private page that the first has migrated there, through no mapping.',
        source: 'dmirror_do_read(), lib/test_hmm.c: recorded on 6.1 and 6.12',
      },
      wrong: 'v6.12',
      right: 'v6.12',
    },
    profiles: ['v6.1', 'v6.12'],
    variants: ['private memory', 'coherent memory'],
  },
)
