/**
 * From Linux 5.2 to 5.6 the walk holds the page map of DAX memory while it tells entries of it. A page map that is being torn down
 * cannot be held any more, though the entries still stand until the device is gone; then `hmm_range_fault()` takes the page for one that
 * cannot be had yet, and walks again, and again, as long as the teardown takes. If that waits for somebody, nobody ends it. 068354ade5dd (v5.7)
 * holds nothing: the notifier will tell when the entries go.
 *
 * It takes no race: the page map is killed, and a device wants a page of a file.
 */
import { scenario } from 'mirrorwalk'

export default scenario(
  'a device faults a page whose page map is dying',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const file = cpu.open('data', { fs: 'dax', pages: 1, fill: 7 })
    const buf = cpu.mmap({ pages: 1, shared: true, of: file })
    expect.returns(cpu.read(buf), [7])
    cpu.killPagemap('pmem0')
    expect.answers(gpu.fault(buf), { err: null })
  },
  { exhibit: { of: 'walkHoldsPagemap', wrong: 'v5.2', right: 'v6.12' } },
)
