/** The rows of seed 001 that need more than a walk: page maps and references over a whole call (research 0.5, 1.2 G2, 2.12). */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Call } from '../../src/kernel/offer.ts'
import { page } from '../../src/memory/address.ts'
import { fold } from '../../src/memory/fold.ts'
import type { Memory } from '../../src/memory/memory.ts'
import { slice, until, type ScenarioContext } from '../../src/scenario/api.ts'
import { HMM_PFN_VALID } from '../../src/walker/hmm.ts'
import { memoryAfter, NONE, profileWith, READ, row, told, work, WRITE } from './rows.ts'

const stale: Call = { to: 'mm0.hmm', event: { type: 'needs_retry' } }

/** A file on DAX whose first page is at page 16, mapped, and read. */
const mapped = ({ linux }: ScenarioContext, pages = 3) => {
  const m = linux()
  const cpu = m.thread()
  const buf = cpu.mmap({ pages, at: 16, shared: true, of: cpu.open('data', { fs: 'dax', pages, fill: 1 }) })
  cpu.read(buf)
  return { m, cpu, buf }
}

test('0.5/001, DAX vma after: walked like ordinary memory, with one reference to the page map, put at the end', () => {
  const does = told('v5.2', 'gpu0.range', context => {
    const { m, buf } = mapped(context)
    m.device().fault(buf)
  })
  assert.equal(
    does.filter(what => /pmem0|hmm_walk_area|put/.test(what)),
    ['hmm_walk_area', 'pmem0 +1', 'put_dev_pagemap', 'pmem0 -1'],
  )
})

test('2.12 pgmap caching, "reset to NULL at each vma": each area takes it anew', () => {
  const does = told('v5.2', 'gpu0.range', context => {
    const { m, cpu, buf } = mapped(context, 2)
    const more = cpu.mmap({ pages: 2, at: 18, of: { file: 'data' } })
    cpu.read(more)
    m.device().fault({ start: buf.start, end: more.end })
  })
  assert.equal(
    does.filter(what => what.startsWith('pmem0')),
    ['pmem0 +1', 'pmem0 -1', 'pmem0 +1', 'pmem0 -1'],
  )
})

test('2.12 pgmap caching, "put before CPU-faulting from a pte", and taken again by the walk that follows', () => {
  const does = told('v5.2', 'gpu0.range', ({ linux }) => {
    const m = linux()
    const cpu = m.thread()
    const buf = cpu.mmap({ pages: 2, at: 16, shared: true, of: cpu.open('data', { fs: 'dax', pages: 2, fill: 1 }) })
    cpu.read(slice(buf, 0))
    m.device().fault(buf)
  })
  const order = does.filter(what => /^pmem0|vmf_insert_pfn/.test(what))
  assert.equal(order, ['pmem0 +1', 'pmem0 -1', 'vmf_insert_pfn', 'pmem0 +1', 'pmem0 -1'])
})

test('2.12 pgmap caching, leaked: a hole behind blocks; each call leaks one more', () => {
  for (const [profile, leaked] of [
    ['v5.2-pre', 0],
    ['v5.2', 2],
    ['v5.4', 2],
    ['v5.5', 0],
    ['v6.12', 0],
  ] as const)
    row(profile, context => {
      const { m, cpu, buf } = mapped(context)
      cpu.punch({ file: 'data' }, { start: 2, end: 3 })
      cpu.read(buf)
      const gpu = m.device()
      gpu.fault(buf, { attempts: 1 })
      gpu.fault(buf, { attempts: 1 })
      context.expect.finally('held for ever', view => view.pagemap('pmem0') === leaked)
    })
})

test('1.2/G2 and 2.12, page references: mirroring takes none', () => {
  for (const profile of ['v5.2', 'v5.4', 'v5.5-pre', 'v5.5'])
    row(profile, context => {
      const { m, buf } = mapped(context)
      context.expect.answers(m.device().fault(buf), { ret: 3, values: [READ, READ, READ] })
      context.expect.always('one', view => ((view.refs(buf.start) ?? 1) === 1 ? undefined : 'taken'))
    })
})

test('0.5/001 and 2.12, dying pagemap: the call goes in circles while the range is valid, and ends with EBUSY when it is not', () => {
  const memory = fold(
    memoryAfter('v5.2', context => void mapped(context)),
    [['pagemap-kill', 'pmem0']],
  )
  const range = { start: page(16), end: page(19), defaultFlags: HMM_PFN_VALID, pfnFlagsMask: 0, owned: null }
  const agenda = [{ do: 'hmm_range_fault', mm: 'mm0', range, last: range.start, stale }] as const
  assert.throws(() => work(profileWith('v5.2'), memory, agenda, () => false), /'hmm_(walk_area|range_again)' goes on for ever/)
  let asked = 0
  const { after } = work(profileWith('v5.2'), memory, agenda, () => ++asked > 5)
  assert.equal([after.fail, asked, [16, 17, 18].map(p => after.array.get(p))], ['EBUSY', 6, [0, 0, 0]])
})

