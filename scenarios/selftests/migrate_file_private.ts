/** Private copies of a file's pages move to the device as other memory does. */
import { BUFFER, counting, moved, onDevice } from './frame.ts'

export default onDevice('migrate_file_private', ({ cpu, dev, expect }) => {
  const file = cpu.open('hmm-test', { fs: 'memfd', pages: BUFFER, fill: 1 })
  const buf = cpu.mmap({ pages: BUFFER, of: file })
  cpu.write(buf, 1000)
  expect.answers(dev.migrateToDevice(buf), { ...moved(buf), values: counting(1000, BUFFER) })
})
