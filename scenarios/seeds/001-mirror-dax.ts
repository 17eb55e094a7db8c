/**
 * Seed 001: a device mirrors a file on DAX.
 *
 * A file on DAX has no page cache: blocks of persistent memory are mapped into the process as they are, 4 KiB, 2 MiB or (of a
 * DAX device) 1 GiB at once. Before the patch, in the making of Linux 5.2, `hmm_range_snapshot()` and `hmm_range_fault()` would
 * not have any of it: if a range met such an area, all of its array was set to SPECIAL, also for areas before it, and the answer
 * was EINVAL.
 *
 * The patch lets the walk in, at all three levels. Such memory can go together with its driver, and the `struct page`s with it, so
 * the walk holds the page map (`struct dev_pagemap`) while it notes down frames: it takes a reference at the first of them,
 * keeps it for the next ones, which is cheaper than one each, and puts it behind each table of small entries, behind an entry of 2
 * MiB or 1 GiB, and before it faults something in. A page map that is dying gives no reference: EBUSY, and the walk is tried
 * again as long as the range is valid. Unlike get_user_pages() it takes no reference to the pages: there is nothing to undo.
 *
 * Two things come along. Of entries that are special but not DAX (no `struct page` to be looked for behind them) the frame was
 * handed out before; now they end the call with EFAULT, and SPECIAL in the array of a snapshot. The zero page is one of them. And
 * a call that ends so behind entries of DAX memory forgets to put the page map, which then never goes (`leak`).
 *
 * The variants have entries of 4 KiB (`pte`), 2 MiB (`pmd`) and 1 GiB (`pud`); `dying` takes the memory away under the fault.
 */
import { noStaleDeviceMapping, scenario, slice } from 'mirrorwalk'

/** Flags of a page of the array. */
const [NONE, READ, WRITE, SPECIAL] = [0, 1, 3, 8]

export default scenario(
  'seed 001: a device mirrors a file on DAX',
  ({ linux, expect, variant }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const after = m.profile.mirrorsDax
    const pagemap = variant === 'pud' ? 'dax1.0' : 'pmem0'

    if (variant === 'leak') {
      // A block, and a hole, for which the zero page is mapped: special, and not of DAX memory.
      const file = cpu.open('data', { fs: 'dax', pages: 2, fill: 1000 })
      cpu.punch(file, { start: 1, end: 2 })
      const buf = cpu.mmap({ pages: 2, shared: true, of: file })
      expect.returns(cpu.read(buf), [1000, 0])
      expect.finally(
        'the entry of the hole is special, and not of DAX memory',
        view => view.entry(slice(buf, 1).start).replace('S', '') === 'PA',
      )
      expect.answers(gpu.fault(buf), after ? { err: 'EFAULT', values: [READ, NONE] } : { err: 'EINVAL', values: [SPECIAL, SPECIAL] })
      expect.finally('the page map is held for ever', view => view.pagemap('pmem0') === (after ? 1 : 0))
      // Who stops before the hole puts what he has taken.
      expect.answers(gpu.fault(slice(buf, 0)), after ? { ret: 1, values: [READ] } : { err: 'EINVAL' })
      // The zero page of private memory: before, a frame as any other.
      const zero = cpu.mmap({ pages: 1 })
      expect.returns(cpu.read(zero), [0])
      expect.answers(gpu.snapshot(zero), after ? { ret: 0, values: [SPECIAL] } : { ret: 1, values: [READ] })
      expect.answers(gpu.fault(zero), after ? { err: 'EFAULT', values: [NONE] } : { ret: 1, values: [READ] })
      return
    }

    const file =
      variant === 'pud'
        ? cpu.open('dax1.0', { fs: 'devdax' })
        : cpu.open('data', { fs: 'dax', pages: variant === 'pmd' ? 512 : 4, fill: 1000 })
    const pages = { pte: 4, pmd: 512, pud: 262_144, dying: 4 }[variant] ?? 4
    const area = cpu.mmap({ pages, shared: true, of: file, ...(pages === 4 ? {} : { at: pages }) })
    const buf = slice(area, 0, 4)

    if (variant === 'dying') {
      // The fault goes in circles as long as the range is valid: until the memory is taken from the process.
      expect.returns(cpu.read(buf), [1000, 1001, 1002, 1003])
      const work = cpu.mmap({ pages: 4 })
      cpu.killPagemap('pmem0')
      const fault = gpu.fault(buf, { attempts: 1 })
      m.race(fault, [cpu.write(work, 1), cpu.memunmapPages('pmem0')])
      // EBUSY if it is there first; EAGAIN or EFAULT if it comes while the memory goes, or too late.
      expect.answers(fault, ({ err }) => err === 'EAGAIN' || (after ? err === 'EBUSY' || err === 'EFAULT' : err === 'EINVAL'))
      expect.finally('the process has lost it, and the device too', view => view.entry(buf.start) === 'none' && !view.maps('gpu0', buf))
      expect.finally('nobody holds the page map', view => view.pagemap('pmem0') === 0)
      expect.returns(cpu.read(buf), 'BUS')
      return
    }

    // Nothing is mapped yet: a look finds nothing, a fault has it mapped, in whichever size there is.
    const refused = { err: 'EINVAL', values: [SPECIAL, SPECIAL, SPECIAL, SPECIAL] } as const
    const found = { err: null, values: [WRITE, WRITE, WRITE, WRITE] }
    expect.answers(gpu.snapshot(buf), after ? { err: null, values: [NONE, NONE, NONE, NONE] } : refused)
    expect.answers(gpu.fault(buf, { write: true }), after ? { ret: 4, ...found } : refused)
    expect.finally('the fault has mapped it', view => /V/.test(view.entry(buf.start)) === after)
    expect.finally('in entries of the largest size', view => view.huge(buf.start) === (after && variant === 'pmd'))
    expect.answers(gpu.snapshot(buf), after ? { ret: 4, ...found } : refused)
    expect.finally('the device maps what the process does', view => view.maps('gpu0', buf) === after)
    expect.always('and no other page', noStaleDeviceMapping)

    // The page map is held once, and put; the pages are not taken.
    if (after) expect.sometimes('the walk holds the page map', view => view.pagemap(pagemap) === 1)
    expect.always('once, and only if it goes there', view => (view.pagemap(pagemap) > (after ? 1 : 0) ? `${pagemap} is held` : undefined))
    expect.finally('and puts it', view => view.pagemap(pagemap) === 0)
    expect.always('nobody takes the pages', view => ((view.refs(buf.start) ?? 1) > 1 ? 'the first page has been taken' : undefined))

    // A range of two areas, and the refusal of one is that of the other.
    const [before, behind] = [cpu.mmap({ pages: 2, at: 40 }), cpu.open('more', { fs: 'dax', pages: 2, fill: 2000 })]
    const both = { start: before.start, end: cpu.mmap({ pages: 2, at: 42, shared: true, of: behind }).end }
    cpu.write(before, 7)
    expect.answers(gpu.fault(both), after ? { ret: 4, values: [WRITE, WRITE, READ, READ] } : refused)

    // Private pages of the file are ordinary memory, in an area that is of DAX.
    const copy = cpu.mmap({ pages: 1, of: behind })
    cpu.write(copy, 8)
    expect.answers(gpu.fault(copy, { write: true }), after ? { ret: 1, values: [WRITE] } : { err: 'EINVAL', values: [SPECIAL] })
  },
  { profiles: ['v5.2-pre', 'v5.2'], variants: ['pte', 'pmd', 'pud', 'leak', 'dying'] },
)
