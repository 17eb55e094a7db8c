/**
 * Seed 000: hmm_range_fault() in an area that a driver has filled (`VM_MIXEDMAP`).
 *
 * A driver that is mapped can fill the area itself: with pages of its own (`vm_insert_page()`), or with frames that no
 * `struct page` is to be looked for behind, whose entries are marked as special. The area may hold both, and says so by
 * `VM_MIXEDMAP`. get_user_pages() always decided entry by entry: it hands out the pages, and refuses the special entries.
 * hmm_range_fault(), which is there to be used in its place, refused the area as a whole before Linux 5.16.
 *
 * Since then it decides like get_user_pages(): an entry is valid if there is an ordinary page behind it, or the zero page (which
 * has a special entry, but may be read); any other special entry is an error, in a snapshot and for who asks for the page. Areas
 * of raw frames alone (`VM_PFNMAP`) stay refused, by both.
 *
 * The patch teaches the kernel's own HMM test driver to be mapped, to have such an area to test with: each page is new, zeroed,
 * and has no reference but that of its mapping.
 */
import { noStaleDeviceMapping, scenario } from 'mirrorwalk'

/** What the probe driver maps, by the offset at which it is mapped. */
const RAW_FRAMES = 0
const SPECIAL_ENTRIES = 2
/** The test driver's codes for a page of a snapshot. */
const [READ, WRITE, ZERO_PAGE, ERROR] = [0x01, 0x02, 0x11, 0xff]

export default scenario(
  'seed 000: a device mirrors what a driver has mapped',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const hmm = cpu.openDevice(0)
    const probe = cpu.open('probe', { fs: 'probe' })

    // Ordinary pages: valid for hmm_range_fault(), taken by get_user_pages(), and the same ones.
    const own = cpu.mmap({ pages: 2, of: hmm })
    const shared = cpu.mmap({ pages: 2, of: hmm, shared: true })
    expect.answers(hmm.snapshot(own), { ret: 0, cpages: 2, values: [READ, READ] })
    expect.answers(hmm.snapshot(shared), { ret: 0, cpages: 2, values: [WRITE, WRITE] })
    expect.returns(gpu.fault(own), 0)
    expect.returns(gpu.fault(shared, { write: true }), 0)
    expect.returns(cpu.gup(own), 2)
    expect.returns(cpu.gup(shared, { write: true }), 2)
    expect.answers(hmm.read(own), { ret: 0, cpages: 2, values: [0, 0] })
    expect.finally('the device has what the driver has mapped', view => view.maps('gpu0', own) && view.maps('gpu0', shared))
    expect.always('the device has the frames that the CPU has', noStaleDeviceMapping)
    expect.finally('the pages are zeroed, and belong to their mapping alone', view =>
      [own.start, shared.start].every(page => view.content(page) === 0 && view.refs(page) === 1),
    )

    // The zero page has a special entry too, and can be had all the same.
    const zero = cpu.mmap({ pages: 1 })
    expect.returns(cpu.read(zero), [0])
    expect.finally('the entry of the zero page is special', view => /S/.test(view.entry(zero.start)))
    expect.answers(hmm.snapshot(zero), { ret: 0, values: [ZERO_PAGE] })
    expect.returns(gpu.fault(zero), 0)
    expect.returns(cpu.gup(zero), 1)

    // Any other special entry is an error, and only that: an area of such entries can be walked.
    const special = cpu.mmap({ pages: 2, shared: true, of: probe, offset: SPECIAL_ENTRIES })
    expect.finally('the entries of the driver are special', view => /S/.test(view.entry(special.start)))
    expect.answers(hmm.snapshot(special), { ret: 0, cpages: 2, values: [ERROR, ERROR] })
    expect.returns(gpu.fault(special), 'EFAULT')
    expect.returns(cpu.gup(special), 'EEXIST')

    const raw = cpu.mmap({ pages: 2, shared: true, of: probe, offset: RAW_FRAMES })
    expect.answers(hmm.snapshot(raw), { ret: 0, cpages: 2, values: [ERROR, ERROR] })
    expect.returns(gpu.fault(raw), 'EFAULT')
    expect.returns(cpu.gup(raw), 'EFAULT')
    expect.finally('the device has nothing of either', view => !view.maps('gpu0', special) && !view.maps('gpu0', raw))
  },
  { profiles: ['v6.1', 'v6.12'] },
)
