/**
 * Seed 003: get_user_pages() on DAX memory.
 *
 * A file on DAX has no page cache: the blocks of persistent memory themselves are mapped into the process. Such memory comes
 * and goes with its driver, and so do the `struct page`s that describe it, which the driver's page map (`struct dev_pagemap`)
 * brings along. Before Linux 4.5 a page table entry did not tell such a frame from one that has no `struct page` at all, so
 * get_user_pages(), which hands out pages, had to fail: no direct I/O and no RDMA into files on DAX.
 *
 * The patch marks the entries (`_PAGE_DEVMAP`) of devices that have a page map (both PFN_DEV and PFN_MAP), and
 * get_user_pages() does three things for a marked one, of 4 KiB and of 2 MiB alike: it takes a reference to the page map, so
 * that the `struct page` stays; it takes the page; and it drops the page map again, which the page's own reference now keeps
 * until put_page(). Only who takes the page (`FOLL_GET`) gets it. Who just wants it faulted in goes on without, as before.
 *
 * A page map that is being torn down gives no more references. Behind a small entry that counts as if nothing were mapped:
 * the fault is made, finds nothing to do, and all begins again, for ever. Behind one of 2 MiB it is an error. Whoever tears it
 * down waits until the last page is given back.
 *
 * Today's kernels do the same, with one page map reference a call for all of its pages. Each variant is one thing that the
 * patch speaks of; on v4.4 all of them tell how it was before.
 */
import { scenario, slice, until, type Expect, type Linux, type View } from 'mirrorwalk'

interface Stage {
  readonly m: Linux
  readonly expect: Expect
  /** Is the patch in? */
  readonly after: boolean
}
/** The references to a page that somebody has taken; one that nobody has has 1. */
const TAKEN = 2

/** A file on DAX, mapped by small entries or by one of 2 MiB (from Linux 4.5 on), and read. */
function mapped({ m, expect, after }: Stage, size: 'pte' | 'pmd') {
  const cpu = m.thread('cpu0')
  const pages = size === 'pmd' ? 512 : 4
  const file = cpu.open('data', { fs: 'dax', pages, fill: 1000 })
  const buf = cpu.mmap({ pages, shared: true, of: file, ...(size === 'pmd' ? { at: 512 } : {}) })
  expect.returns(cpu.read(slice(buf, 0, 4)), [1000, 1001, 1002, 1003])
  expect.finally('entries say that a page map has their frames, since the patch', view => /V/.test(view.entry(buf.start)) === after)
  expect.finally('one entry maps 2 MiB where it can', view => view.huge(buf.start) === (size === 'pmd' && m.profile.daxMapsHuge))
  return { cpu, file, buf, first: slice(buf, 0), rest: slice(buf, 1, 3) }
}

function givenBack({ expect }: Stage, page: ReturnType<typeof slice>): void {
  expect.finally('all is given back', view => view.pagemap('pmem0') === 0 && view.refs(page.start) === 1)
}

/** FOLL_GET: pages are handed out, or it is an error. */
function taken(stage: Stage, size: 'pte' | 'pmd'): void {
  const { m, expect, after } = stage
  const { cpu, buf, first, rest } = mapped(stage, size)
  expect.returns(cpu.gup(first), after ? 1 : 'EFAULT')
  const has = (view: View): boolean => view.refs(first.start) === TAKEN
  if (after) {
    const { pagesHoldPagemap, gupCachesPagemap } = m.profile
    expect.sometimes('the page is taken', has)
    if (pagesHoldPagemap || gupCachesPagemap)
      expect.sometimes('the page is taken while its page map is held', view => has(view) && view.pagemap('pmem0') === 1)
    // In 4.5 the page itself holds the page map, until put_page().
    if (!pagesHoldPagemap) expect.sometimes('the page map is dropped, and the page kept', view => has(view) && view.pagemap('pmem0') === 0)
  } else expect.always('nobody takes a page', view => (has(view) ? 'the first page is taken' : undefined))
  // Both are taken in one go, under the lock of the page table.
  expect.always('nobody holds the page map who has no page', view =>
    view.pagemap('pmem0') > 0 && [0, 1, 2, 3].every(i => view.refs(slice(buf, i).start) !== TAKEN)
      ? 'pmem0 is held for nothing'
      : undefined,
  )
  expect.returns(cpu.gup(rest, { write: true }), after ? 3 : 'EFAULT')
  // That the entry may be written is asked before anything else: the write fault is made even where it is in vain.
  expect.finally('what was to be written is dirty', view => /WD/.test(view.entry(rest.start)))
  givenBack(stage, first)
  expect.returns(cpu.read(first), [1000])
}

