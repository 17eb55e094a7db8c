/** What a driver has mapped with pages of its own is read like other memory. */
import { moved, onDevice } from './frame.ts'

export default onDevice('mixedmap', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: 1, prot: 'rw', of: dev })
  expect.answers(dev.snapshot(buf), { ...moved(buf), values: [0x01] })
})
