/** The entry tables of research 2.12 and 2.13, row by row: the walk of Linux 5.2 to 5.5 over memory made for the row. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { areaRules } from '../../src/kernel/faults/hmm-5-2.ts'
import { v5_2, v5_2_pre, v5_4, v5_5 } from '../../src/kernel/profiles/legacy.ts'
import { page, pfn, slot } from '../../src/memory/address.ts'
import { DEVDAX_FIRST, PMEM_FIRST } from '../../src/memory/dax.ts'
import { absent, ACCESSED, DEVMAP, NONE, present, PROTNONE, SPECIAL, swapEntry, TABLE, WRITE, type Entry } from '../../src/memory/entry.ts'
import { entries, type Fact } from '../../src/memory/facts.ts'
import { fold } from '../../src/memory/fold.ts'
import { bootMemory, ZERO_PFN, type File, type FileKind, type Memory } from '../../src/memory/memory.ts'
import { Table } from '../../src/memory/table.ts'
import { VM_HUGETLB, VM_MIXEDMAP, VM_PFNMAP, VM_READ, VM_SHARED, VM_WRITE, type Vma } from '../../src/memory/vma.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID, HMM_PFN_WRITE, type HmmRange } from '../../src/walker/hmm.ts'
import type { AreaRules } from '../../src/walker/area-rules.ts'
import { HMM_PFN_SPECIAL, walkArea, type AreaStop, type AreaWalk } from '../../src/walker/hmm-5-2.ts'

const MM = 'mm0'
const RW = VM_READ | VM_WRITE
const BEFORE = areaRules(v5_2_pre)
const V5_2 = areaRules(v5_2)
const V5_4 = areaRules(v5_4)
const V5_5 = areaRules(v5_5)

const area = (start: number, end: number, flags = RW, file = ''): Vma => ({
  start: page(start),
  end: page(end),
  flags,
  pgoff: 0,
  anonVma: 1,
  linked: [1],
  order: 1,
  anonOrder: 1,
  file,
})
const fileOn = (kind: FileKind): File => ({ kind, size: 0, mirror: null, cache: Table.empty, blocks: Table.empty, dax: Table.empty })

/** Areas, and entries of a level from the first page of the first area on. */
function memoryWith(vmas: readonly Vma[], level: 'pud' | 'pmd' | 'pte', mapped: readonly Entry[], more: readonly Fact[] = []): Memory {
  const above = (['pgd', 'pud', 'pmd'] as const).slice(0, { pud: 1, pmd: 2, pte: 3 }[level])
  const at = vmas[0]?.start ?? 0
  const index = { pud: at / 262_144, pmd: at / 512, pte: at }[level]
  const memory = fold(bootMemory([MM]), [
    ['vmas', MM, 0, 0, vmas],
    ...above.map(l => entries(l, MM, 0, 1, TABLE)),
    ...(level === 'pte' && at >= 512 ? [entries('pmd', MM, 1, 1, TABLE)] : []),
    ...mapped.map((entry, i) => entries(level, MM, index + i, 1, entry)),
    ...more,
  ])
  return { ...memory, files: { pmem: fileOn('dax'), dev: fileOn('devdax') } }
}

const ASKS = HMM_PFN_VALID
interface Asked extends Partial<HmmRange> {
  readonly array?: Table
}
/** What comes of a walk over [start, end). */
function walk(
  memory: Memory,
  rules: AreaRules,
  start: number,
  end: number,
  asked: Asked = {},
): AreaWalk & { readonly words: readonly number[] } {
  const { array = Table.empty, ...rest } = asked
  const range: HmmRange = { start: page(start), end: page(end), defaultFlags: 0, pfnFlagsMask: 0, owned: null, ...rest }
  const walked = walkArea(
    memory,
    MM,
    range,
    rules,
    { at: range.start, last: range.start, array, pgmap: null, put: null, stop: null },
    Infinity,
  )
  return { ...walked, words: Array.from({ length: end - start }, (_, i) => walked.array.get(start + i) & 15) }
}
const error = (errno: 'EFAULT' | 'EPERM' | 'EINVAL'): AreaStop => ({ why: 'error', errno })
const AREA: AreaStop = { why: 'area' }
const block = (i: number, flags = ACCESSED): Entry => present(flags | DEVMAP | SPECIAL, pfn(PMEM_FIRST + i))
const ordinary = present(WRITE | ACCESSED, pfn(7))
const [zero, raw] = [present(ACCESSED | SPECIAL, ZERO_PFN), present(ACCESSED | SPECIAL, pfn(99))]
const dax = (start: number, end: number, flags = RW | VM_SHARED): Vma => area(start, end, flags, 'pmem')