/** Without FOLL_GET pages are gone over, and not held: before and after alike. */
function populated(stage: Stage): void {
  const { expect } = stage
  const { cpu, buf, first } = mapped(stage, 'pte')
  expect.returns(cpu.gup(buf, { get: false }), 4)
  expect.returns(cpu.gup(buf, { get: false, write: true }), 4)
  expect.returns(cpu.mlock(buf), 0)
  expect.always('who only faults in does not hold the page map', view => (view.pagemap('pmem0') === 0 ? undefined : 'pmem0 is held'))
  expect.always('nor the page', view => (view.refs(first.start) === TAKEN ? 'the first page has been taken' : undefined))
  expect.returns(cpu.read(first), [1000])
}

/** A core dump (FOLL_DUMP) leaves out what is no page: since the patch, what is taken is one. */
function dumped(stage: Stage): void {
  const { m, expect, after } = stage
  const { cpu, first, rest } = mapped(stage, 'pte')
  expect.returns(cpu.gup(rest, { dump: true }), after ? 3 : 'EFAULT')
  expect.returns(cpu.gup(rest, { dump: true, get: false }), 'EFAULT')
  const hole = cpu.mmap({ pages: 1, shared: true, of: cpu.open('hole', { fs: 'dax', pages: 1 }) })
  expect.returns(cpu.gup(hole, { dump: true }), 'EFAULT')
  if (m.profile.gupCachesPagemap)
    expect.always('one call holds the page map once', view => (view.pagemap('pmem0') > 1 ? 'pmem0 is held more than once' : undefined))
  givenBack(stage, first)
}

/**
 * FOLL_TOUCH. A child's entries are neither young nor dirty; up to Linux 4.18, where it has them, who goes over them marks
 * them. Who takes the page marks the page, not the entry. Of 2 MiB, 4.5 makes the entry dirty, though it was only read.
 */
function touched(stage: Stage): void {
  const { m, expect, after } = stage
  const { cpu, buf, first, rest } = mapped(stage, 'pte')
  cpu.write(buf, 1)
  const child = cpu.fork()
  if (m.profile.daxMapsMixed) {
    expect.returns(child.gup(first, { write: true, touch: false, get: false }), 1)
    expect.sometimes('the child has an entry that was not used', view => view.entry(first.start, 'mm1').startsWith('PWS'))
    expect.returns(child.gup(first, { write: true, get: false }), 1)
    expect.finally('who goes over an entry marks it', view => view.entry(first.start, 'mm1').startsWith('PWDAS'))
    expect.returns(child.gup(slice(rest, 0), { write: true }), after ? 1 : 'EFAULT')
    expect.finally('who takes a page, or may not, leaves the entry as it is', view => view.entry(rest.start, 'mm1').startsWith('PWS'))
  }
  const pmd = cpu.mmap({ pages: 512, at: 512, shared: true, of: cpu.open('large', { fs: 'dax', pages: 512, fill: 2000 }) })
  expect.returns(cpu.read(slice(pmd, 0)), [2000])
  expect.returns(cpu.gup(slice(pmd, 0), { get: false }), 1)
  expect.finally('an entry of 2 MiB is dirty that was only read, in 4.5', view => {
    const { daxMapsHuge, touchDirtiesPmd } = m.profile
    return /D/.test(view.entry(pmd.start)) === (daxMapsHuge && touchDirtiesPmd)
  })
}

