/** A process whose memory is on a device forks, and writes: what it has written is back in the system. */
import { counting, moved, onDevice } from './frame.ts'

export default onDevice('hmm_cow_in_device', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: 4 })
  cpu.write(buf, 1000)
  expect.answers(dev.migrateToDevice(buf), { ...moved(buf), values: counting(1000, 4) })
  const child = cpu.fork()
  cpu.write(buf, 5000)
  child.exit()
  expect.answers(dev.snapshot(buf), { ...moved(buf), values: [0x02, 0x02, 0x02, 0x02] })
})
