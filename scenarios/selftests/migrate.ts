/** Memory moves to the device, with what is in it. */
import { BUFFER, counting, moved, onDevice } from './frame.ts'

export default onDevice('migrate', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: BUFFER })
  cpu.write(buf, 1000)
  expect.answers(dev.migrateToDevice(buf), { ...moved(buf), values: counting(1000, BUFFER) })
})
