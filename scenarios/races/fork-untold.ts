/**
 * A fork gives a child the pages of its parent: from then on, neither may write them without a copy. A device that has such a page, to
 * itself even (device-exclusive access, for atomics), has to hear of that, which is what the notifier section of `copy_page_range()`
 * is for: else it goes on writing, and what it writes is the child's too.
 *
 * Minimal: a device has the page to itself; the parent forks, and the child has it as well.
 */
import { noWriteCrossesFork, scenario } from 'mirrorwalk'

export default scenario(
  'a device goes on writing what a child has as well',
  ({ linux, expect }) => {
    const m = linux()
    const [cpu, forking] = [m.thread('cpu0'), m.thread('cpu1')]
    const dev = cpu.openDevice(0)
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    const exclusive = dev.exclusive(buf)
    const child = forking.fork()
    m.race(exclusive, child).order(exclusive, child)
    expect.always('no write crosses the fork', noWriteCrossesFork)
  },
  { exhibit: { of: 'forkUntold', wrong: 'v6.12,+forkUntold', right: 'v6.12' } },
)
