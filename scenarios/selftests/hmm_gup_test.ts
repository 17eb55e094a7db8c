/** Pages of a device are taken by get_user_pages(). Private ones come back for it; coherent ones stay, unless they are pinned for long. */
import { slice } from 'mirrorwalk'
import { counting, moved, onDevice } from './frame.ts'

export default onDevice('hmm_gup_test', ({ cpu, dev, expect, isPrivate }) => {
  const buf = cpu.mmap({ pages: 4 })
  const p = (i: number) => slice(buf, i)
  cpu.write(buf, 1000)
  expect.answers(dev.migrateToDevice(buf), { ...moved(buf), values: counting(1000, 4) })
  expect.returns(cpu.gup(p(0), { write: true }), 1)
  expect.returns(cpu.gup(p(1), { write: true }), 1)
  expect.returns(cpu.gup(p(2), { write: true, take: 'pin', longterm: true }), 1)
  expect.returns(cpu.gup(p(3), { write: true, take: 'pin', longterm: true }), 1)
  const here = isPrivate ? 0x02 : 0x42
  expect.answers(dev.snapshot(buf), { ...moved(buf), values: [here, here, 0x02, 0x02] })
  expect.returns(cpu.read(buf), counting(1000, 4))
})
