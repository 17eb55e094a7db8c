/** A device writes 2 MiB for which a huge page was asked, and gets one. */
import { slice } from 'mirrorwalk'
import { all, BUFFER, counting, onDevice } from './frame.ts'

export default onDevice('anon_write_huge', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: BUFFER, at: 512 })
  const block = slice(buf, 0, 512)
  expect.returns(cpu.madvise(block, 'huge'), 0)
  expect.answers(dev.write(block, 1000), all(block))
  expect.returns(cpu.read(block), counting(1000, 512))
  expect.finally('one entry maps it', v => v.huge(block.start))
})