test('2.12 outer logic, DAX vma: before, SPECIAL in the whole range and EINVAL, of snapshot and fault alike', () => {
  const memory = memoryWith([area(16, 18), dax(18, 20)], 'pte', [ordinary, ordinary, block(0), block(1)])
  for (const asked of [{ snapshot: true }, { defaultFlags: ASKS }]) {
    const first = walk(memory, BEFORE, 16, 20, asked)
    assert.equal([first.stop, first.at], [AREA, 18])
    const range: HmmRange = { start: page(16), end: page(20), defaultFlags: 0, pfnFlagsMask: 0, owned: null, ...asked }
    const then = walkArea(memory, MM, range, BEFORE, first, Infinity)
    assert.equal(then.stop, error('EINVAL'))
    assert.equal(
      [16, 17, 18, 19].map(p => then.array.get(p)),
      [8, 8, 8, 8],
    )
    assert.equal(walk(memory, V5_2, 18, 20, asked).stop, AREA)
  }
})

test('2.12 outer logic: no vma, PFNMAP and MIXEDMAP are EFAULT; without VM_READ the whole range is NONE and EPERM', () => {
  for (const rules of [BEFORE, V5_2, V5_4, V5_5]) {
    for (const asked of [{ snapshot: true }, { defaultFlags: ASKS }]) {
      assert.equal(walk(bootMemory([MM]), rules, 16, 17, asked).stop, error('EFAULT'))
      for (const flag of [VM_PFNMAP, VM_MIXEDMAP])
        assert.equal(walk(memoryWith([area(16, 17, RW | flag)], 'pte', []), rules, 16, 17, asked).stop, error('EFAULT'))
      const array = Table.empty.setRange(16, 2, 3, 0)
      const unread = walk(memoryWith([area(16, 18, VM_WRITE)], 'pte', [ordinary]), rules, 16, 18, { ...asked, array })
      assert.equal([unread.stop, unread.words], [error('EPERM'), [NONE, NONE]])
    }
  }
})

test('2.12 pgmap caching: taken for the first page, reused, and put behind the entries of one PMD', () => {
  const memory = memoryWith([dax(510, 514)], 'pte', [block(0), block(1), block(2), block(3)])
  const walked = walk(memory, V5_2, 510, 514, { snapshot: true })
  assert.equal([walked.at, walked.put, walked.pgmap, walked.stop], [512, 'pmem0', null, null])
  assert.equal(walked.words, [1, 1, 0, 0])
})

test('2.12 pgmap caching: a walk that is cut keeps it; one of ordinary memory takes none', () => {
  const range: HmmRange = { start: page(16), end: page(19), defaultFlags: 0, pfnFlagsMask: 0, owned: null, snapshot: true }
  const begin: AreaWalk = { at: range.start, last: range.start, array: Table.empty, pgmap: null, put: null, stop: null }
  const cut = walkArea(memoryWith([dax(16, 19)], 'pte', [block(0), block(1), block(2)]), MM, range, V5_2, begin, 1)
  assert.equal([cut.at, cut.pgmap, cut.put], [17, 'pmem0', null])
  const plain = walk(memoryWith([area(16, 17)], 'pte', [ordinary]), V5_2, 16, 17, { snapshot: true })
  assert.equal([plain.pgmap, plain.put, plain.stop], [null, null, AREA])
})

test('2.12 pgmap caching: put before a page is faulted in', () => {
  const walked = walk(memoryWith([dax(16, 18)], 'pte', [block(0)]), V5_2, 16, 18, { defaultFlags: ASKS })
  assert.equal([walked.put, walked.pgmap, walked.stop], ['pmem0', null, { why: 'fault', end: 18, write: false }])
})

test('2.12 pgmap caching: leaked where a special entry comes behind DAX entries; without the special bit there is no such end', () => {
  const memory = memoryWith([dax(16, 18)], 'pte', [block(0), zero])
  const walked = walk(memory, V5_2, 16, 18, { defaultFlags: ASKS })
  assert.equal([walked.put, walked.pgmap, walked.stop], [null, 'pmem0', error('EFAULT')])
  const without = walk(memory, { ...V5_2, pteSpecial: false }, 16, 18, { defaultFlags: ASKS })
  assert.equal([without.put, without.pgmap, without.stop, without.words], ['pmem0', null, AREA, [1, 1]])
})

