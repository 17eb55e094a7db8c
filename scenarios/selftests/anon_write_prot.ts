/** A device may write only where the process may, though it has read there before. */
import { slice } from 'mirrorwalk'
import { all, BUFFER, counting, onDevice, zeroes } from './frame.ts'

export default onDevice('anon_write_prot', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: BUFFER, prot: 'r' })
  expect.answers(dev.read(slice(buf, 0)), { ret: 0, cpages: 1, faults: 1, values: [0] })
  expect.returns(dev.write(buf, 1000), 'EPERM')
  expect.returns(cpu.read(buf), zeroes(BUFFER))
  expect.returns(cpu.mprotect(buf, 'rw'), 0)
  expect.answers(dev.write(buf, 1000), all(buf))
  expect.returns(cpu.read(buf), counting(1000, BUFFER))
})
