/** One page of each kind, as a snapshot tells them: what is not there, what may be read or written, and what is on which device. */
import { slice } from 'mirrorwalk'
import { moved, selftest } from './frame.ts'

export default selftest('snapshot', ({ cpu, open, close, expect, isPrivate }) => {
  const [fd0, fd1] = [open(0), open(1)]
  const buf = cpu.mmap({ pages: 7, prot: '-' })
  const p = (i: number) => slice(buf, i)
  expect.returns(cpu.munmap(p(1)), 0)
  expect.returns(cpu.mprotect(p(2), 'r'), 0)
  expect.returns(cpu.read(p(2)), [0])
  expect.returns(cpu.mprotect(p(3), 'rw'), 0)
  cpu.write(p(3), 1003)
  expect.returns(cpu.mprotect(p(3), 'r'), 0)
  expect.returns(cpu.mprotect(slice(buf, 4, 3), 'rw'), 0)
  cpu.write(p(4), 1004)
  expect.answers(fd0.migrateToDevice(p(5)), moved(p(5)))
  expect.answers(fd1.migrateToDevice(p(6)), moved(p(6)))
  const devices = isPrivate ? [0x22, 0x00] : [0x42, 0x52]
  expect.answers(fd0.snapshot(buf), { ...moved(buf), values: [0xff, 0xff, 0x11, 0x01, 0x02, ...devices] })
  close(fd0, fd1)
})
