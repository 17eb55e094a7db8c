/**
 * CVE-2020-29374. After a fork both processes map the same page, and who writes it gets a copy; the last who maps it may write the page
 * itself. Up to Linux 5.8 that was all that a write fault asked: how often the page is mapped. But a process may have it by
 * `get_user_pages()` as well, for a device or a pipe (`vmsplice()`), and map it no more. Then the other one writes the page in place,
 * and the first can read what was written behind its back. 09854ba94c6a asks for references (and later kernels know for each page
 * whether it is one process's own).
 *
 * Minimal: a child writes; its parent has taken the page, and unmapped it.
 */
import { noWriteCrossesFork, scenario, until } from 'mirrorwalk'

export default scenario(
  'what a child writes can be read by its parent',
  ({ linux, expect }) => {
    const m = linux()
    const [taking, unmapping] = [m.thread('cpu0'), m.thread('cpu1')]
    const buf = taking.mmap({ pages: 1 })
    taking.write(buf, 42)
    const child = taking.fork()
    const take = taking.gup(buf)
    const unmap = unmapping.munmap(buf)
    const write = child.write(buf, 7)
    m.race(take, unmap, write).order(until(take, 'put_pages'), unmap, write, take)
    expect.always('no write crosses the fork', noWriteCrossesFork)
  },
  { exhibit: { of: 'reusesByRefs', wrong: 'v5.5', right: 'v5.16' } },
)