test('2.12 and 0.5/001, DAX pte or pmd or pud, pagemap dying: EBUSY; with a reference in hand the walk goes on', () => {
  const dying: readonly Fact[] = [
    ['pagemap-kill', 'pmem0'],
    ['pagemap-kill', 'dax1.0'],
  ]
  const asked = { defaultFlags: ASKS, array: Table.empty.set(16, 3) }
  const small = walk(memoryWith([dax(16, 18)], 'pte', [block(0), block(1)], dying), V5_2, 16, 18, asked)
  assert.equal([small.stop, small.last, small.pgmap, small.words], [{ why: 'busy' }, 16, null, [0, 0]])
  const huge = walk(memoryWith([dax(512, 1024)], 'pmd', [present(ACCESSED | DEVMAP, PMEM_FIRST)], dying), V5_2, 512, 516, {
    defaultFlags: ASKS,
  })
  assert.equal([huge.stop, huge.pgmap], [{ why: 'busy' }, null])
  const device = memoryWith([area(262_144, 524_288, RW | VM_SHARED, 'dev')], 'pud', [present(ACCESSED | DEVMAP, DEVDAX_FIRST)], dying)
  assert.equal(walk(device, V5_2, 262_144, 262_146, { defaultFlags: ASKS }).stop, { why: 'busy' })
  const range: HmmRange = { start: page(16), end: page(18), defaultFlags: ASKS, pfnFlagsMask: 0, owned: null }
  const held: AreaWalk = { at: page(17), last: page(16), array: Table.empty.set(16, 1), pgmap: 'pmem0', put: null, stop: null }
  const on = walkArea(memoryWith([dax(16, 18)], 'pte', [block(0), block(1)], dying), MM, range, V5_2, held, Infinity)
  assert.equal([on.stop, on.put, on.array.get(17) & 15], [AREA, 'pmem0', 1])
  // A snapshot of that time does not hear of it.
  assert.equal(walk(memoryWith([dax(16, 18)], 'pte', [block(0)], dying), V5_2, 16, 18, { snapshot: true }).stop, AREA)
})

test('2.12 and 0.5/001, pud huge and devmap: told directly, and faulted as a part; EINVAL without CONFIG_HUGETLB_PAGE', () => {
  const memory = memoryWith([area(262_144, 524_288, RW | VM_SHARED, 'dev')], 'pud', [present(ACCESSED | DEVMAP, DEVDAX_FIRST)])
  const [first, end] = [262_144 + 5, 262_144 + 8]
  const found = walk(memory, V5_2, first, end, { defaultFlags: ASKS })
  assert.equal([found.last, found.put, found.stop, found.words], [end, 'dax1.0', AREA, [1, 1, 1]])
  assert.is(found.array.get(first) >>> 8, DEVDAX_FIRST + 5)
  const write = walk(memory, V5_2, first, end, { defaultFlags: ASKS | HMM_PFN_WRITE })
  assert.equal(write.stop, { why: 'fault', end, write: true })
  const without = { ...V5_2, hugetlb: false }
  assert.equal(walk(memory, without, first, end, { defaultFlags: ASKS }).stop, error('EINVAL'))
  // What has to be faulted in is found out first.
  assert.equal(walk(memory, without, first, end, { defaultFlags: ASKS | HMM_PFN_WRITE }).stop, { why: 'fault', end, write: true })
})

test('2.12, pud other: split; before seed 001, and so every one', () => {
  const plain = memoryWith([area(262_144, 524_288)], 'pud', [present(ACCESSED, pfn(262_144))])
  assert.equal(walk(plain, V5_2, 262_144, 262_146, { defaultFlags: ASKS }).stop, { why: 'split' })
  const marked = memoryWith([area(262_144, 524_288)], 'pud', [present(ACCESSED | DEVMAP, DEVDAX_FIRST)])
  assert.equal(walk(marked, BEFORE, 262_144, 262_146, { defaultFlags: ASKS }).stop, { why: 'split' })
})

