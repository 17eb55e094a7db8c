/** Two devices map the same memory, then it moves to one of them; the other reads it all the same. */
import { all, counting, moved, selftest } from './frame.ts'

export default selftest('double_map', ({ cpu, open, close, expect }) => {
  const [fd0, fd1] = [open(0), open(1)]
  const buf = cpu.mmap({ pages: 6 })
  cpu.write(buf, 1000)
  expect.returns(cpu.mprotect(buf, 'r'), 0)
  const data = { values: counting(1000, 6) }
  expect.answers(fd0.read(buf), { ...all(buf), ...data })
  expect.answers(fd1.read(buf), { ...all(buf), ...data })
  expect.answers(fd1.migrateToDevice(buf), { ...moved(buf), ...data })
  expect.answers(fd0.read(buf), { ...all(buf), ...data })
  close(fd0, fd1)
})
