/** What a device writes into a file is seen by the CPU and by who reads the file. */
import { all, BUFFER, counting, onDevice } from './frame.ts'

export default onDevice('file_write', ({ cpu, dev, expect }) => {
  const file = cpu.open('hmm-test', { fs: 'memfd', pages: BUFFER })
  const buf = cpu.mmap({ pages: BUFFER, shared: true, of: file })
  expect.answers(dev.write(buf, 1000), all(buf))
  expect.returns(cpu.read(buf), counting(1000, BUFFER))
  expect.answers(cpu.pread(file, { start: 0, end: BUFFER }), { values: counting(1000, BUFFER) })
})
