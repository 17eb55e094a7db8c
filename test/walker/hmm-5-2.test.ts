/** The walk of Linux 5.2: what it answers, what it leaves in the array, and that budgets only cut it. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { areaRules } from '../../src/kernel/faults/hmm-5-2.ts'
import { v5_2 } from '../../src/kernel/profiles/legacy.ts'
import { page, pfn, type Page } from '../../src/memory/address.ts'
import { absent, ACCESSED, DEVMAP, DIRTY, NONE, present, SPECIAL, TABLE, WRITE, type Entry } from '../../src/memory/entry.ts'
import { entries, pte } from '../../src/memory/facts.ts'
import { fold } from '../../src/memory/fold.ts'
import { bootMemory, ZERO_PFN, type Memory } from '../../src/memory/memory.ts'
import { Table } from '../../src/memory/table.ts'
import { VM_HUGETLB, VM_READ, VM_WRITE, type Vma } from '../../src/memory/vma.ts'
import { HMM_PFN_VALID, HMM_PFN_WRITE, type HmmRange } from '../../src/walker/hmm.ts'
import { HMM_PFN_SPECIAL, walkArea, type AreaWalk } from '../../src/walker/hmm-5-2.ts'

const MM = 'mm0'
const WRITABLE = present(WRITE | DIRTY | ACCESSED, pfn(7))
const READ_ONLY = present(ACCESSED, pfn(9))
const ZERO = present(ACCESSED | SPECIAL, ZERO_PFN)

const area = (start: number, end: number, flags = VM_READ | VM_WRITE): Vma => ({
  start: page(start),
  end: page(end),
  flags,
  pgoff: start,
  anonVma: 1,
  linked: [1],
  order: 1,
  anonOrder: 1,
  file: '',
})

function memoryWith(vmas: readonly Vma[], at: number, mapped: readonly Entry[]): Memory {
  const tables = (['pgd', 'pud', 'pmd'] as const).map(level => entries(level, MM, 0, 1, TABLE))
  return fold(bootMemory([MM]), [['vmas', MM, 0, 0, vmas], ...tables, ...mapped.map((entry, i) => pte(MM, page(at + i), entry))])
}

const rangeOf = (start: number, end: number, rest: Partial<HmmRange> = {}): HmmRange => ({
  start: page(start),
  end: page(end),
  defaultFlags: 0,
  pfnFlagsMask: 0,
  owned: null,
  ...rest,
})
const begin = (range: HmmRange, array = Table.empty): AreaWalk => ({
  at: range.start,
  last: range.start,
  array,
  pgmap: null,
  put: null,
  stop: null,
})
const V5_2 = areaRules(v5_2)
const words = (array: Table, start: Page, end: Page): readonly number[] =>
  Array.from({ length: end - start }, (_, i) => array.get(start + i))

test('a hole is walked, and not counted', () => {
  const range = rangeOf(16, 20, { snapshot: true })
  const walked = walkArea(bootMemory([MM]), MM, range, V5_2, begin(range), Infinity)
  assert.equal(walked.stop, { why: 'error', errno: 'EFAULT' })
  const mapped = fold(bootMemory([MM]), [['vmas', MM, 0, 0, [area(16, 20)]]])
  const { last, stop } = walkArea(mapped, MM, range, V5_2, begin(range), Infinity)
  assert.equal([last, stop], [16, { why: 'area' }])
})

test('the zero page ends a fault with nothing, and a snapshot with SPECIAL', () => {
  const memory = memoryWith([area(16, 20)], 16, [WRITABLE, ZERO, WRITABLE, WRITABLE])
  const asks = rangeOf(16, 20, { defaultFlags: HMM_PFN_VALID })
  const faulted = walkArea(memory, MM, asks, V5_2, begin(asks), Infinity)
  assert.equal([faulted.last, faulted.stop, words(faulted.array, page(17), page(20))], [17, { why: 'error', errno: 'EFAULT' }, [0, 0, 0]])
  const looks = rangeOf(16, 20, { snapshot: true })
  const seen = walkArea(memory, MM, looks, V5_2, begin(looks), Infinity)
  assert.equal([seen.last, seen.at, seen.stop, seen.array.get(17)], [17, 20, { why: 'area' }, HMM_PFN_SPECIAL])
})

test('a fault takes away the requests of the pages that it is made for', () => {
  const memory = memoryWith([area(16, 20)], 16, [WRITABLE, READ_ONLY, NONE, NONE])
  const range = rangeOf(16, 20, { pfnFlagsMask: HMM_PFN_VALID | HMM_PFN_WRITE })
  const requests = Table.empty.setRange(16, 4, HMM_PFN_VALID | HMM_PFN_WRITE, 0)
  const walked = walkArea(memory, MM, range, V5_2, begin(range, requests), Infinity)
  assert.equal([walked.last, walked.stop], [17, { why: 'fault', end: 20, write: true }])
  assert.equal(words(walked.array, page(17), page(20)), [0, 0, 0])
})

test('where a range begins in a gap, the fault is made without an area; of the area behind, the rights are asked', () => {
  const range = rangeOf(16, 20, { defaultFlags: HMM_PFN_VALID })
  const over = (flags?: number): AreaWalk =>
    walkArea(memoryWith([area(18, 20, flags)], 18, [WRITABLE]), MM, range, V5_2, begin(range), Infinity)
  assert.equal(over().stop, { why: 'null vma' })
  assert.equal(over(VM_WRITE).stop, { why: 'error', errno: 'EPERM' })
})

test('budgets cut the walk, and change nothing else', () => {
  const entry = fc.constantFrom<Entry>(NONE, WRITABLE, READ_ONLY, ZERO, absent('!swap', 3), absent('!devpriv-r', 5), absent('!migr-r', 7))
  const asked = fc.constantFrom(0, HMM_PFN_VALID, HMM_PFN_VALID | HMM_PFN_WRITE)
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 16, maxLength: 16 }),
      fc.array(asked, { minLength: 16, maxLength: 16 }),
      asked,
      fc.boolean(),
      fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
      (mapped, requested, defaultFlags, snapshot, budgets) => {
        const memory = memoryWith([area(16, 22), area(24, 40, VM_READ)], 16, mapped)
        const range = rangeOf(16, 30, { defaultFlags, pfnFlagsMask: HMM_PFN_VALID | HMM_PFN_WRITE, snapshot })
        const array = requested.reduce((table, word, i) => table.set(16 + i, word), Table.empty)
        const whole = walkArea(memory, MM, range, V5_2, begin(range, array), Infinity)
        let cut = begin(range, array)
        for (const budget of budgets) {
          cut = walkArea(memory, MM, range, V5_2, cut, budget)
          if (cut.stop !== null) break
        }
        assert.equal([cut.at, cut.last, cut.stop], [whole.at, whole.last, whole.stop])
        assert.equal(cut.array.changesTo(whole.array), [])
      },
    ),
  )
})

test('2.12, CONFIG_TRANSPARENT_HUGEPAGE off and huge pmd seen; pud, CONFIG_HUGETLB_PAGE off; hugetlb off: -EINVAL', () => {
  const huge = (level: 'pmd' | 'pud', flags = VM_READ | VM_WRITE): Memory =>
    fold(bootMemory([MM]), [
      ['vmas', MM, 0, 0, [area(0, 1024, flags)]],
      entries('pgd', MM, 0, 1, TABLE),
      ...(level === 'pmd' ? [entries('pud', MM, 0, 1, TABLE)] : []),
      entries(level, MM, 0, 1, present(ACCESSED | WRITE | DEVMAP, pfn(1024))),
    ])
  const asks = rangeOf(0, 2, { defaultFlags: HMM_PFN_VALID })
  const stopOf = (memory: Memory, range: HmmRange, config: { readonly thp: boolean; readonly hugetlb: boolean }): AreaWalk['stop'] =>
    walkArea(memory, MM, range, { ...V5_2, holdsPagemap: false, ...config }, begin(range), Infinity).stop
  const inval: AreaWalk['stop'] = { why: 'error', errno: 'EINVAL' }
  assert.equal(stopOf(huge('pmd'), asks, { thp: false, hugetlb: true }), inval)
  assert.equal(stopOf(huge('pmd'), asks, { thp: true, hugetlb: false }), { why: 'area' })
  assert.equal(stopOf(huge('pud'), asks, { thp: true, hugetlb: false }), inval)
  assert.equal(stopOf(huge('pud'), asks, { thp: false, hugetlb: true }), { why: 'area' })
  assert.equal(stopOf(huge('pmd', VM_READ | VM_HUGETLB), asks, { thp: true, hugetlb: false }), inval)
  // A snapshot does not hear of it, and the range counts nothing (walk error: ignored).
  const snapshot = rangeOf(0, 2, { snapshot: true })
  const walked = walkArea(huge('pmd'), MM, snapshot, { ...V5_2, thp: false }, begin(snapshot), Infinity)
  assert.equal([walked.stop, walked.last], [{ why: 'area' }, 0])
})

test.run()
