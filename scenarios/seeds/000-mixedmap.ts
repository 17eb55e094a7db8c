/**
 * Seed 000: hmm_range_fault() in an area that a driver has filled (`VM_MIXEDMAP`), before and after Linux 5.16.
 *
 * A driver that is mapped can fill the area itself: with pages of its own (`vm_insert_page()`), or with frames that no
 * `struct page` is to be looked for behind, whose entries are marked as special. The area may hold both, and says so by
 * `VM_MIXEDMAP`. get_user_pages() always decided entry by entry: it hands out the pages, and refuses the special entries.
 * hmm_range_fault(), which is there to be used in its place, refused the area as a whole: in a snapshot each of its pages was an
 * error, and whoever asked for one was told EFAULT.
 *
 * Since 5.16 it decides like get_user_pages(), and by the same function, `vm_normal_page()`: an entry is valid if there is an
 * ordinary page behind it, or the zero page (which has a special entry, but may be read); any other is an error, in a snapshot
 * and for who asks for the page. Areas of raw frames alone (`VM_PFNMAP`) stay refused, by both.
 *
 * That function matters where entries have no bit that marks them as special: there the area and the
 * frame decide. Memory that a driver maps without wanting its pages counted is mapped with its pages all the same, which are then
 * valid; only what is no memory, such as the registers of a device, has no page, and is an error as before.
 *
 * The patch also teaches the kernel's own HMM test driver to be mapped, to have such an area to test with: each page is new, zeroed,
 * and has no reference but that of its mapping. If it cannot get a page (ENOMEM), or a page is not taken, the mapping fails, and
 * leaves nothing behind. Here the driver can be mapped on both sides, or there would be nothing to see before.
 */
import { framesBalance, noStaleDeviceMapping, scenario } from 'mirrorwalk'

/** What the probe driver maps, by the offset at which it is mapped. */
const RAW_FRAMES = 0
const SPECIAL_ENTRIES = 2
const REGISTERS = 3
/** The test driver's codes for a page of a snapshot. */
const [READ, WRITE, ZERO_PAGE, ERROR] = [0x01, 0x02, 0x11, 0xff]

/** An architecture whose entries have no special bit, which cannot have device memory then. */
const WITHOUT = ',-pteSpecial,-zoneDevice,-devicePrivate'

export default scenario(
  'seed 000: a device mirrors what a driver has mapped',
  ({ linux, expect }) => {
    const m = linux()
    const { pteSpecial: hasBit, walksMixedMaps: after } = m.profile
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const hmm = cpu.openDevice(0)
    const probe = cpu.open('probe', { fs: 'probe' })
    const isSpecial = (entry: string): boolean => entry.includes('S')

    // Ordinary pages: get_user_pages() takes them, and so they are valid for hmm_range_fault(), once it looks at them.
    const own = cpu.mmap({ pages: 2, of: hmm })
    const shared = cpu.mmap({ pages: 2, of: hmm, shared: true })
    expect.returns(cpu.gup(own), 2)
    expect.returns(cpu.gup(shared, { write: true }), 2)
    expect.answers(hmm.snapshot(own), { ret: 0, cpages: 2, values: after ? [READ, READ] : [ERROR, ERROR] })
    expect.answers(hmm.snapshot(shared), { ret: 0, cpages: 2, values: after ? [WRITE, WRITE] : [ERROR, ERROR] })
    expect.returns(gpu.fault(own), after ? 0 : 'EFAULT')
    expect.returns(gpu.fault(shared, { write: true }), after ? 0 : 'EFAULT')
    expect.answers(hmm.read(own), after ? { ret: 0, cpages: 2, values: [0, 0] } : { err: 'EFAULT' })
    expect.finally(
      'the device has what the driver has mapped, if it may',
      view => view.maps('gpu0', own) === after && view.maps('gpu0', shared) === after,
    )
    expect.always('the device has the frames that the CPU has', noStaleDeviceMapping)
    expect.finally('the pages are zeroed, and belong to their mapping alone', view =>
      [own.start, shared.start].every(page => view.content(page) === 0 && view.refs(page) === 1 && !isSpecial(view.entry(page))),
    )

    // So they go with their mapping; and with one that fails, of which nothing is left.
    const gone = cpu.mmap({ pages: 2, of: hmm })
    expect.returns(cpu.munmap(gone), 0)
    const starved = cpu.mmap({ pages: 3, of: hmm, fails: { in: 'alloc_page', page: 2 } })
    expect.returns(starved, 'ENOMEM')
    const refused = cpu.mmap({ pages: 3, of: hmm, fails: { in: 'vm_insert_page', page: 1 } })
    expect.returns(refused, 'EBUSY')
    expect.returns(cpu.read(starved), 'SEGV')
    expect.finally('nothing is left of a mapping that is gone, or failed', view =>
      [gone, starved, refused].every(({ start }) => view.entry(start) === 'none'),
    )
    expect.finally('references balance', view => framesBalance(view) === undefined)

    // The zero page has a special entry too, and can be had all the same.
    const zero = cpu.mmap({ pages: 1 })
    expect.returns(cpu.read(zero), [0])
    expect.finally('the entry of the zero page is special, if entries can be', view => isSpecial(view.entry(zero.start)) === hasBit)
    expect.answers(hmm.snapshot(zero), { ret: 0, values: [ZERO_PAGE] })
    expect.returns(gpu.fault(zero), 0)
    expect.returns(cpu.gup(zero), 1)

    // Any other entry without a page is an error, and only that: an area of such entries can be walked.
    const noPage = m.profile.gupRefusesRaw ? 'EFAULT' : 'EEXIST'
    const special = cpu.mmap({ pages: 2, shared: true, of: probe, offset: SPECIAL_ENTRIES })
    expect.finally('the entries of the driver are special, if entries can be', view => isSpecial(view.entry(special.start)) === hasBit)
    expect.answers(hmm.snapshot(special), { ret: 0, cpages: 2, values: after && !hasBit ? [WRITE, WRITE] : [ERROR, ERROR] })
    expect.returns(gpu.fault(special), after && !hasBit ? 0 : 'EFAULT')
    expect.returns(cpu.gup(special), hasBit ? noPage : 2)

    const registers = cpu.mmap({ pages: 2, shared: true, of: probe, offset: REGISTERS })
    expect.answers(hmm.snapshot(registers), { ret: 0, cpages: 2, values: [ERROR, ERROR] })
    expect.returns(gpu.fault(registers), 'EFAULT')
    expect.returns(cpu.gup(registers), noPage)

    const raw = cpu.mmap({ pages: 2, shared: true, of: probe, offset: RAW_FRAMES })
    expect.answers(hmm.snapshot(raw), { ret: 0, cpages: 2, values: [ERROR, ERROR] })
    expect.returns(gpu.fault(raw), 'EFAULT')
    expect.returns(cpu.gup(raw), 'EFAULT')
    expect.finally('the device has nothing of either', view => !view.maps('gpu0', registers) && !view.maps('gpu0', raw))
  },
  { profiles: ['v5.15', `v5.15${WITHOUT}`, 'v5.16', `v5.16${WITHOUT}`, 'v6.1', `v6.1${WITHOUT}`, 'v6.12'] },
)
