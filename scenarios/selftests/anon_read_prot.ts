/** A device may not read what the process may not; the attempt changes nothing. */
import { BUFFER, counting, onDevice } from './frame.ts'

export default onDevice('anon_read_prot', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: BUFFER })
  cpu.write(buf, 1000)
  expect.returns(cpu.mprotect(buf, '-'), 0)
  expect.returns(dev.read(buf), 'EFAULT')
  expect.returns(cpu.mprotect(buf, 'r'), 0)
  expect.returns(cpu.read(buf), counting(1000, BUFFER))
})
