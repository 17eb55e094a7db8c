/** The walk of `hmm_range_fault()` against a page-by-page reading of the kernel's rules, whole and cut by any budget. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { indexAt, page, pfn, slot, type Page } from '../../src/memory/address.ts'
import {
  absent,
  ACCESSED,
  frameOf,
  isMigration,
  isPresent,
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
import { VM_READ, VM_WRITE, vmaAt, vmasIn, type Vma } from '../../src/memory/vma.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID, HMM_PFN_WRITE, walk, type HmmRange, type Stop, type Walk } from '../../src/walker/hmm.ts'

const MM = 'mm0'
/** Two PTE tables meet at page 512; the walks go around it. */
const FIRST = 496
const LAST = 528

const entry: fc.Arbitrary<Entry> = fc.oneof(
  { arbitrary: fc.constant(NONE), weight: 3 },
  {
    arbitrary: fc
      .tuple(fc.boolean(), fc.integer({ min: 2, max: 99 }))
      .map(([write, frame]) => present(ACCESSED | (write ? WRITE : 0), pfn(frame))),
    weight: 4,
  },
  { arbitrary: fc.constantFrom(present(ACCESSED | SPECIAL, ZERO_PFN), present(ACCESSED | SPECIAL | WRITE, pfn(7))), weight: 1 },
  { arbitrary: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean()).map(([n, own]) => swapEntry(slot(n), own)), weight: 1 },
  {
    arbitrary: fc
      .tuple(fc.constantFrom('!devpriv-r', '!devpriv-w', '!excl-w', '!migr-r', '!migr-w'), fc.integer({ min: 2, max: 99 }))
      .map(([kind, frame]) => absent(kind, frame)),
    weight: 2,
  },
)

/** Areas that lie one behind the other with gaps, and entries; which of the two PTE tables are there. */
const memory: fc.Arbitrary<Memory> = fc
  .record({
    areas: fc.array(
      fc.tuple(
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(0, VM_READ, VM_READ | VM_WRITE, VM_READ | VM_WRITE),
      ),
      { maxLength: 5 },
    ),
    entries: fc.array(entry, { minLength: LAST - FIRST, maxLength: LAST - FIRST }),
    low: fc.boolean(),
    high: fc.boolean(),
  })
  .map(({ areas, entries: list, low, high }) => {
    const vmas: Vma[] = []
    let at = FIRST
    for (const [gap, count, flags] of areas) {
      vmas.push({
        start: page(at + gap),
        end: page(at + gap + count),
        flags,
        pgoff: at + gap,
        anonVma: 1,
        linked: [1],
        order: 1,
        anonOrder: 0,
        file: '',
      })
      at += gap + count
    }
    const tables: Fact[] = [entries('pgd', MM, 0, 1, TABLE), entries('pud', MM, 0, 1, TABLE)]
    if (low) tables.push(entries('pmd', MM, 0, 1, TABLE))
    if (high) tables.push(entries('pmd', MM, 1, 1, TABLE))
    const mapped = list.flatMap((e, i): readonly Fact[] => {
      const p = page(FIRST + i)
      if (e === NONE || vmaAt(vmas, p) === undefined || !(p < 512 ? low : high)) return []
      return [entries('pte', MM, p, 1, e)]
    })
    return fold(bootMemory([MM]), [['vmas', MM, 0, 0, vmas], ...tables, ...mapped])
  })

const flags = fc.constantFrom(0, HMM_PFN_VALID, HMM_PFN_WRITE, HMM_PFN_VALID | HMM_PFN_WRITE)
interface Asked {
  readonly range: HmmRange
  readonly requests: Table
}
const asked: fc.Arbitrary<Asked> = fc
  .record({
    from: fc.integer({ min: FIRST, max: LAST - 1 }),
    count: fc.integer({ min: 1, max: LAST - FIRST }),
    flags,
    mask: flags,
    owned: fc.constantFrom(null, { first: pfn(30), end: pfn(60) }),
    requests: fc.array(flags, { minLength: LAST - FIRST, maxLength: LAST - FIRST }),
  })
  .map(({ from, count, flags: defaultFlags, mask: pfnFlagsMask, owned, requests }) => ({
    range: { start: page(from), end: page(Math.min(LAST, from + count)), defaultFlags, pfnFlagsMask, owned },
    requests: Table.empty.update(FIRST, LAST - FIRST, (_, i) => requests[i - FIRST] ?? 0),
  }))