test('2.12, CONFIG_TRANSPARENT_HUGEPAGE off and a huge pmd seen: EINVAL, and of a snapshot nothing', () => {
  const memory = memoryWith([dax(512, 1024)], 'pmd', [present(ACCESSED | DEVMAP, PMEM_FIRST)])
  const without = { ...V5_2, thp: false }
  assert.equal(walk(memory, without, 512, 514, { defaultFlags: ASKS }).stop, error('EINVAL'))
  assert.equal(walk(memory, without, 512, 514, { snapshot: true }).stop, AREA)
  assert.equal(walk(memory, V5_2, 512, 514, { defaultFlags: ASKS }).words, [1, 1])
})

test('2.12, pmd devmap and pmd THP: told with their rights; protnone is taken for nothing', () => {
  for (const [entry, put] of [
    [present(ACCESSED | WRITE | DEVMAP, PMEM_FIRST), 'pmem0'],
    [present(ACCESSED | WRITE, pfn(512)), null],
  ] as const) {
    const found = walk(memoryWith([area(512, 1024)], 'pmd', [entry]), V5_2, 512, 514, { defaultFlags: ASKS })
    assert.equal([found.words, found.put, found.last], [[3, 3], put, 514])
  }
  const none = memoryWith([area(512, 1024)], 'pmd', [present(ACCESSED | PROTNONE, pfn(512))])
  assert.equal(walk(none, V5_2, 512, 514, { snapshot: true }).words, [0, 0])
  assert.equal(walk(none, V5_2, 512, 514, { defaultFlags: ASKS }).stop, { why: 'fault', end: 514, write: false })
})

test('2.12, hugetlb slot: the first request decides; EINVAL with CONFIG_HUGETLB_PAGE off', () => {
  const memory = memoryWith([area(512, 1024, RW | VM_HUGETLB)], 'pmd', [present(ACCESSED, pfn(512))])
  const array = Table.empty.set(513, 3)
  const asked = { pfnFlagsMask: 3, array }
  assert.equal(walk(memory, V5_2, 512, 514, asked).words, [1, 1])
  assert.equal(walk(memory, V5_2, 512, 514, { ...asked, array: array.set(512, 3) }).stop, { why: 'fault', end: 514, write: true })
  assert.equal(walk(memory, { ...V5_2, hugetlb: false }, 512, 514, asked).stop, error('EINVAL'))
})

test('2.12 and 0.5/001, pte special and not devmap: before, the raw frame; after, SPECIAL and EFAULT where there is a special bit', () => {
  for (const entry of [zero, raw]) {
    const memory = memoryWith([area(16, 17)], 'pte', [entry])
    const frame = entry >>> 8
    for (const asked of [{ snapshot: true }, { defaultFlags: ASKS }]) {
      const before = walk(memory, BEFORE, 16, 17, asked)
      assert.equal([before.stop, before.words, before.array.get(16) >>> 8], [AREA, [1], frame])
      assert.equal(walk(memory, { ...V5_2, pteSpecial: false }, 16, 17, asked).words, [1])
    }
    assert.equal(walk(memory, V5_2, 16, 17, { snapshot: true }).array.get(16), HMM_PFN_SPECIAL)
    const refused = walk(memory, V5_2, 16, 17, { defaultFlags: ASKS })
    assert.equal([refused.stop, refused.array.get(16)], [error('EFAULT'), NONE])
  }
})

test('2.13 and 2.15, zero page: SPECIAL and EFAULT until v5.4, V from v5.5; other special entries stay refused', () => {
  const [none, no] = [memoryWith([area(16, 17)], 'pte', [zero]), memoryWith([area(16, 17)], 'pte', [raw])]
  for (const asked of [{ snapshot: true }, { defaultFlags: ASKS }]) {
    assert.equal(walk(none, V5_4, 16, 17, asked).stop, error('EFAULT'))
    assert.equal(walk(none, V5_5, 16, 17, asked).words, [1])
    assert.equal(walk(no, V5_5, 16, 17, asked).stop, error('EFAULT'))
  }
})

test('2.12 and 2.13, pte swap entry: NONE, never faulted (B11); faulted from v5.4', () => {
  const memory = memoryWith([area(16, 17)], 'pte', [swapEntry(slot(3), false)])
  const asked = { defaultFlags: ASKS }
  assert.equal([walk(memory, V5_2, 16, 17, asked).stop, walk(memory, V5_2, 16, 17, asked).words], [AREA, [0]])
  assert.equal(walk(memory, V5_4, 16, 17, asked).stop, { why: 'fault', end: 17, write: false })
  assert.equal(walk(memory, V5_4, 16, 17, { snapshot: true }).words, [0])
})

