/** A device has memory to itself until the CPU wants it back; then the device knows. */
import { BUFFER, counting, moved, onDevice } from './frame.ts'

export default onDevice('exclusive', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: BUFFER })
  cpu.write(buf, 1000)
  expect.answers(dev.exclusive(buf), { ...moved(buf), values: counting(1000, BUFFER) })
  expect.returns(cpu.read(buf), counting(1000, BUFFER))
  cpu.write(buf, 1001)
  expect.returns(dev.checkExclusive(buf), 0)
  expect.returns(cpu.read(buf), counting(1001, BUFFER))
})
