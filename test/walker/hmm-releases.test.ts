/**
 * `hmm_range_fault()` of v5.15, v5.16, v6.0 and v7.1, entry by entry: rows of research/hmm-semantics.md (0.5, 1.3, 2.13, 2.15, 2.16) by their
 * names, as a snapshot and as a request to read every page.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { profileNamed, type Profile } from '../../src/kernel/profiles.ts'
import { page, pfn, slot, type Level } from '../../src/memory/address.ts'
import {
  absent,
  ACCESSED,
  DEVMAP,
  frameOf,
  present,
  PROTNONE,
  SPECIAL,
  swapEntry,
  TABLE,
  WRITE,
  type Entry,
} from '../../src/memory/entry.ts'
import { entries, type Fact } from '../../src/memory/facts.ts'
import { fold } from '../../src/memory/fold.ts'
import { bootMemory, ZERO_PFN, type Memory } from '../../src/memory/memory.ts'
import { MMIO_FIRST } from '../../src/memory/normal-page.ts'
import { Table } from '../../src/memory/table.ts'
import { VM_HUGETLB, VM_IO, VM_MIXEDMAP, VM_PFNMAP, VM_READ, VM_WRITE } from '../../src/memory/vma.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID, HMM_PFN_WRITE, mapOrder, walk } from '../../src/walker/hmm.ts'

const MM = 'mm0'
const RW = VM_READ | VM_WRITE
const OWN = { first: pfn(40), end: pfn(50) }

/** One page that one entry maps, in an area; without flags, there is no area. */
function mapping(entry: Entry, flags: number | null, level: Level = 'pte'): Memory {
  const above = (['pgd', 'pud', 'pmd'] as const).slice(0, ['pgd', 'pud', 'pmd', 'pte'].indexOf(level))
  const vma = { start: page(0), end: page(512), pgoff: 0, anonVma: 0, linked: [], order: 0, anonOrder: 0, file: 'f', flags: flags ?? 0 }
  const facts: Fact[] = [...above.map(l => entries(l, MM, 0, 1, TABLE)), entries(level, MM, 0, 1, entry)]
  return fold(bootMemory([MM]), flags === null ? facts : [['vmas', MM, 0, 0, [vma]], ...facts])
}

const kernel = (name: string): Profile => profileNamed(name) as Profile

/** What one page comes to, in the letters of the tables: V, VW, ER, 0, raw; F a fault, w a wait; with its order if it has one. */
function told(profile: Profile, memory: Memory, asked: number): string {
  const range = { start: page(0), end: page(1), defaultFlags: asked, pfnFlagsMask: 0, owned: OWN }
  const { array, stop } = walk(memory, MM, range, { last: page(0), array: Table.empty, stop: null }, Infinity, profile)
  if (stop !== null) return stop.why === 'error' ? stop.errno : stop.why === 'fault' ? (stop.write ? 'FW' : 'F') : 'w'
  const word = array.get(0)
  const order = mapOrder(word) === 0 ? '' : `:${mapOrder(word)}`
  if ((word & HMM_PFN_ERROR) !== 0) return 'ER'
  if ((word & HMM_PFN_VALID) !== 0) return `${(word & HMM_PFN_WRITE) === 0 ? 'V' : 'VW'}${order}`
  return word === 0 ? '0' : 'raw'
}

interface Row {
  readonly row: string
  readonly memory: Memory
  /** The answers to a snapshot and to a request: on v5.15, and on v5.16 and v6.0 where they differ. */
  readonly v5_15: readonly [string, string]
  readonly v5_16?: readonly [string, string]
  readonly v6_0?: readonly [string, string]
}
const page1 = present(ACCESSED | WRITE, pfn(7))
const raw = present(ACCESSED | SPECIAL, pfn(7))

const ROWS: readonly Row[] = [
  { row: 'after the last vma; no vma', memory: mapping(page1, null), v5_15: ['ER', 'EFAULT'] },
  { row: 'vma IO or PFNMAP', memory: mapping(raw, RW | VM_PFNMAP | VM_IO), v5_15: ['ER', 'EFAULT'] },
  {
    row: 'vma MIXEDMAP (000: snapshot of a vma created with vm_insert_page)',
    memory: mapping(page1, RW | VM_MIXEDMAP),
    v5_15: ['ER', 'EFAULT'],
    v5_16: ['VW', 'VW'],
  },
  { row: 'vma MIXEDMAP, special, no page', memory: mapping(raw, RW | VM_MIXEDMAP), v5_15: ['ER', 'EFAULT'] },
  { row: 'vma DAX (pte-mapped); DAX pte alive', memory: mapping(present(SPECIAL | DEVMAP | WRITE, pfn(7)), RW), v5_15: ['VW', 'VW'] },
  { row: 'vma DAX (pmd-mapped)', memory: mapping(present(DEVMAP, pfn(512)), RW, 'pmd'), v5_15: ['V:9', 'V:9'] },
  { row: 'vma without VM_READ', memory: mapping(page1, VM_WRITE), v5_15: ['ER', 'EFAULT'] },
  { row: 'hugetlb vma', memory: mapping(present(WRITE, pfn(512)), RW | VM_HUGETLB, 'pmd'), v5_15: ['VW:9', 'VW:9'] },
  { row: 'none', memory: mapping(0 as Entry, RW), v5_15: ['0', 'F'] },
  { row: 'swap', memory: mapping(swapEntry(slot(3), false), RW), v5_15: ['0', 'F'] },
  { row: 'device private own', memory: mapping(absent('!devpriv-w', OWN.first), RW), v5_15: ['VW', 'VW'] },
  {
    row: 'device private foreign',
    memory: mapping(absent('!devpriv-w', OWN.end), RW),
    v5_15: ['0', 'EFAULT'],
    v6_0: ['0', 'F'],
  },
  { row: 'migration pte', memory: mapping(absent('!migr-r', 7), RW), v5_15: ['0', 'w'] },
  { row: 'exclusive', memory: mapping(absent('!excl-w', 7), RW), v5_15: ['0', 'F'] },
  { row: 'hwpoison/other', memory: mapping(absent('!hwpoison', 7), RW), v5_15: ['0', 'EFAULT'] },
  { row: 'zero page', memory: mapping(present(ACCESSED | SPECIAL, ZERO_PFN), RW), v5_15: ['V', 'V'] },
  { row: 'special, no page', memory: mapping(raw, RW), v5_15: ['ER', 'EFAULT'] },
  // The table says that the frame is there, without VALID: of such words nobody can tell more than that they are not valid.
  { row: 'pte protnone', memory: mapping(present(PROTNONE | ACCESSED, pfn(7)), RW), v5_15: ['0', 'F'] },
]

