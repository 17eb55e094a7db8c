/** Memory that a device had to itself cannot be written by it once the process may not write it any more. */
import { BUFFER, counting, moved, onDevice } from './frame.ts'

export default onDevice('exclusive_mprotect', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: BUFFER })
  cpu.write(buf, 1000)
  expect.answers(dev.exclusive(buf), { ...moved(buf), values: counting(1000, BUFFER) })
  expect.returns(cpu.mprotect(buf, 'r'), 0)
  expect.returns(dev.write(buf, 5000), 'EPERM')
})