test('2.12, loop top: an invalid range is EAGAIN in v5.2, EBUSY from v5.4', () => {
  const range = { start: page(16), end: page(17), defaultFlags: HMM_PFN_VALID, pfnFlagsMask: 0, owned: null }
  const agenda = [{ do: 'hmm_range_fault', mm: 'mm0', range, last: range.start, stale }] as const
  const memory = memoryAfter('v5.2', context => void mapped(context))
  for (const [profile, errno] of [
    ['v5.2-pre', 'EAGAIN'],
    ['v5.2', 'EAGAIN'],
    ['v5.4', 'EBUSY'],
    ['v5.5', 'EBUSY'],
  ] as const)
    assert.is(work(profileWith(profile), memory, agenda, () => true).after.fail, errno)
})

test('2.12, PUD other: split within a section of its own, and walked by hand', () => {
  const mm = memoryAfter('v5.2', context => {
    const m = context.linux()
    const cpu = m.thread()
    cpu.read(slice(cpu.mmap({ pages: 262_144, at: 262_144, shared: true, of: cpu.open('dax', { fs: 'devdax' }) }), 0))
  })
  const range = { start: page(262_144), end: page(262_146), defaultFlags: 0, pfnFlagsMask: 0, owned: null, snapshot: true }
  const agenda = [{ do: 'hmm_range_fault', mm: 'mm0', range, last: range.start, stale }] as const
  const calls: string[] = []
  const reply = ({ event }: Call): unknown => {
    calls.push(event.type)
    return event.type === 'invalidate_range_start'
      ? { seq: 1, interval: [], plain: [] }
      : event.type === 'invalidate_range_end'
        ? []
        : false
  }
  // As if the walk could not tell such entries, as before the seed: only that it lets DAX areas in.
  const { after, memory }: { readonly after: { readonly ret: number }; readonly memory: Memory } = work(
    profileWith('v5.2'),
    { ...mm, files: {}, mms: { mm0: { ...mm.mms['mm0'], pud: mm.mms['mm0']?.pud.set(1, plain(mm)) } } } as Memory,
    agenda,
    reply,
  )
  assert.equal([after.ret, memory.mms['mm0']?.pud.get(1)], [0, 0])
  assert.equal(calls, ['needs_retry', 'invalidate_range_start', 'invalidate_range_end'])
})
/** Its entry of 1 GiB, without the mark of DAX memory. */
const plain = (memory: Memory): number => (memory.mms['mm0']?.pud.get(1) ?? 0) & ~32

test('1.2/G2, result: the number of pages up to the end of the last part; a hole counts for nothing', () => {
  row('v5.2', ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const buf = cpu.mmap({ pages: 2 })
    expect.answers(gpu.snapshot(buf), { ret: 0, values: [NONE, NONE] })
    expect.answers(gpu.fault(buf, { write: true }), { ret: 2, values: [WRITE, WRITE] })
    expect.answers(gpu.snapshot(buf), { ret: 2 })
  })
})

test('2.12 and 2.13, ALLOW_RETRY: in v5.2 whatever `block` says; in v5.4 only if it is false', () => {
  for (const [profile, block, err] of [
    ['v5.2', true, 'EAGAIN'],
    ['v5.2', false, 'EAGAIN'],
    ['v5.4', true, null],
  ] as const)
    row(profile, ({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread(), m.device()]
      // A page of a file that is not cached has to be read.
      const buf = cpu.mmap({ pages: 1, shared: true, of: cpu.open('data', { fs: 'ext4', pages: 1 }) })
      expect.answers(gpu.fault(buf, { block, attempts: 1 }), { err })
    })
})

test('2.15, before seed 001: an invalidation in the way changes nothing of the refusal', () => {
  row('v5.2-pre', context => {
    const { m, cpu, buf } = mapped(context)
    const gpu = m.device()
    const fault = gpu.fault(buf, { attempts: 1 })
    const discard = cpu.madvise(buf, 'dontneed')
    m.race(fault, discard).order(until(fault, 'hmm_range_fault'), discard, fault)
    context.expect.returns(fault, 'EINVAL')
  })
})

test.run()
