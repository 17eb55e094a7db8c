/**
 * `get_user_pages_fast()` takes pages without a lock: it reads an entry, takes the page, and looks at the entry again. A collapse takes
 * the whole table out of the way first, counts who has its pages, and copies them only then; the small entries stand in the table that
 * is out of the way all the while. Up to Linux 6.1 lockless GUP looked only at these: what it took behind the count was collapsed all
 * the same, and whoever had it wrote into a page that the process no longer had. 70cbc3cc78a9 has it look at the entry above as well.
 * (Where CPUs are told by an interrupt to forget entries, as on x86, the collapse has to wait for them; elsewhere nothing helped.)
 *
 * Minimal: GUP reads the entry; the table is taken away and the references are counted; GUP takes the page, and finds its entry as it
 * was; the block is collapsed.
 */
import { pinnedPagesStay, scenario, slice, until } from 'mirrorwalk'

export default scenario(
  'a page is pinned while it is made a part of a huge one',
  ({ linux, expect }) => {
    const m = linux()
    const [pinning, collapsing] = [m.thread('cpu0'), m.thread('cpu1')]
    const buf = pinning.mmap({ pages: 512, at: 512 })
    const first = slice(buf, 0)
    pinning.write(first, 42)
    const pin = pinning.gup(first, { fast: true, take: 'pin', write: true })
    const collapse = collapsing.madvise(buf, 'collapse')
    m.race(pin, collapse).order(until(pin, 'gup_fast_grab'), until(collapse, 'collapse_copy'), until(pin, 'gup_pte_range'), collapse, pin)
    expect.always('what is pinned stays', pinnedPagesStay)
    expect.returns(pin, 1)
  },
  { exhibit: { of: 'gupFastRechecksPteAlone', wrong: 'v6.1,+gupFastRechecksPteAlone', right: 'v6.1' } },
)