test('2.12 and 2.15, pte migration: NONE, never waited for (B12), in v5.2 to v5.5', () => {
  const memory = memoryWith([area(16, 17)], 'pte', [absent('!migr-r', 9)])
  for (const rules of [V5_2, V5_4, V5_5]) assert.equal(walk(memory, rules, 16, 17, { defaultFlags: ASKS }).words, [0])
})

test('2.12 and 2.15, pte device private: V in place with its rights, whoever asks, to write too', () => {
  for (const rules of [V5_2, V5_4, V5_5]) {
    for (const [kind, word] of [
      ['!devpriv-r', 1],
      ['!devpriv-w', 3],
    ] as const) {
      const found = walk(memoryWith([area(16, 17)], 'pte', [absent(kind, 5)]), rules, 16, 17, { defaultFlags: ASKS | HMM_PFN_WRITE })
      assert.equal([found.stop, found.words], [AREA, [word]])
    }
  }
})

test('2.12 and 2.15, pte other non-present: ERROR; EFAULT for who faults, and from v5.4 for who looks', () => {
  const memory = memoryWith([area(16, 17)], 'pte', [absent('!hwpoison', 5)])
  for (const rules of [V5_2, V5_4]) assert.equal(walk(memory, rules, 16, 17, { defaultFlags: ASKS }).stop, error('EFAULT'))
  const seen = walk(memory, V5_2, 16, 17, { snapshot: true })
  assert.equal([seen.stop, seen.array.get(16)], [AREA, HMM_PFN_ERROR])
  assert.equal(walk(memory, V5_4, 16, 17, { snapshot: true }).stop, error('EFAULT'))
})

test('2.12, hole: NONE; who faults loses the requests of all later pages of the part (B15)', () => {
  const memory = memoryWith([area(16, 20)], 'pte', [])
  assert.equal(walk(memory, V5_2, 16, 20, { snapshot: true, array: Table.empty.setRange(16, 4, 3, 0) }).words, [0, 0, 0, 0])
  const faulted = walk(memory, V5_2, 16, 20, { pfnFlagsMask: 3, array: Table.empty.set(18, 3) })
  assert.equal([faulted.stop, faulted.words], [{ why: 'fault', end: 20, write: true }, [0, 0, 0, 0]])
})

test('2.13 and 2.15, write on a !VM_WRITE vma: faulted for ever, EPERM from v5.4; the rest of the array is NONE', () => {
  const memory = memoryWith([area(16, 19, VM_READ)], 'pte', [present(ACCESSED, pfn(7))])
  const asked = { pfnFlagsMask: 3, array: Table.empty.set(16, 1).set(17, 3).set(18, 1) }
  assert.equal(walk(memory, V5_2, 16, 19, asked).stop, { why: 'fault', end: 19, write: true })
  const refused = walk(memory, V5_4, 16, 19, asked)
  assert.equal([refused.stop, refused.last, refused.words], [error('EPERM'), 17, [1, 0, 0]])
})

test('2.12, 2.13 and 2.15, gap before a later vma: NONE for who looks; null vma in v5.2, EFAULT from v5.4', () => {
  const memory = memoryWith([area(18, 20)], 'pte', [ordinary])
  assert.equal(walk(memory, V5_2, 16, 20, { snapshot: true }).words, [0, 0, 3, 0])
  assert.equal(walk(memory, V5_2, 16, 20, { defaultFlags: ASKS }).stop, { why: 'null vma' })
  const later = walk(memory, V5_4, 16, 20, { defaultFlags: ASKS })
  assert.equal([later.stop, later.words], [error('EFAULT'), [0, 0, 0, 0]])
})

test('2.12 need rule: only VALID asks, WRITE along with it; masked requests and default flags', () => {
  const read = memoryWith([area(16, 17)], 'pte', [present(ACCESSED, pfn(7))])
  const stops = (asked: Asked): string => walk(read, V5_2, 16, 17, asked).stop?.why ?? ''
  const array = Table.empty.set(16, 3)
  assert.is(stops({ array }), 'area')
  assert.is(stops({ array, pfnFlagsMask: 2 }), 'area')
  assert.is(stops({ array, pfnFlagsMask: 3 }), 'fault')
  assert.is(stops({ defaultFlags: 2 }), 'area')
  assert.is(stops({ defaultFlags: 1 }), 'area')
  assert.is(stops({ defaultFlags: 3 }), 'fault')
})

test.run()
