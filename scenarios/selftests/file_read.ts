/** A device reads a file that is mapped shared and read-only. */
import { all, BUFFER, counting, onDevice } from './frame.ts'

export default onDevice('file_read', ({ cpu, dev, expect }) => {
  const file = cpu.open('hmm-test', { fs: 'memfd', pages: BUFFER, fill: 1000 })
  const buf = cpu.mmap({ pages: BUFFER, prot: 'r', shared: true, of: file })
  expect.answers(dev.read(buf), { ...all(buf), values: counting(1000, BUFFER) })
})