/** FOLL_NUMA. The scheduler closes memory to learn who uses it: never that of DAX. Elsewhere GUP counts as a use, unless by force. */
function hinted(stage: Stage): void {
  const { m, expect, after } = stage
  const { cpu, buf, first } = mapped(stage, 'pte')
  cpu.change_prot_numa(buf)
  expect.always('DAX memory is left alone', view => (/N/.test(view.entry(first.start)) ? 'it is closed' : undefined))
  expect.returns(cpu.gup(first), after ? 1 : 'EFAULT')
  for (const [what, at] of [
    ['a page', undefined],
    ['2 MiB', 1024],
  ] as const) {
    const pages = at === undefined ? 1 : 512
    const anon = cpu.mmap({ pages, ...(at === undefined ? {} : { at }) })
    if (at !== undefined) cpu.madvise(anon, 'huge')
    cpu.write(slice(anon, 0), 7)
    cpu.change_prot_numa(anon)
    expect.sometimes(`${what} is closed`, view => /N/.test(view.entry(anon.start)))
    expect.returns(cpu.gup(slice(anon, 0), { force: true }), 1)
    expect.returns(cpu.gup(slice(anon, 0)), 1)
    const { gupHonorsNuma } = m.profile
    expect.finally(`${what} is opened by the fault that is made for it`, view => /N/.test(view.entry(anon.start)) !== gupHonorsNuma)
  }
}

/** get_user_pages_fast(): without a lock as far as it goes, then get_user_pages(). */
function fast(stage: Stage): void {
  const { m, expect, after } = stage
  const { cpu, buf, first } = mapped(stage, 'pte')
  expect.returns(cpu.gup(buf, { fast: true }), after ? 4 : 'EFAULT')
  expect.returns(cpu.gup(first, { fast: true, write: true }), after ? 1 : 'EFAULT')
  // Nobody makes the write fault in 4.5, which does not ask: the page is written behind a read-only entry.
  expect.finally('what may be written may not be only read', view => /W/.test(view.entry(first.start)) !== m.profile.gupFastWritesDevmap)
  givenBack(stage, first)
}

/** An entry that changes under the lockless walk: where it looks again (from 4.13 on), it gives the page back, and stops. */
function changed(stage: Stage): void {
  const { m, expect, after } = stage
  const cpu = m.thread('cpu0')
  const buf = cpu.mmap({ pages: 4, shared: true, of: cpu.open('data', { fs: 'dax', pages: 4, fill: 1000 }) })
  expect.returns(cpu.read(buf), [1000, 1001, 1002, 1003])
  const other = m.thread('cpu1')
  const gup = cpu.gup(buf, { fast: true })
  const unmap = other.munmap(buf)
  m.race(gup, unmap).order(until(gup, 'gup_fast_grab'), unmap, gup)
  expect.answers(gup, ({ ret, err }) => (after && ret > 0) || err === 'EFAULT')
  const refs = ({ world: { memory } }: View): number => memory.frames.refs.get(memory.files['data']?.blocks.get(0) ?? 0)
  const taken = (view: View): boolean => refs(view) === TAKEN
  if (after) expect.sometimes('the page is taken', taken)
  if (after && m.profile.gupFastRechecks)
    expect.sometimes('though it is mapped no more', view => taken(view) && view.entry(buf.start) === 'none')
  expect.finally('it is given back', view => refs(view) === 1 && view.pagemap('pmem0') === 0)
}

/** A page of its own before pages whose page map dies: the lockless walk gives it back; before, it is kept, and that is all. */
function undone({ m, expect, after }: Stage): void {
  const cpu = m.thread('cpu0')
  const buf = cpu.mmap({ pages: 2, of: cpu.open('data', { fs: 'dax', pages: 2, fill: 1000 }) })
  expect.returns(cpu.read(buf), [1000, 1001])
  cpu.write(slice(buf, 0), 7)
  expect.returns(cpu.devm_memremap_pages_release('pmem0'), 0)
  const gup = cpu.gup(buf, { fast: true })
  if (after) expect.returns(gup, 'livelock')
  else expect.returns(gup, 1)
}

