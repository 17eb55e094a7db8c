/** Memory of different rights and histories is moved: not over a hole, not without the right to read, and not from one device to another. */
import { slice } from 'mirrorwalk'
import { moved, selftest } from './frame.ts'

export default selftest('migrate_mixed', ({ cpu, open, close, expect }) => {
  const [fd0, fd1] = [open(0), open(1)]
  const buf = cpu.mmap({ pages: 6, prot: '-' })
  const p = (i: number, count = 1) => slice(buf, i, count)
  expect.returns(fd1.migrateToDevice(buf), 'EINVAL')
  expect.returns(cpu.munmap(p(1)), 0)
  expect.returns(fd1.migrateToDevice(p(0, 3)), 'EINVAL')

  expect.returns(cpu.mprotect(p(2), 'r'), 0)
  expect.returns(cpu.read(p(2)), [0])
  expect.returns(cpu.mprotect(p(3), 'rw'), 0)
  cpu.write(p(3), 1003)
  expect.returns(cpu.mprotect(p(3), 'r'), 0)
  expect.returns(cpu.mprotect(p(4, 2), 'rw'), 0)
  cpu.write(p(4, 2), 1004)
  expect.answers(fd1.migrateToDevice(p(2, 4)), { ...moved(p(2, 4)), values: [0, 1003, 1004, 1005] })
  expect.returns(fd0.migrateToDevice(p(5)), 'ENOENT')
  close(fd0, fd1)
})
