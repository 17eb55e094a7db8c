/** `MADV_COLLAPSE`: the small pages of 2 MiB blocks become huge ones (mm/khugepaged.c). */
import { indexAt, page, PMD_PAGES, pmdStart, type Page } from '../memory/address.ts'
import { frameOf, isPresent, isWritable, NONE, present, SPECIAL, TABLE, type Entry } from '../memory/entry.ts'
import { entries, type Fact } from '../memory/facts.ts'
import { folioMapcount, frameKind, headOf } from '../memory/frames.ts'
import { mmOf, type Memory, type MmName } from '../memory/memory.ts'
import { entryAt } from '../memory/pagetable.ts'
import { has, isAnonymous, VM_HUGETLB, VM_NOHUGEPAGE, VM_SPECIAL, vmaAt, type Vma } from '../memory/vma.ts'
import { section, writeLocked, type Agenda, type Item, type Outcome, type Rules } from './agenda.ts'
import type { Failure } from './failure.ts'
import { pageProt, written } from './faulting.ts'
import { contents, unmapped } from './folio.ts'
import { holdsBlock, newHugeAnon } from './huge.ts'
import { slotCaching } from './swapcache.ts'

/** Could the area have huge pages at all, advised or not? `hugepage_vma_check()`; shared memory is not modelled here. */
const mayCollapse = (vma: Vma): boolean =>
  isAnonymous(vma) && vma.anonVma !== 0 && !has(vma, VM_NOHUGEPAGE | VM_SPECIAL | VM_HUGETLB) && holdsBlock(vma, page(vma.end - PMD_PAGES))

type Scanned = 'huge already' | 'can be' | 'swapped' | Failure

/** `hpage_collapse_scan_pmd()`: what stands in the way of a block, if anything. */
function scan(memory: Memory, mm: MmName, at: Page): Scanned {
  const as = mmOf(memory, mm)
  const pmd = entryAt(as, 'pmd', at)
  if (isPresent(pmd)) return 'huge already'
  if (pmd !== TABLE) return 'EINVAL'
  const { frames, swap } = memory
  let writable = false
  let swapped = false
  for (let p = at; p < at + PMD_PAGES; p = page(p + 1)) {
    const entry = as.pte.get(p) as Entry
    if (entry === NONE || (isPresent(entry) && (entry & SPECIAL) !== 0)) continue
    if (!isPresent(entry)) {
      swapped = true
      continue
    }
    writable ||= isWritable(entry)
    const frame = frameOf(entry)
    if (frameKind(frames, frame) !== 'anon') return 'EINVAL'
    const head = headOf(frames, frame)
    const cached = slotCaching(swap, head) === undefined ? 0 : 1
    if (frames.refs.get(head) !== folioMapcount(frames, head) + cached) return 'EAGAIN'
  }
  if (!writable) return 'EINVAL'
  return swapped ? 'swapped' : 'can be'
}

/** `__collapse_huge_page_copy()`: contents go into the new folio, and what held them is given back. */
function collapsed(
  memory: Memory,
  { mm, at }: Item<'collapse_huge_page'>,
  vma: Vma,
  table: Entry,
  profile: Parameters<typeof newHugeAnon>[3],
): readonly Fact[] {
  const { pte } = mmOf(memory, mm)
  const { frame, facts } = newHugeAnon(memory, vma, at, profile)
  const old = Array.from({ length: PMD_PAGES }, (_, i) => pte.get(at + i) as Entry)
  const held = old.filter(entry => isPresent(entry) && (entry & SPECIAL) === 0)
  const filled = old.flatMap((entry, i) => (isPresent(entry) ? [[frame + i, memory.frames.content.get(frameOf(entry))] as const] : []))
  if (table !== TABLE) return []
  return [
    ...facts,
    ...contents(
      memory.frames,
      filled.filter(([, value]) => value !== 0),
    ),
    entries('pte', mm, at, PMD_PAGES, NONE),
    ...unmapped(memory.frames, held.map(frameOf)),
    entries('pmd', mm, indexAt('pmd', at), 1, present(pageProt(vma) | written(vma), frame)),
  ]
}

/** What is swapped, or in a device's hands, comes back by faults, as far as it can. */
const swapIn = (memory: Memory, mm: MmName, at: Page): Agenda => {
  const { pte } = mmOf(memory, mm)
  const out: Page[] = []
  for (let p = page(pte.next(at, at + PMD_PAGES)); p < at + PMD_PAGES; p = page(pte.next(p + 1, at + PMD_PAGES)))
    if (!isPresent(pte.get(p))) out.push(p)
  return out.map(p => ({ do: 'handle_mm_fault', mm, page: p, access: 'read' }))
}

/** The blocks, one after the other; the answer is the last failure, unless all became huge. */
function next(memory: Memory, item: Item<'madvise_collapse'>): Outcome {
  const { mm, at, end, failed } = item
  const over: Outcome = failed === null ? {} : { fail: failed }
  const vma = vmaAt(mmOf(memory, mm).vmas, at)
  if (at >= end) return over
  if (vma === undefined || !mayCollapse(vma)) return { fail: 'EINVAL' }
  const found = scan(memory, mm, at)
  const rest = (failure: Failure | null): Outcome => ({ then: [{ ...item, at: page(at + PMD_PAGES), failed: failure ?? failed }] })
  if (found === 'huge already') return rest(null)
  if (found !== 'can be' && found !== 'swapped') return rest(found)
  const block = section({ mm, event: 'CLEAR', start: at, end: page(at + PMD_PAGES) }, [])
  return {
    then: [
      ...(found === 'swapped' ? swapIn(memory, mm, at) : []),
      { do: 'mmap_unlock', mm },
      ...writeLocked(mm, [{ do: 'collapse_begin', mm, at, body: [...block, { do: 'collapse_huge_page', mm, at }] }]),
      { do: 'mmap_read_relock', mm },
      ...(rest(null).then ?? []),
    ],
  }
}

export const collapseRules = {
  madvise_collapse: (memory, item) => next(memory, item),
  // With the lock for writing, all is looked at again.
  collapse_begin: (memory, { mm, at, body }) => {
    const vma = vmaAt(mmOf(memory, mm).vmas, at)
    return vma !== undefined && holdsBlock(vma, at) && scan(memory, mm, at) === 'can be' ? { then: body } : {}
  },
  collapse_huge_page: (memory, item, { profile }) => {
    const vma = vmaAt(mmOf(memory, item.mm).vmas, item.at)
    if (vma === undefined) return {}
    const facts = collapsed(memory, item, vma, entryAt(mmOf(memory, item.mm), 'pmd', item.at), profile)
    return facts.length === 0 ? {} : { facts }
  },
} satisfies Partial<Rules>

/** The aligned blocks within [start, end). */
export const blocksIn = (start: Page, end: Page): { readonly at: Page; readonly end: Page } => ({
  at: pmdStart(page(start + PMD_PAGES - 1)),
  end: pmdStart(end),
})
