/** A snapshot tells that a page is mapped by an entry of 2 MiB. */
import { counting, moved, onDevice } from './frame.ts'

export default onDevice('compound', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: 512, at: 512, of: 'hugetlb' })
  cpu.write(buf, 1000)
  expect.answers(dev.snapshot(buf), { ...moved(buf), values: counting(0, 512).map(() => 0x02 | 0x04) })
  expect.returns(cpu.mprotect(buf, 'r'), 0)
  expect.answers(dev.snapshot(buf), { ...moved(buf), values: counting(0, 512).map(() => 0x01 | 0x04) })
})
