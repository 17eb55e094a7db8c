/** A device writes memory that was never touched, and the CPU sees it. */
import { all, BUFFER, counting, onDevice } from './frame.ts'

export default onDevice('anon_write', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: BUFFER })
  expect.answers(dev.write(buf, 1000), all(buf))
  expect.returns(cpu.read(buf), counting(1000, BUFFER))
})
