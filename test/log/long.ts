/** A scenario that takes a while: two threads and a device at the same pages. */
import { scenario } from '../../src/index.ts'

export const long = scenario('long', ({ linux }) => {
  const m = linux()
  const first = m.thread()
  const threads = [first, m.thread()]
  const gpu = m.device()
  const pages = first.mmap({ pages: 8 })
  m.race(
    ...Array.from({ length: 1000 }, (_, i) => [
      ...threads.flatMap(t => [t.write(pages, i), t.madvise(pages, 'dontneed')]),
      gpu.fault(pages),
    ]),
  )
})
