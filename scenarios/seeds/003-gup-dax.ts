/**
 * Seed 003: get_user_pages() on DAX memory.
 *
 * A file on DAX has no page cache: the blocks of persistent memory themselves are mapped into the process. Such memory comes
 * and goes with its driver, and so do the `struct page`s that describe it, which the driver's page map (`struct dev_pagemap`)
 * brings along. Before Linux 4.5 a page table entry did not tell such a frame from one that has no `struct page` at all, so
 * get_user_pages(), which hands out pages, had to fail: no direct I/O and no RDMA into files on DAX.
 *
 * The patch marks the entries (`_PAGE_DEVMAP`), and get_user_pages() does three things for a marked one, of 4 KiB and of 2 MiB
 * alike: it takes a reference to the page map, so that the `struct page` stays; it takes the page; and it drops the page map
 * again, which the page's own reference now keeps. Only who takes the page (`FOLL_GET`) gets it. Who just wants it faulted in
 * goes on without, and holds nothing.
 *
 * Today's kernels do the same, with one page map reference a call for all of its pages. The variants take pages behind entries
 * of 4 KiB (`pte`), behind one of 2 MiB (`pmd`), and none (`populate`).
 */
import { scenario, slice } from 'mirrorwalk'

export default scenario(
  'seed 003: get_user_pages() takes pages of a file on DAX',
  ({ linux, expect, variant }) => {
    const cpu = linux().thread('cpu0')
    const large = variant === 'pmd'
    const file = cpu.open('data', { fs: 'dax', pages: large ? 512 : 4, fill: 1000 })
    const buf = large ? cpu.mmap({ pages: 512, at: 512, shared: true, of: file }) : cpu.mmap({ pages: 4, shared: true, of: file })
    const [first, rest] = [slice(buf, 0), slice(buf, 1, 3)]
    expect.returns(cpu.read(slice(buf, 0, 4)), [1000, 1001, 1002, 1003])
    expect.finally('entries say that a page map has their frames', view => /V/.test(view.entry(first.start)))
    expect.finally('one entry maps 2 MiB where it can', view => view.huge(first.start) === large)

    /** The references to a page that somebody has taken; one that nobody has has 1. */
    const taken = 2
    if (variant === 'populate') {
      // Faulting in is get_user_pages() without FOLL_GET.
      expect.returns(cpu.madvise(buf, 'popr'), 0)
      expect.returns(cpu.madvise(buf, 'popw'), 0)
      expect.always('who only faults in does not hold the page map', view => (view.pagemap('pmem0') === 0 ? undefined : 'pmem0 is held'))
      expect.always('nor the page', view => (view.refs(first.start) === taken ? 'the first page has been taken' : undefined))
    } else {
      expect.returns(cpu.gup(first), 1)
      expect.sometimes(
        'the page is taken while its page map is held',
        view => view.pagemap('pmem0') === 1 && view.refs(first.start) === taken,
      )
      expect.sometimes(
        'the page map is dropped, and the page kept',
        view => view.pagemap('pmem0') === 0 && view.refs(first.start) === taken,
      )
      // Both are taken in one go, under the lock of the page table.
      expect.always('nobody holds the page map who has no page', view =>
        view.pagemap('pmem0') > 0 && [0, 1, 2, 3].every(i => view.refs(slice(buf, i).start) !== taken)
          ? 'pmem0 is held for nothing'
          : undefined,
      )
      // A core dump, which leaves out what is no page, has them too; who writes leaves them dirty.
      expect.returns(cpu.gup(rest, { dump: true }), 3)
      expect.returns(cpu.gup(rest, { write: true }), 3)
      expect.always('one call holds the page map once', view => (view.pagemap('pmem0') > 1 ? 'pmem0 is held more than once' : undefined))
      expect.finally('what was taken for writing is dirty', view => /WD/.test(view.entry(rest.start)))
    }
    expect.finally('all is given back', view => view.pagemap('pmem0') === 0 && view.refs(first.start) === 1)
    expect.returns(cpu.read(first), [1000])
  },
  { profiles: ['v6.1', 'v6.12'], variants: ['pte', 'pmd', 'populate'] },
)
