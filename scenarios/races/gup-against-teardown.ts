/**
 * Seed 003's world: `get_user_pages()` hands out pages of DAX memory. What describes them (`struct page`) comes and goes with the
 * driver of that memory, whose page map is torn down in two steps: first nobody gets a reference to it any more, then it waits for
 * those that there are, and for the pages that somebody has. 3565fce3a659 (Linux 4.5) has GUP take a reference to the page map first,
 * and a page only with one (`get_dev_pagemap()`). Without that, a page is handed out when nobody waits for it any more: who has it
 * has something that is not there.
 *
 * Minimal: the page map goes, from its first step to its last; GUP follows an entry that is there still, and takes the page.
 */
import { noPageWithoutPagemap, scenario, slice } from 'mirrorwalk'

export default scenario(
  'a page of DAX memory is taken when its page map is gone',
  ({ linux, expect }) => {
    const m = linux()
    const [taking, leaving] = [m.thread('cpu0'), m.thread('cpu1')]
    const file = taking.open('data', { fs: 'dax', pages: 512, fill: 1000 })
    const buf = taking.mmap({ pages: 512, at: 512, shared: true, of: file })
    const first = slice(buf, 0)
    taking.read(first)
    const take = taking.gup(first)
    const release = leaving.devm_memremap_pages_release('pmem0')
    m.race(take, release).order(release, take)
    expect.always('nobody has a page without its page map', noPageWithoutPagemap)
    expect.returns(release, 0)
  },
  { exhibit: { of: 'gupTakesDyingPagemap', wrong: 'v6.12,+gupTakesDyingPagemap', right: 'v6.12' } },
)
