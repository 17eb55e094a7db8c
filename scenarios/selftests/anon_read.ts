/** A device reads memory of which the first page was never touched and the second only read: both are zero. */
import { slice } from 'mirrorwalk'
import { all, BUFFER, counting, onDevice } from './frame.ts'

export default onDevice('anon_read', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: BUFFER })
  const written = slice(buf, 2, BUFFER - 2)
  cpu.write(written, 1000)
  expect.returns(cpu.mprotect(buf, 'r'), 0)
  expect.returns(cpu.read(slice(buf, 1)), [0])
  expect.answers(dev.read(buf), { ...all(buf), values: [0, 0, ...counting(1000, BUFFER - 2)] })
})
