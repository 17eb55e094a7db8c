/** A device writes a huge page of the pool. */
import { all, counting, onDevice } from './frame.ts'

export default onDevice('anon_write_hugetlbfs', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: 512, at: 512, of: 'hugetlb' })
  expect.answers(dev.write(buf, 1000), all(buf))
  expect.returns(cpu.read(buf), counting(1000, 512))
  expect.returns(cpu.munmap(buf), 0)
})