for (const { row, memory, v5_15, v5_16 = v5_15, v6_0 = v5_16 } of ROWS) {
  test(`2.15, ${row}`, () => {
    for (const [name, answers] of [
      ['v5.15', v5_15],
      ['v5.16', v5_16],
      ['v6.0', v6_0],
      ['v6.12', v6_0],
    ] as const)
      assert.equal([told(kernel(name), memory, 0), told(kernel(name), memory, HMM_PFN_VALID)], answers, name)
  })
}

test('2.15, write request on a !VM_WRITE vma, page RO: -EPERM', () => {
  const readOnly = mapping(present(ACCESSED, pfn(7)), VM_READ)
  for (const name of ['v5.15', 'v5.16', 'v6.0']) assert.is(told(kernel(name), readOnly, HMM_PFN_VALID | HMM_PFN_WRITE), 'EPERM', name)
})

test('2.7, row 15: a special entry that may not be written is faulted for writing first', () => {
  const special = mapping(raw, RW | VM_MIXEDMAP)
  assert.is(told(kernel('v5.15'), special, HMM_PFN_VALID | HMM_PFN_WRITE), 'EFAULT')
  assert.is(told(kernel('v5.16'), special, HMM_PFN_VALID | HMM_PFN_WRITE), 'FW')
})

test('0.5, 000: special pte on an arch without ARCH_HAS_PTE_SPECIAL: raw pfn VALID; then vm_normal_page() decides', () => {
  // Entries have no bit for it; of registers, nothing but their number says that there is no page.
  const registers = present(ACCESSED, MMIO_FIRST)
  const rows = [
    [mapping(registers, RW), ['V', 'ER']],
    [mapping(registers, RW | VM_MIXEDMAP), ['ER', 'ER']],
    [mapping(present(ACCESSED, pfn(7)), RW | VM_MIXEDMAP), ['ER', 'V']],
    [mapping(present(ACCESSED, ZERO_PFN), RW), ['V', 'V']],
  ] as const
  for (const [memory, answers] of rows) {
    assert.equal(
      ['v5.15', 'v5.16'].map(name => told(kernel(name), memory, 0)),
      answers,
    )
  }
})

test('1.3, v5.9-v6.15: a word has a frame, VALID, WRITE, ERROR and the order; nothing says special, empty or device private', () => {
  const huge = mapping(present(DEVMAP | WRITE, pfn(512)), RW, 'pmd')
  const range = { start: page(3), end: page(4), defaultFlags: 0, pfnFlagsMask: 0, owned: OWN }
  const { array } = walk(huge, MM, range, { last: page(3), array: Table.empty, stop: null }, Infinity, kernel('v5.15'))
  assert.equal([frameOf(array.get(3)), mapOrder(array.get(3))], [515, 9])
})

test('2.16, ~v6.19: a PMD-level device-private entry: own is VALID(+WRITE) with order 9; foreign is faulted if asked for, else ERROR', () => {
  const large = (kind: '!devpriv-r' | '!devpriv-w' | '!migr-r', frame: number): readonly string[] => {
    const memory = mapping(absent(kind, frame), RW, 'pmd')
    return [0, HMM_PFN_VALID, HMM_PFN_VALID | HMM_PFN_WRITE].map(asked => told(kernel('v7.1'), memory, asked))
  }
  assert.equal(large('!devpriv-w', OWN.first), ['VW:9', 'VW:9', 'VW:9'])
  // Its own it is not given anew, though it may not write it.
  assert.equal(large('!devpriv-r', OWN.first), ['V:9', 'V:9', 'V:9'])
  assert.equal(large('!devpriv-w', OWN.end), ['ER', 'F', 'FW'])
  assert.equal(large('!migr-r', 7), ['ER', 'w', 'w'])
})

test('2.16, ~v6.17: which entries have no page vm_normal_page() alone says; pages of DAX are like others', () => {
  assert.equal(
    [0, HMM_PFN_VALID].map(asked => told(kernel('v7.1'), mapping(present(ACCESSED | WRITE, pfn(512)), RW, 'pmd'), asked)),
    ['VW:9', 'VW:9'],
  )
  assert.equal(
    [0, HMM_PFN_VALID].map(asked => told(kernel('v7.1'), mapping(raw, RW | VM_MIXEDMAP), asked)),
    ['ER', 'EFAULT'],
  )
})

test.run()
