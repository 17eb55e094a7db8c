/**
 * The blocks of a file on DAX are memory, and whoever has taken a page of it (`get_user_pages()`: direct I/O, RDMA) has a block of the
 * file system. Up to Linux 4.18 a truncation gave that block back at once, and the next file could get it: a device went on writing
 * into somebody else's file. Since then, file systems break the layout of a file before they change it: its mappings lose it, and then
 * they wait until nobody has a page of it any more (`dax_layout_busy_page()`).
 *
 * Minimal: one thread has taken the page, another one truncates the file.
 */
import { noDaxBlockFreedWhileHeld, scenario, until } from 'mirrorwalk'

export default scenario(
  'a block is given back while somebody has its page',
  ({ linux, expect }) => {
    const m = linux()
    const [taking, cutting] = [m.thread('cpu0'), m.thread('cpu1')]
    const file = taking.open('data', { fs: 'dax', pages: 1, fill: 1000 })
    const buf = taking.mmap({ pages: 1, shared: true, of: file })
    expect.returns(taking.read(buf), [1000])
    const take = taking.gup(buf, { nofault: true })
    const truncate = cutting.truncate(file, 0)
    m.race(take, truncate).order(until(take, 'put_pages'), truncate, take)
    expect.always('a block that somebody has stays', noDaxBlockFreedWhileHeld)
    expect.returns(truncate, 0)
  },
  { exhibit: { of: 'breaksLayouts', wrong: 'v4.14', right: 'v5.2' } },
)
