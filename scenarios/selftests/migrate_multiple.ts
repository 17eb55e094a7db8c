/** Memory moves to the device and comes back: by being read, or, of a coherent device, by being moved. */
import { BUFFER, counting, moved, onDevice, TIMES } from './frame.ts'

export default onDevice('migrate_multiple', ({ cpu, dev, expect, isPrivate }) => {
  for (let i = 0; i < TIMES; i++) {
    const buf = cpu.mmap({ pages: BUFFER })
    cpu.write(buf, 1000)
    expect.answers(dev.migrateToDevice(buf), { ...moved(buf), values: counting(1000, BUFFER) })
    if (!isPrivate) expect.answers(dev.migrateToSystem(buf), moved(buf))
    expect.returns(cpu.read(buf), counting(1000, BUFFER))
    expect.returns(cpu.munmap(buf), 0)
  }
})
