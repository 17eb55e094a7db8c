/** A process whose memory a device has to itself forks: both have copies of their own, each with what it writes. */
import { BUFFER, counting, moved, onDevice } from './frame.ts'

export default onDevice('exclusive_cow', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: BUFFER })
  cpu.write(buf, 1000)
  expect.answers(dev.exclusive(buf), { ...moved(buf), values: counting(1000, BUFFER) })
  const child = cpu.fork()
  expect.returns(child.read(buf), counting(1000, BUFFER))
  child.write(buf, 1001)
  expect.returns(child.read(buf), counting(1001, BUFFER))
  expect.returns(cpu.read(buf), counting(1000, BUFFER))
  cpu.write(buf, 2001)
  expect.returns(cpu.read(buf), counting(2001, BUFFER))
  child.exit()
})