/** What happens at page `p` and why, read page by page from the kernel's rules. */
function naive(mem: Memory, { range, requests }: Asked): { readonly words: readonly number[]; readonly stop: string | null } {
  const mm = mmOf(mem, MM)
  const words: number[] = []
  const request = (p: number): number => (requests.get(p) & range.pfnFlagsMask) | range.defaultFlags
  const wants = (p: number, has: number): 'no' | 'read' | 'write' => {
    if ((request(p) & HMM_PFN_VALID) === 0) return 'no'
    if ((request(p) & HMM_PFN_WRITE) !== 0 && (has & HMM_PFN_WRITE) === 0) return 'write'
    return (has & HMM_PFN_VALID) === 0 ? 'read' : 'no'
  }
  const anyOf = (start: number, end: number): 'no' | 'read' | 'write' => {
    const all = new Set(Array.from({ length: end - start }, (_, i) => wants(start + i, 0)))
    return all.has('write') ? 'write' : all.has('read') ? 'read' : 'no'
  }
  for (let p: Page = range.start; p < range.end;) {
    const vma = vmaAt(mm.vmas, p)
    const areaEnd = Math.min(range.end, vma?.end ?? vmasIn(mm.vmas, p, range.end)[0]?.start ?? range.end)
    const readable = vma !== undefined && (vma.flags & VM_READ) !== 0
    const hole = readable && mm.pmd.get(indexAt('pmd', p)) === NONE
    const partEnd = hole || readable ? Math.min(areaEnd, p < 512 ? 512 : 1024) : areaEnd
    if (!readable || hole) {
      const need = anyOf(p, partEnd)
      if (!readable && need !== 'no') return { words, stop: 'EFAULT' }
      if (need === 'write' && vma !== undefined && (vma.flags & VM_WRITE) === 0) return { words, stop: 'EPERM' }
      if (need !== 'no') return { words, stop: `fault to ${partEnd} ${need}` }
      while (p < partEnd) {
        words.push(readable ? 0 : HMM_PFN_ERROR)
        p = page(p + 1)
      }
      continue
    }
    const e = mm.pte.get(p)
    const frame = frameOf(e)
    const own = range.owned !== null && range.owned.first <= frame && frame < range.owned.end && kindOf(e).startsWith('!devpriv')
    const writable = isPresent(e) ? isWritable(e) : kindOf(e) === '!devpriv-w'
    const has = isPresent(e) || own ? HMM_PFN_VALID | (writable ? HMM_PFN_WRITE : 0) : 0
    // Device-private pages of the caller are reported, never faulted in.
    const need = own ? 'no' : wants(p, has)
    if (need !== 'no' && isMigration(e)) return { words, stop: `migration of ${frame}` }
    if (need === 'write' && (vma.flags & VM_WRITE) === 0) return { words, stop: 'EPERM' }
    if (need !== 'no') return { words, stop: `fault to ${partEnd} ${need}` }
    const raw = isPresent(e) && (e & SPECIAL) !== 0 && frame !== ZERO_PFN
    if (raw && wants(p, 0) !== 'no') return { words, stop: 'EFAULT' }
    words.push(raw ? HMM_PFN_ERROR : has === 0 ? 0 : has | (frame << 8))
    p = page(p + 1)
  }
  return { words, stop: null }
}

const begin = ({ range, requests }: Asked): Walk => ({ last: range.start, array: requests, stop: null })
function told({ range }: Asked, walked: Walk): { readonly words: readonly number[]; readonly stop: string | null } {
  const { stop } = walked
  const why = (s: Stop): string => {
    if (s.why === 'error') return s.errno
    return s.why === 'migration' ? `migration of ${s.frame}` : `fault to ${s.end} ${s.write ? 'write' : 'read'}`
  }
  return {
    words: Array.from({ length: walked.last - range.start }, (_, i) => walked.array.get(range.start + i)),
    stop: stop === null ? null : why(stop),
  }
}

test('with an open budget: what the rules say, page by page', () => {
  fc.assert(
    fc.property(memory, asked, (mem, a) => {
      assert.equal(told(a, walk(mem, MM, a.range, begin(a), Infinity)), naive(mem, a))
    }),
    { numRuns: 3000 },
  )
})

test('any budget comes to the same in more steps', () => {
  fc.assert(
    fc.property(memory, asked, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }), (mem, a, budgets) => {
      let walked = begin(a)
      for (let i = 0; walked.last < a.range.end && walked.stop === null; i++) {
        const before = walked.last
        walked = walk(mem, MM, a.range, walked, budgets[i % budgets.length] ?? 1)
        assert.ok(walked.last > before || walked.stop !== null)
      }
      const open = walk(mem, MM, a.range, begin(a), Infinity)
      assert.equal([walked.last, walked.stop, walked.array.toJSON()], [open.last, open.stop, open.array.toJSON()])
    }),
    { numRuns: 1000 },
  )
})

test('requests stand in the array behind where a walk stopped', () => {
  fc.assert(
    fc.property(memory, asked, (mem, a) => {
      const walked = walk(mem, MM, a.range, begin(a), Infinity)
      for (let p: number = walked.last; p < LAST; p++) assert.is(walked.array.get(p), a.requests.get(p))
    }),
  )
})

test.run()
