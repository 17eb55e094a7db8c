/**
 * The rows of research/hmm-semantics.md about get_user_pages() on DAX memory, each as a test that names its row: here 0.5
 * (seed 003), 1.1 (v4.5) and 5.1. `BEFORE` is v4.4, `AFTER` v4.5. Lockless GUP and teardown: seed-003-fast.test.ts.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { page } from '../../src/memory/address.ts'
import { ACCESSED, DIRTY, PROTNONE, withFlags, withoutFlags, WRITE } from '../../src/memory/entry.ts'
import { AFTER, AT, BEFORE, isLivelock, Machine, marks, since } from './dax-machine.ts'
import { MM } from './statements.ts'

const both = [BEFORE, AFTER]
const GET = { take: 'get' } as const

// 0.5, seed 003

test('0.5 GUP with FOLL_GET on a present devmap pte: before EFAULT, after the page, and the page map dropped', () => {
  const before = new Machine(BEFORE).read(0)
  assert.equal([before.entry(0), before.gup(0, 1).ret, before.gup(0, 1).refs], ['PAS', 'EFAULT', []])
  const after = new Machine(AFTER).read(0)
  const { ret, refs } = after.gup(0, 1)
  assert.equal([after.entry(0), ret], ['PASV', 1])
  assert.equal(refs, ['pmem0 1', 'page 1', 'pmem0 1', 'pmem0 -1', 'page -1', 'pmem0 -1'])
  assert.equal([after.refs(0), after.held], [1, 0])
})

test('0.5 dead: treated as missing, and the fault is tried again; absent: no devmap entry in the first place', () => {
  const machine = new Machine(AFTER).read(0).release()
  assert.throws(() => machine.gup(0, 1), isLivelock)
  const raw = new Machine(AFTER, { pfnMap: false }).read(0)
  assert.equal([raw.entry(0), raw.gup(0, 1).ret], ['PAS', 'EFAULT'])
})

test('0.5 FOLL_GET not set: skipped, before and after', () => {
  for (const profile of both) {
    const { ret, refs } = new Machine(profile).read(0, 4).gup(0, 4, { get: false })
    assert.equal([ret, refs], [4, []], profile.name)
  }
})

test('0.5 FOLL_WRITE and pte not writable: a write fault first, before the devmap branch', () => {
  for (const [profile, ret] of [
    [BEFORE, 'EFAULT'],
    [AFTER, 1],
  ] as const) {
    const machine = new Machine(profile).read(0)
    assert.not.match(machine.entry(0), /W/)
    assert.is(machine.gup(0, 1, { write: true }).ret, ret)
    assert.match(machine.entry(0), /^PWDAS/, profile.name)
  }
})

test('0.5 pmd marked devmap: before, it would be taken for a large page (v4.4 has the option off for that)', () => {
  assert.is(new Machine(BEFORE, { pages: 512 }).read(0).level(0), 'pte')
  const broken = { ...BEFORE, daxMapsHuge: true }
  for (const fast of [false, true]) {
    const machine = new Machine(broken, { pages: 512 }).read(0)
    assert.is(machine.level(0), 'pmd')
    const { ret } = fast ? machine.fast(0, 1) : machine.gup(0, 1)
    assert.is(ret, fast ? 'oops: gup_huge_pmd' : 'oops: follow_trans_huge_pmd')
  }
  const after = new Machine(AFTER, { pages: 512 }).read(0)
  assert.equal([after.level(0), after.gup(3, 2).ret, after.held], ['pmd', 2, 0])
})

test('0.5 get_user_pages_fast over devmap ptes: before, the slow path; after, a page map reference for the run', () => {
  const before = new Machine(BEFORE).read(0, 4).fast(0, 4)
  assert.equal([before.ret, before.refs], ['EFAULT', []])
  assert.ok(before.does.includes('mmap_read_lock'))
  const after = new Machine(AFTER).read(0, 4).fast(0, 4)
  assert.equal([after.ret, after.does.includes('mmap_read_lock')], [4, false])
})

test('0.5 get_user_pages_fast: lookup failure: pages of this pte range are released again', () => {
  const machine = new Machine(AFTER, { shared: false }).read(0, 3).write(0).release()
  assert.is(machine.kind(0), 'anon')
  assert.is(machine.refs(0), 1)
  assert.throws(() => machine.fast(0, 2), isLivelock)
})

// 1.1

test('1.1 v4.5: pte_devmap and pmd_devmap, page map references, GUP on DAX', () => {
  assert.not.ok(BEFORE.marksDevmap)
  for (const profile of since('v4.5')) {
    assert.match(new Machine(profile).read(0).entry(0), /V/, profile.name)
    assert.match(new Machine(profile, { pages: 512 }).read(0).entry(0), /V/, profile.name)
    for (const pages of [4, 512]) assert.is(new Machine(profile, { pages }).read(0).gup(0, 1).ret, 1, profile.name)
  }
})

// 5.1, pte level, in the order in which things are asked

test('5.1 pte 1: FOLL_NUMA and protnone: missing', () => {
  for (const profile of both) {
    const machine = new Machine(profile).write(0)
    const closed = withFlags(machine.raw(0), PROTNONE)
    for (const flags of [{}, GET, { ...GET, write: true }, { dump: true }])
      assert.equal(machine.follow(0, closed, flags), { kind: 'missing', unshare: false }, profile.name)
    // By force, FOLL_NUMA is not set.
    assert.is.not(machine.follow(0, closed, { force: true }).kind, 'missing')
    assert.is(machine.follow(0, closed, { force: true, numa: true }).kind, 'missing')
  }
})

test('5.1 pte 2: FOLL_WRITE and not writable: missing, with a page map that is dying as well', () => {
  for (const profile of both) {
    for (const machine of [new Machine(profile).read(0), new Machine(profile).read(0).release()])
      assert.equal(machine.follow(0, machine.raw(0), { ...GET, write: true, dump: true }), { kind: 'missing', unshare: false })
  }
})

test('5.1 pte 3: devmap and FOLL_GET: a page, or, without a page map, missing', () => {
  const alive = new Machine(AFTER).read(0)
  for (const flags of [GET, { ...GET, dump: true }]) assert.is(alive.follow(0, alive.raw(0), flags).kind, 'page')
  const dead = new Machine(AFTER).read(0).release()
  for (const flags of [GET, { ...GET, dump: true }])
    assert.equal(dead.follow(0, dead.raw(0), flags), { kind: 'missing', unshare: false, dying: true })
})

test('5.1 pte 4: no normal page otherwise, and FOLL_DUMP: EFAULT', () => {
  for (const profile of both) assert.is(new Machine(profile).read(0).gup(0, 1, { dump: true, get: false }).ret, 'EFAULT')
  assert.is(new Machine(BEFORE).read(0).gup(0, 1, { dump: true }).ret, 'EFAULT')
  assert.is(new Machine(AFTER, { pfnMap: false }).read(0).gup(0, 1, { dump: true }).ret, 'EFAULT')
  for (const profile of both) assert.is(new Machine(profile, { filled: false }).read(0).gup(0, 1, { dump: true }).ret, 'EFAULT')
})

test('5.1 pte 5: the zero page, which has a page', () => {
  for (const profile of both) {
    const machine = new Machine(profile, { filled: false }).read(0)
    assert.equal([machine.kind(0), machine.gup(0, 1).ret, machine.gup(0, 1).refs], ['zero', 1, ['page 1', 'page -1']])
  }
})

test('5.1 pte 6: another pfn: with FOLL_GET EFAULT; else it is marked (FOLL_TOUCH), and skipped', () => {
  for (const profile of both) {
    const machine = new Machine(profile).write(0)
    const clean = withoutFlags(machine.raw(0), ACCESSED | DIRTY)
    const read = machine.follow(0, clean, {})
    assert.equal([read.kind, marks(read)], ['raw', [profile === AFTER ? 'PWASV' : 'PWAS']])
    const write = machine.follow(0, clean, { write: true })
    assert.equal([write.kind, marks(write)], ['raw', [profile === AFTER ? 'PWDASV' : 'PWDAS']])
    const untouched = machine.follow(0, clean, { write: true, touch: false })
    assert.equal([untouched.kind, marks(untouched)], ['raw', []])
  }
  for (const machine of [new Machine(BEFORE).write(0), new Machine(AFTER, { pfnMap: false }).write(0)])
    assert.equal(machine.follow(0, withoutFlags(machine.raw(0), ACCESSED), GET), { kind: 'error', errno: 'EFAULT' })
})

test('5.1 pte 8: FOLL_GET: a page reference, which is one to the page map (5.2); then the lookup is put', () => {
  const { refs } = new Machine(AFTER).read(0, 2).gup(0, 2)
  const one = ['pmem0 1', 'page 1', 'pmem0 1', 'pmem0 -1']
  assert.equal(refs, [...one, ...one, 'page -2', 'pmem0 -2'])
})

test('5.1 pte 9: FOLL_TOUCH and FOLL_WRITE, pte and page clean: the page is dirty; the entry stays', () => {
  const machine = new Machine(AFTER).write(0)
  const clean = withoutFlags(machine.raw(0), DIRTY)
  const followed = machine.follow(0, clean, { ...GET, write: true })
  assert.equal([followed.kind, marks(followed), followed.kind === 'page' && followed.clean], ['page', [], true])
  assert.not.ok(machine.isDirty(0))
})

test('5.1 pte 10: FOLL_MLOCK: DAX memory is locked as an area only', () => {
  for (const profile of both) {
    const machine = new Machine(profile).read(0, 4).run({ do: 'mlock', mm: MM, start: page(AT), end: page(AT + 4) })
    assert.equal([machine.refs(0), machine.held], [1, 0])
  }
})

// 5.1, pmd level

const huge = (): Machine => new Machine(AFTER, { pages: 512 }).read(0)

test('5.1 pmd: FOLL_NUMA and protnone: missing, before it is seen that it is devmap', () => {
  const machine = huge()
  const closed = withFlags(machine.raw(0), PROTNONE)
  for (const flags of [{}, GET]) assert.is(machine.follow(0, closed, flags).kind, 'missing')
  assert.is(machine.follow(0, closed, { ...GET, numa: false }).kind, 'page')
})

test('5.1 pmd devmap: FOLL_WRITE and not writable: missing', () => {
  const machine = huge()
  for (const flags of [{}, GET]) assert.is(machine.follow(0, machine.raw(0), { ...flags, write: true }).kind, 'missing')
  assert.equal([machine.gup(0, 1, { write: true }).ret, machine.entry(0)], [1, 'PWDAV'])
})

test('5.1 pmd devmap: not there any more: it falls through to what is there then', () => {
  const machine = huge().run({ do: 'munmap', mm: MM, start: page(AT + 100), end: page(AT + 101) })
  assert.equal([machine.level(0), machine.gup(0, 1).ret, machine.level(0)], ['pmd', 1, 'pte'])
})

test('5.1 pmd devmap: FOLL_TOUCH: young and dirty, though it only reads; later kernels only where it writes', () => {
  const read = huge()
  assert.equal(marks(read.follow(0, read.raw(0), {})), ['PDAV'])
  assert.equal(marks(read.follow(0, read.raw(0), GET)), ['PDAV'])
  assert.equal(marks(read.follow(0, read.raw(0), { ...GET, touch: false })), [])
  for (const profile of since('v4.14')) {
    const machine = new Machine(profile, { pages: 512 }).read(0)
    assert.equal(marks(machine.follow(0, machine.raw(0), GET)), [], profile.name)
    const writable = withFlags(machine.raw(0), WRITE)
    assert.equal(marks(machine.follow(0, writable, { ...GET, write: true })), ['PWDAV'], profile.name)
  }
})

test('5.1 pmd devmap: no FOLL_GET: skipped, page by page, also for a core dump', () => {
  for (const flags of [{}, { dump: true }]) {
    const { ret, refs } = huge().gup(3, 5, { get: false, ...flags })
    assert.equal([ret, refs], [5, []])
  }
})

test('5.1 pmd devmap: no page map: EFAULT, after the entry was touched', () => {
  const machine = huge().release()
  assert.is(machine.gup(0, 1).ret, 'EFAULT')
  assert.is(machine.entry(0), 'PDAV')
})

test('5.1 pmd devmap: else the page, a reference, the page map put', () => {
  assert.equal(huge().gup(7, 1).refs, ['pmem0 1', 'page 1', 'pmem0 1', 'pmem0 -1', 'page -1', 'pmem0 -1'])
})

test.run()
