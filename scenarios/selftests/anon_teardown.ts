/**
 * While a device reads, another thread unmaps the second half. The read may fail; if it does not, it has read what was there.
 *
 * Three batches of pages are enough for each to be met before, during and behind the unmapping.
 */
import { slice } from 'mirrorwalk'
import { counting, onDevice } from './frame.ts'

export default onDevice('anon_teardown', ({ m, cpu, dev, expect }) => {
  const other = m.thread('cpu1')
  const buf = cpu.mmap({ pages: 130 })
  cpu.write(buf, 1000)
  const reading = dev.read(buf)
  m.race(reading, other.munmap(slice(buf, 65, 65)))
  const right = JSON.stringify(counting(1000, 130))
  expect.answers(reading, ({ err, cpages, faults, values }) =>
    err === null ? cpages === 130 && faults > 0 && JSON.stringify(values) === right : err === 'EFAULT',
  )
})
