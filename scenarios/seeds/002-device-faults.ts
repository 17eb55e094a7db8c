/**
 * Seed 002: page faults on behalf of a device.
 *
 * A device that mirrors a process (`hmm_mirror`, Linux 4.14) keeps a copy of its page table. The first of the patches let its
 * driver ask what is mapped, under mmap_lock (`hmm_vma_get_pfns()`), and ask again before it uses the answer whether that
 * still counts (`hmm_vma_range_done()`). What was not there the device could not have: the driver had to fault it in as if a CPU
 * had touched it (get_user_pages(), say), and that brings pages which live in the device's own memory back to the system.
 *
 * The patch adds `hmm_vma_fault()`, which faults in what is missing, for reading or for writing, and leaves device memory where
 * it is: of such a page only a write to one that is mapped read-only makes a fault. A range that does not lie within its area is
 * EINVAL. The answer does not say of every page whether it could be had: an area of a driver, or of pages of the pool, answers 0
 * with SPECIAL everywhere. The driver has to look into the array.
 *
 * The header promises more: if `block` is false, the lock may be dropped, and the function answers EAGAIN. The code lets faults
 * drop the lock whatever `block` says; when one has, it answers EBUSY; EAGAIN it keeps for itself, to begin anew. And a driver
 * that believes the header lets go of a lock that it has no more. The model does what the code does.
 */
import { noStaleDeviceMapping, scenario, slice, until, type View } from 'mirrorwalk'

/** How often the driver has begun what it does. */
const begun = ({ names, world }: View): number => {
  const context: { readonly begun?: number } = world.actors[names.indexOf('gpu0.range')]?.context ?? {}
  return context.begun ?? 0
}

/** Flags of a page of the array. */
const [EMPTY, READ, WRITE, SPECIAL] = [0, 1, 3, 8]

export default scenario(
  'seed 002: a device has pages faulted in, and its own stay where they are',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const after = m.profile.faultsForDevices

    // Nothing is there yet. Who looks is told so; who faults has it, if he can; a page that was written is written by the device too.
    const buf = cpu.mmap({ pages: 4 })
    expect.answers(gpu.snapshot(buf), { ret: 0, values: [EMPTY, EMPTY, EMPTY, EMPTY] })
    const [first, second, rest] = [slice(buf, 0), slice(buf, 1), slice(buf, 2, 2)]
    cpu.write(first, 42)
    expect.answers(gpu.fault(first, { write: true }), { ret: 0, values: [WRITE] })
    expect.answers(gpu.fault(second), { ret: 0, values: [after ? READ : EMPTY] })
    expect.answers(gpu.fault(rest, { write: true }), { ret: 0, values: after ? [WRITE, WRITE] : [EMPTY, EMPTY] })
    expect.answers(gpu.snapshot(buf), { ret: 0, values: after ? [WRITE, READ, WRITE, WRITE] : [WRITE, EMPTY, EMPTY, EMPTY] })
    expect.finally('the device maps what was faulted in for it', view => view.maps('gpu0', rest) === after)
    expect.finally('and nothing that the process has lost', view => noStaleDeviceMapping(view) === undefined)

    // Whether faults may drop the lock makes no difference where none has to wait.
    const blocked = cpu.mmap({ pages: 2 })
    expect.answers(gpu.fault(slice(blocked, 0), { write: true, block: true }), { ret: 0, values: [after ? WRITE : EMPTY] })
    expect.answers(gpu.fault(slice(blocked, 1), { write: true, block: false }), { ret: 0, values: [after ? WRITE : EMPTY] })

    // Pages in the memory of the device: it has them where they are, whoever asks how; a CPU that wants one has it back.
    const hmm = cpu.openDevice(0)
    const lent = cpu.mmap({ pages: 3 })
    cpu.write(lent, 7)
    hmm.migrateToDevice(lent)
    const [mine, kept, wanted] = [slice(lent, 0), slice(lent, 1), slice(lent, 2)]
    expect.answers(gpu.fault(mine), { ret: 0, values: [WRITE] })
    expect.answers(gpu.fault(mine, { write: true }), { ret: 0, values: [WRITE] })
    expect.finally('a fault of the device leaves its memory where it is', view => view.entry(mine.start) === '!devpriv-w')
    // Read-only, and to be written: that is the only fault there is on device memory.
    cpu.mprotect(kept, 'r')
    cpu.mprotect(kept, 'rw')
    expect.answers(gpu.fault(kept), { ret: 0, values: [READ] })
    expect.sometimes('to be read it stays there, too', view => view.entry(kept.start) === '!devpriv-r')
    expect.answers(gpu.fault(kept, { write: true }), { ret: 0, values: [after ? WRITE : READ] })
    expect.finally('to be written it comes back', view => (view.entry(kept.start) !== '!devpriv-r') === after)
    // What was there before the patch: a fault as of a CPU.
    expect.returns(cpu.gup(wanted), 1)
    expect.finally('a fault of a CPU brings it back', view => !view.entry(wanted.start).startsWith('!'))

    // A range must lie within its area.
    const last = cpu.mmap({ pages: 2 })
    expect.returns(gpu.fault({ start: last.start, end: slice(last, 2).end }), 'EINVAL')
    expect.returns(gpu.snapshot({ start: last.start, end: slice(last, 2).end }), 'EINVAL')

    // An area that has no pages to give: EINVAL for who looks, but 0 for who faults, and only the array tells.
    const pool = cpu.mmap({ pages: 512, at: 512, of: 'hugetlb' })
    const [of, special] = [slice(pool, 0, 2), [SPECIAL, SPECIAL]]
    expect.answers(gpu.snapshot(of), { err: 'EINVAL', values: special })
    expect.answers(gpu.fault(of), after ? { ret: 0, err: null, values: special } : { err: 'EINVAL', values: special })
    expect.finally('and nothing was faulted in', view => view.entry(pool.start) === 'none')

    // A page that cannot be had is an error, and the array is empty from the part of the page table on in which it lies.
    const file = cpu.open('short', { fs: 'memfd', pages: 1, fill: 1 })
    const over = cpu.mmap({ pages: 2, shared: true, of: file })
    cpu.read(slice(over, 0))
    expect.answers(gpu.fault(over), after ? { err: 'EFAULT', values: [EMPTY, EMPTY] } : { ret: 0, values: [WRITE, EMPTY] })

    // What was found counts no more once it was invalidated: hmm_vma_range_done() says so, and the driver begins again.
    const lost = cpu.mmap({ pages: 1 })
    cpu.write(lost, 9)
    const fault = gpu.fault(lost)
    const discard = cpu.madvise(lost, 'dontneed')
    m.race(fault, discard).order(until(fault, 'driver_lock'), discard, fault)
    expect.answers(fault, ({ ret, values: [found] }) => ret === 0 && (found === WRITE || found === (after ? READ : EMPTY)))
    expect.sometimes('it begins again', view => begun(view) === 2)
  },
  { profiles: ['v4.14-pre', 'v4.14'] },
)
