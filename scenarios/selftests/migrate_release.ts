/** The device gives up all of its memory: the pages come back, with what is in them. */
import { slice } from 'mirrorwalk'
import { BUFFER, counting, moved, onDevice } from './frame.ts'

export default onDevice('migrate_release', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: BUFFER })
  cpu.write(buf, 1000)
  expect.answers(dev.migrateToDevice(buf), { ...moved(buf), values: counting(1000, BUFFER) })
  expect.returns(dev.release(), 0)
  expect.returns(cpu.read(slice(buf, 0, BUFFER / 2)), counting(1000, BUFFER / 2))
})