/** A page map that is dying gives no page. What is not mapped cannot be; what is, is tried for ever, or refused. */
function dying(stage: Stage, size: 'pte' | 'pmd'): void {
  const { m, expect, after } = stage
  const { cpu, file, first } = mapped(stage, size)
  const other = cpu.mmap({ pages: 1, shared: true, of: file, at: 2048 })
  expect.returns(cpu.devm_memremap_pages_release('pmem0'), 0)
  expect.returns(cpu.gup(other), 'EFAULT')
  const gup = cpu.gup(first)
  if (after && !(size === 'pmd' && m.profile.daxMapsHuge)) expect.returns(gup, 'livelock')
  else expect.returns(gup, 'EFAULT')
}

/** Tearing a page map down: nobody gets it any more, and who has a page is waited for. */
function tornDown(stage: Stage): void {
  const { m, expect, after } = stage
  const { cpu, first } = mapped(stage, 'pmd')
  const driver = m.thread('driver')
  const flag = driver.mmap({ pages: 1 })
  driver.write(flag, 0)
  const gup = cpu.gup(first)
  const release = driver.devm_memremap_pages_release('pmem0')
  const gone = driver.write(flag, 1)
  m.race(gup, release, gone).order(until(gup, 'put_pages'), until(release, 'percpu_ref_wait'), gone, gup)
  expect.answers(gup, ({ ret, err }) => (after && ret === 1) || err === 'EFAULT')
  expect.returns(release, 0)
  const isHeld = (view: View): boolean => view.refs(first.start) === TAKEN
  expect.always('whoever tears it down is not done before', view =>
    view.content(flag.start) === 1 && isHeld(view) ? 'the page map is gone, and the first page is held' : undefined,
  )
  if (after) expect.sometimes('the page map is dying, and one of its pages is held', view => view.killed('pmem0') && isHeld(view))
  else expect.always('no page is ever held', view => (isHeld(view) ? 'the first page is' : undefined))
  expect.finally('then nothing is held any more', view => view.killed('pmem0') && !isHeld(view) && view.pagemap('pmem0') === 0)
}

/** A device without a page map (PFN_DEV without PFN_MAP): as before the patch. Today, no file is on DAX there. */
function unmarked({ m, expect }: Stage): void {
  const cpu = m.thread('cpu0')
  const without = m.profile.daxNeedsPagemap ? {} : { pfnMap: false as const }
  const file = cpu.open('data', { fs: 'dax', pages: 512, fill: 1000, ...without })
  const buf = cpu.mmap({ pages: 512, at: 512, shared: true, of: file })
  const some = slice(buf, 0, 4)
  const gets = m.profile.daxNeedsPagemap ? 4 : 'EFAULT'
  expect.returns(cpu.read(some), [1000, 1001, 1002, 1003])
  expect.returns(cpu.gup(some), gets)
  expect.returns(cpu.gup(some, { fast: true }), gets)
  expect.returns(cpu.gup(some, { get: false }), 4)
  const marked = (view: View): boolean => /V/.test(view.entry(buf.start)) && view.huge(buf.start)
  expect.finally('a small entry that is special, and nothing else', view => marked(view) === m.profile.daxNeedsPagemap)
}

const stories: Readonly<Record<string, (stage: Stage) => void>> = {
  pte: stage => taken(stage, 'pte'),
  pmd: stage => taken(stage, 'pmd'),
  populate: populated,
  dump: dumped,
  touch: touched,
  numa: hinted,
  fast,
  changed,
  undo: undone,
  dying: stage => dying(stage, 'pte'),
  'dying-pmd': stage => dying(stage, 'pmd'),
  teardown: tornDown,
  nomap: unmarked,
}

export default scenario(
  'seed 003: get_user_pages() takes pages of a file on DAX',
  ({ linux, expect, variant }) => {
    const m = linux()
    stories[variant]?.({ m, expect, after: m.profile.marksDevmap })
  },
  { profiles: ['v4.4', 'v4.5', 'v4.14', 'v6.1', 'v6.12'], variants: Object.keys(stories) },
)
