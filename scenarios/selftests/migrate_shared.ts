/** Shared memory does not move, and a hole in it is not filled: there is nothing that the device could read. */
import { BUFFER, onDevice } from './frame.ts'

export default onDevice('migrate_shared', ({ cpu, dev, expect }) => {
  const buf = cpu.mmap({ pages: BUFFER, shared: true })
  expect.returns(dev.migrateToDevice(buf), 'ENOENT')
})
