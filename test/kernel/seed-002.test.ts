/** The rows of seed 002: `hmm_vma_get_pfns()`, `hmm_vma_fault()` and `hmm_vma_range_done()` of Linux 4.14. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { page } from '../../src/memory/address.ts'
import { frameOf } from '../../src/memory/entry.ts'
import { fold } from '../../src/memory/fold.ts'
import { fileOf, type Memory } from '../../src/memory/memory.ts'
import { slice, until } from '../../src/scenario/api.ts'
import type { View } from '../../src/scenario/view.ts'
import { contextIn, memoryAfter, NONE, profileWith, READ, row, SPECIAL, told, work, WRITE } from './rows.ts'

const BEFORE = 'v4.14-pre'
const AFTER = 'v4.14'

test('0.5/002: a device read fault where nothing is: EMPTY before, VALID after', () => {
  for (const [profile, values] of [
    [BEFORE, [NONE]],
    [AFTER, [READ]],
  ] as const)
    row(profile, ({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device()]
      expect.answers(gpu.fault(cpu.mmap({ pages: 1 })), { ret: 0, values })
    })
})

test('0.5/002: a device fault over a device-private page leaves it in place; a CPU-style fault migrates it', () => {
  for (const profile of [BEFORE, AFTER])
    row(profile, ({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device()]
      const buf = cpu.mmap({ pages: 2 })
      cpu.write(buf, 1)
      cpu.openDevice().migrateToDevice(buf)
      expect.answers(gpu.fault(buf, { write: true }), { ret: 0, values: [WRITE, WRITE] })
      cpu.gup(slice(buf, 1))
      expect.finally('in place', view => view.entry(buf.start) === '!devpriv-w')
      expect.finally('migrated', view => !view.entry(slice(buf, 1).start).startsWith('!'))
    })
})

test('0.5/002: hugetlb or VM_SPECIAL: every entry SPECIAL and 0, and the range stays registered', () => {
  const does = told(AFTER, 'gpu0.range', ({ linux }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    gpu.fault(slice(cpu.mmap({ pages: 512, at: 512, of: 'hugetlb' }), 0, 2))
  })
  assert.ok(does.includes('hmm_vma_range_done'), does.join(' '))
  row(AFTER, ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const probe = cpu.open('probe', { fs: 'probe' })
    const raw = cpu.mmap({ pages: 2, shared: true, of: probe })
    expect.answers(gpu.fault(raw), { ret: 0, err: null, values: [SPECIAL, SPECIAL] })
    expect.answers(gpu.snapshot(raw), { err: 'EINVAL', values: [SPECIAL, SPECIAL] })
  })
})

test('1.2/G0, get_pfns and fault errors: outside the vma EINVAL', () => {
  row(AFTER, ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const buf = cpu.mmap({ pages: 2, at: 40 })
    for (const pages of [slice(buf, 1, 2), slice(buf, -1, 2)]) {
      expect.returns(gpu.fault(pages), 'EINVAL')
      expect.returns(gpu.snapshot(pages), 'EINVAL')
    }
  })
})

test('1.2/G0, fault errors: entries from the failing part to the end are cleared, and the range is done with', () => {
  row(AFTER, ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    // Two tables meet at page 512; the file ends behind the first page of the second.
    const file = cpu.open('short', { fs: 'memfd', pages: 3, fill: 1 })
    const buf = cpu.mmap({ pages: 4, at: 510, shared: true, of: file })
    cpu.write(slice(buf, 0, 3), 5)
    expect.answers(gpu.fault(buf), { err: 'EFAULT', values: [WRITE, WRITE, NONE, NONE] })
    // Had it stayed registered, its end would have been told of this.
    cpu.madvise(buf, 'dontneed')
    expect.answers(gpu.fault(slice(buf, 0)), { ret: 0, values: [WRITE] })
  })
})

test('1.2/G0, range_done: false once an invalidation that meets the range has ended, also one that ends where it begins', () => {
  for (const [first, count, begins] of [
    [1, 1, 2],
    [0, 1, 2],
    [3, 1, 1],
  ] as const)
    row(AFTER, ({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device()]
      const buf = cpu.mmap({ pages: 4 })
      cpu.write(buf, 1)
      const fault = gpu.fault(slice(buf, 1, 2))
      const discard = cpu.madvise(slice(buf, first, count), 'dontneed')
      m.race(fault, discard).order(until(fault, 'driver_lock'), discard, fault)
      const begun = (view: View): number => contextIn<{ readonly begun: number }>(view, 'gpu0.range').begun ?? 0
      expect.sometimes('begun', view => begun(view) === begins)
      expect.always('not oftener', view => (begun(view) > begins ? 'it began again' : undefined))
    })
})

test('1.2/G0 and 3.6, invalidation: the device keeps its access until after the entry is gone', () => {
  row(AFTER, ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 1)
    gpu.fault(buf)
    cpu.madvise(buf, 'dontneed')
    expect.sometimes('gone, and mapped on the device', view => view.entry(buf.start) === 'none' && view.maps('gpu0', buf))
    expect.finally('nor that', view => !view.maps('gpu0', buf))
  })
})

test('2.14, device private: faulted only if the request is to write and the entry is read-only', () => {
  row(AFTER, ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 1)
    cpu.openDevice().migrateToDevice(buf)
    cpu.mprotect(buf, 'r')
    cpu.mprotect(buf, 'rw')
    expect.answers(gpu.fault(buf), { ret: 0, values: [READ] })
    expect.sometimes('in place', view => view.entry(buf.start) === '!devpriv-r')
    expect.answers(gpu.fault(buf, { write: true }), { ret: 0, values: [WRITE] })
    expect.finally('migrated back', view => /PW/.test(view.entry(buf.start)))
  })
})

test('2.14 and 2.15, vma without VM_READ: small pages are valid all the same', () => {
  row(AFTER, ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const buf = cpu.mmap({ pages: 2 })
    cpu.write(buf, 1)
    cpu.mprotect(buf, '-')
    expect.answers(gpu.snapshot(buf), { ret: 0, values: [READ, READ] })
    expect.answers(gpu.fault(buf), { ret: 0, values: [READ, READ] })
  })
})

test('2.15, v4.14: zero page and special entry V, swap 0 and faulted, DAX SPECIAL', () => {
  row(AFTER, ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const zero = cpu.mmap({ pages: 1 })
    cpu.read(zero)
    expect.answers(gpu.snapshot(zero), { ret: 0, values: [READ] })
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 1)
    cpu.madvise(buf, 'pageout')
    const file = cpu.open('data', { fs: 'dax', pages: 2, fill: 1 })
    const dax = cpu.mmap({ pages: 2, shared: true, of: file })
    cpu.read(dax)
    expect.answers(gpu.snapshot(dax), { err: 'EINVAL', values: [SPECIAL, SPECIAL] })
    expect.answers(gpu.fault(dax), { ret: 0, values: [SPECIAL, SPECIAL] })
  })
})

test('1.2/G0, per-page fault: a fault that dropped the lock is EBUSY, never EAGAIN, and may do so for any caller', () => {
  let at = page(0)
  const mapped = memoryAfter(AFTER, ({ linux }) => {
    const cpu = linux().thread()
    const buf = cpu.mmap({ pages: 1, shared: true, of: cpu.open('data', { fs: 'memfd', pages: 1, fill: 1 }) })
    at = buf.start
  })
  // Somebody else has the page, which is cached and mapped nowhere.
  const frame = frameOf(fileOf(mapped, 'data').cache.get(0))
  const locked = fold(mapped, [['lock', frame, true]])
  const range = { start: at, end: page(at + 1), fault: 'read' } as const
  const call = (memory: Memory) =>
    work(profileWith(AFTER), memory, [{ do: 'hmm_vma_range', mm: 'mm0', range, who: 'gpu0.range' }], ({ event }) =>
      event.type === 'hmm_pfns_cleared' ? [] : { valid: true, cleared: [] },
    ).after
  assert.is(call(mapped).fail, null)
  assert.is(call(locked).fail, 'EBUSY')
})

test.run()
