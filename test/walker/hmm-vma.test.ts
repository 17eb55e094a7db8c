/** The walk of `hmm_vma_fault()` (Linux 4.14) against a page-by-page reading of its rules, whole and cut by any budget. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { indexAt, page, pfn, slot } from '../../src/memory/address.ts'
import {
  absent,
  ACCESSED,
  frameOf,
  isMigration,
  isPresent,
  isSwap,
  isWritable,
  kindOf,
  NONE,
  present,
  SPECIAL,
  swapEntry,
  TABLE,
  WRITE,
  type Entry,
} from '../../src/memory/entry.ts'
import { entries, type Fact } from '../../src/memory/facts.ts'
import { fold } from '../../src/memory/fold.ts'
import { bootMemory, mmOf, ZERO_PFN, type Memory } from '../../src/memory/memory.ts'
import { Table } from '../../src/memory/table.ts'
import { HMM_PFN_VALID, HMM_PFN_WRITE } from '../../src/walker/hmm.ts'
import { walkVma, type VmaRange, type VmaWalk } from '../../src/walker/hmm-vma.ts'

const MM = 'mm0'
/** Two PTE tables meet at page 512. */
const FIRST = 500
const LAST = 524

const entry: fc.Arbitrary<Entry> = fc.oneof(
  { arbitrary: fc.constant(NONE), weight: 1 },
  {
    arbitrary: fc
      .tuple(fc.boolean(), fc.integer({ min: 2, max: 99 }))
      .map(([write, frame]) => present(ACCESSED | (write ? WRITE : 0), pfn(frame))),
    weight: 9,
  },
  { arbitrary: fc.constant(present(ACCESSED | SPECIAL, ZERO_PFN)), weight: 1 },
  { arbitrary: fc.integer({ min: 1, max: 9 }).map(n => swapEntry(slot(n), false)), weight: 1 },
  { arbitrary: fc.constantFrom('!devpriv-r' as const, '!devpriv-w' as const, '!migr-r' as const).map(kind => absent(kind, 30)), weight: 2 },
)

const memory: fc.Arbitrary<Memory> = fc
  .record({
    list: fc.array(entry, { minLength: LAST - FIRST, maxLength: LAST - FIRST }),
    low: fc.boolean(),
    high: fc.boolean(),
  })
  .map(({ list, low, high }) => {
    const tables: Fact[] = [entries('pgd', MM, 0, 1, TABLE), entries('pud', MM, 0, 1, TABLE)]
    if (low) tables.push(entries('pmd', MM, 0, 1, TABLE))
    if (high) tables.push(entries('pmd', MM, 1, 1, TABLE))
    const mapped = list.flatMap((e, i): readonly Fact[] =>
      e === NONE || !(FIRST + i < 512 ? low : high) ? [] : [entries('pte', MM, FIRST + i, 1, e)],
    )
    return fold(bootMemory([MM]), [...tables, ...mapped])
  })

const range: fc.Arbitrary<VmaRange> = fc
  .record({
    from: fc.integer({ min: FIRST, max: LAST - 1 }),
    count: fc.integer({ min: 1, max: LAST - FIRST }),
    fault: fc.constantFrom(null, 'read' as const, 'write' as const),
  })
  .map(({ from, count, fault }) => ({ start: page(from), end: page(Math.min(LAST, from + count)), fault }))

/** The words up to where the walk stops, and why it stops, part by part. */
function naive(mem: Memory, { start, end, fault }: VmaRange): { readonly words: readonly number[]; readonly stop: string | null } {
  const { pmd, pte } = mmOf(mem, MM)
  const words: number[] = []
  for (const [from, to] of [
    [start, Math.min(end, 512)],
    [Math.max(start, 512), end],
  ] as const) {
    const before = words.length
    const again = { words: words.slice(0, before), stop: `fault ${from} to ${to}` }
    if (from < to && pmd.get(indexAt('pmd', page(from))) === NONE && fault !== null) return again
    for (let p = from; p < to; p++) {
      const e = pte.get(p)
      const kind = kindOf(e)
      const writable = isPresent(e) ? isWritable(e) : kind === '!devpriv-w'
      const there = isPresent(e) || kind.startsWith('!devpriv')
      if (fault !== null && isMigration(e)) return { words, stop: `migration of ${frameOf(e)}` }
      if (fault !== null && (e === NONE || isSwap(e))) return again
      if (there && fault === 'write' && !writable) return again
      words.push(there ? frameOf(e) * 256 + HMM_PFN_VALID + (writable ? HMM_PFN_WRITE : 0) : 0)
    }
  }
  return { words, stop: null }
}

const told = ({ array, last, stop }: VmaWalk, { start }: VmaRange): ReturnType<typeof naive> => ({
  words: Array.from({ length: last - start }, (_, i) => array.get(start + i)),
  stop: stop === null ? null : stop.why === 'fault' ? `fault ${stop.start} to ${stop.end}` : `migration of ${stop.frame}`,
})

test('the walk is what its rules say page by page', () => {
  fc.assert(
    fc.property(memory, range, (mem, asked) => {
      const walked = walkVma(mem, MM, asked, { last: asked.start, array: Table.empty, stop: null }, Infinity)
      assert.equal(told(walked, asked), naive(mem, asked))
    }),
  )
})

test('a walk that is cut by its budget goes on where it was', () => {
  fc.assert(
    fc.property(memory, range, fc.integer({ min: 1, max: 7 }), (mem, asked, budget) => {
      const begin: VmaWalk = { last: asked.start, array: Table.empty, stop: null }
      let walked = walkVma(mem, MM, asked, begin, budget)
      while (walked.stop === null && walked.last < asked.end) walked = walkVma(mem, MM, asked, walked, budget)
      assert.equal(told(walked, asked), told(walkVma(mem, MM, asked, begin, Infinity), asked))
    }),
  )
})

test.run()
