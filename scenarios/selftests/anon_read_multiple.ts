/** A device reads one buffer after the other. */
import { all, BUFFER, counting, onDevice, TIMES } from './frame.ts'

export default onDevice('anon_read_multiple', ({ cpu, dev, expect }) => {
  for (let i = 0; i < TIMES; i++) {
    const buf = cpu.mmap({ pages: BUFFER })
    cpu.write(buf, 1000 * i)
    expect.answers(dev.read(buf), { ...all(buf), values: counting(1000 * i, BUFFER) })
    expect.returns(cpu.munmap(buf), 0)
  }
})
