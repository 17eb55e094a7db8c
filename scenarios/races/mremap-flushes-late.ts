/**
 * `mremap()` moves a page from one address to another. It frees nothing, so the usual order, by which what is freed waits until the
 * CPUs have forgotten it, does not protect the page: as soon as the locks of the page tables are dropped, anybody may take it from its
 * new address. Up to Linux 4.19 the CPUs were told to forget the old address only after that (eb66ae030829, found by Jann Horn):
 * through it, a program could read and write a page that was somebody else's by then.
 *
 * Minimal: one thread moves a page of a file; another one, which needs no mmap_lock for it, truncates the file: the page is free, and
 * the CPU can still use it at the address where it was.
 */
import { noFreedFrameMapped, scenario, until } from 'mirrorwalk'

export default scenario(
  'a page that has moved is freed, and the CPU still has its old address',
  ({ linux, expect }) => {
    const m = linux()
    const [moving, cutting] = [m.thread('cpu0'), m.thread('cpu1')]
    const file = moving.open('data', { fs: 'memfd', pages: 1, fill: 42 })
    const buf = moving.mmap({ pages: 1, shared: true, of: file })
    expect.returns(moving.read(buf), [42])
    const move = moving.mremap(buf)
    const truncate = cutting.truncate(file, 0)
    m.race(move, truncate).order(until(move, 'flush_tlb_range'), truncate, move)
    expect.always('nothing leads to a free frame', noFreedFrameMapped)
  },
  { exhibit: { of: 'mremapFlushesLate', wrong: 'v4.14,+mremapFlushesLate', right: 'v5.2' } },
)
