/**
 * A device that wants to write where its process may only read hangs Linux 4.14 to 5.3. Before v5.4 (c18ce674d548), hmm_range_fault()
 * and its ancestors made the write fault without a look at `VM_WRITE`. The fault finds nothing wrong, for it is the caller's business
 * to look, and in memory that may not be written it makes a page that may not be written either: so the walk, which comes back to see
 * whether it can have the page now, makes the fault again, and again. Nobody else has to do anything for that, and nobody can end it.
 *
 * Since v5.4 the walk looks first, and answers EPERM. The recordings of 4.14 and 5.2 have the hang.
 */
import { scenario } from 'mirrorwalk'

export default scenario(
  'a device faults for writing where nothing may be written',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const buf = cpu.mmap({ pages: 2 })
    cpu.write(buf, 7)
    cpu.mprotect(buf, 'r')
    expect.answers(gpu.fault(buf), { err: null })
    expect.returns(gpu.fault(buf, { write: true }), 'EPERM')
    expect.finally('the page is there, and may be read', view => view.content(buf.start) === 7)
  },
  { exhibit: { of: 'walkKnowsWriteRight', wrong: 'v5.2', right: 'v5.4' }, profiles: ['v4.14', 'v5.2', 'v5.4', 'v6.1', 'v6.12'] },
)
