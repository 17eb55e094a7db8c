/** A child opens the first device, whatever the variant, and writes: its parent keeps what it had. */
import { all, BUFFER, counting, selftest } from './frame.ts'

export default selftest('anon_write_child', ({ cpu, open, close, expect }) => {
  const dev = open(0)
  const buf = cpu.mmap({ pages: BUFFER })
  cpu.write(buf, 1000)
  const child = cpu.fork()
  expect.returns(child.read(buf), counting(1000, BUFFER))
  const own = child.openDevice(0)
  expect.answers(own.write(buf, 5000), all(buf))
  expect.returns(child.read(buf), counting(5000, BUFFER))
  expect.returns(own.close(), 0)
  child.exit()
  expect.returns(cpu.read(buf), counting(1000, BUFFER))
  close(dev)
})
