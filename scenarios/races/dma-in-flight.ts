/**
 * A driver takes pages out of its device's table and flushes its TLB, and returns from the callback while the device is still
 * writing by what it has translated before. The CPU unmaps the page and uses its frame for another one, and the write lands there.
 *
 * Drivers wait in the callback, for fences or for their hardware; a call that may not block they decline.
 *
 * Minimal: the device translates; the CPU unmaps the page; the device writes.
 */
import { noStaleDeviceAccess, scenario, until } from 'mirrorwalk'

export default scenario(
  'a callback does not wait for DMA in flight',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread()
    const gpu = m.device()
    const buf = cpu.mmap({ pages: 1 })
    const other = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    expect.returns(gpu.read(buf), [42])

    const write = gpu.write(buf, 7)
    const [unmap, use] = [cpu.munmap(buf), cpu.write(other, 1)]
    m.race(write, [unmap, use]).order(until(write, 'perform'), unmap, use, write)

    expect.always('no stale device access', noStaleDeviceAccess)
    expect.finally('the other page is as the CPU left it', view => view.content(other.start) === 1)
  },
  { exhibit: { of: 'doesNotWaitForDma', wrong: 'v6.12,+doesNotWaitForDma', right: 'v6.12' } },
)
