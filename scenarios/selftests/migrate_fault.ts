/** The CPU reads half of what was moved. Private memory comes back by that, and can be moved again; coherent memory stays. */
import { slice } from 'mirrorwalk'
import { BUFFER, counting, moved, onDevice } from './frame.ts'

export default onDevice('migrate_fault', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: BUFFER })
  const half = slice(buf, 0, BUFFER / 2)
  cpu.write(buf, 1000)
  expect.answers(dev.migrateToDevice(buf), { ...moved(buf), values: counting(1000, BUFFER) })
  expect.returns(cpu.read(half), counting(1000, BUFFER / 2))
  expect.answers(dev.migrateToDevice(buf), { ...moved(buf), values: counting(1000, BUFFER) })
})
