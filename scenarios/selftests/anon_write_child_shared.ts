/** What a child writes through a device into shared memory, its parent sees. */
import { all, BUFFER, counting, selftest } from './frame.ts'

export default selftest('anon_write_child_shared', ({ cpu, open, close, expect }) => {
  const dev = open(0)
  const buf = cpu.mmap({ pages: BUFFER, shared: true })
  cpu.write(buf, 1000)
  const child = cpu.fork()
  expect.returns(child.read(buf), counting(1000, BUFFER))
  const own = child.openDevice(0)
  expect.answers(own.write(buf, 5000), all(buf))
  expect.returns(own.close(), 0)
  child.exit()
  expect.returns(cpu.read(buf), counting(5000, BUFFER))
  close(dev)
})
