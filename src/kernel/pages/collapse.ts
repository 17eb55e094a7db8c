/** `MADV_COLLAPSE`: the small pages of 2 MiB blocks become huge ones (mm/khugepaged.c). */
import { indexAt, page, PMD_PAGES, pmdStart, type Page, type Pfn } from '../../memory/address.ts'
import { frameOf, isPresent, isWritable, NONE, present, TABLE, type Entry } from '../../memory/entry.ts'
import { hasPage } from '../../memory/normal-page.ts'
import { entries, type Fact } from '../../memory/facts.ts'
import { folioMapcount, folioSize, frameKind, headOf } from '../../memory/frames.ts'
import { mmOf, type Memory, type Mm, type MmName } from '../../memory/memory.ts'
import { entryAt, hasPmdTable } from '../../memory/pagetable.ts'
import { has, isAnonymous, VM_HUGETLB, VM_NOHUGEPAGE, VM_SPECIAL, vmaAt, type Vma } from '../../memory/vma.ts'
import { section, writeLocked, type Agenda, type Item, type Outcome, type Rules } from '../agenda.ts'
import type { Failure } from '../failure.ts'
import { faultingVma, pageProt, written } from '../faults/faulting.ts'
import { contents, unmapped } from './folio.ts'
import { holdsBlock, newHugeAnon } from '../faults/huge.ts'
import { LRU_ADD_DRAIN, mlocked } from './lru-batch.ts'
import type { Profile } from '../profiles.ts'
import { slotCaching } from '../faults/swapcache.ts'

/** Could the area have huge pages at all, advised or not? `hugepage_vma_check()`; shared memory is not modelled here. */
const mayCollapse = (vma: Vma): boolean =>
  isAnonymous(vma) && vma.anonVma !== 0 && !has(vma, VM_NOHUGEPAGE | VM_SPECIAL | VM_HUGETLB) && holdsBlock(vma, page(vma.end - PMD_PAGES))

/** What stands in the way of a block, if anything: a failure, which may end the call, or pages that have to come back first. */
type Scanned = 'huge already' | 'can be' | 'not all present' | { readonly failure: Failure; readonly ends: boolean }
const failed = (failure: Failure, ends = false): Scanned => ({ failure, ends })

/** `is_refcount_suitable()`: nobody has the folio but who maps it, and the swap cache. */
function isUsed({ frames, swap }: Memory, head: Pfn): boolean {
  const cached = slotCaching(swap, head) === undefined ? 0 : folioSize(frames, head)
  return frames.refs.get(head) !== folioMapcount(frames, head) + cached
}

/** `hpage_collapse_scan_pmd()` */
function scan(memory: Memory, mm: MmName, at: Page, profile: Profile): Scanned {
  const as = mmOf(memory, mm)
  const pmd = entryAt(as, 'pmd', at)
  if (isPresent(pmd)) return 'huge already'
  return pmd === TABLE ? scanPtes(memory, as, at, profile) : failed('EINVAL', hasPmdTable(as, at))
}

function scanPtes(memory: Memory, as: Mm, at: Page, { collapseNeedsWritable }: Profile): Scanned {
  let [writable, absent, checked] = [false, false, -1]
  for (let p = as.pte.next(at, at + PMD_PAGES); p < at + PMD_PAGES; p = as.pte.next(p + 1, at + PMD_PAGES)) {
    const entry = as.pte.get(p)
    if (isPresent(entry) && !hasPage(entry)) continue
    if (!isPresent(entry)) {
      absent = true
      continue
    }
    writable ||= isWritable(entry)
    const frame = frameOf(entry)
    if (frameKind(memory.frames, frame) !== 'anon') return failed('EINVAL')
    const head = headOf(memory.frames, frame)
    if (head !== checked && isUsed(memory, head)) return failed('EAGAIN')
    checked = head
  }
  if (!writable && collapseNeedsWritable) return failed('EINVAL')
  return absent ? 'not all present' : 'can be'
}

/** Is everything there that the block has at all? */
function isAllPresent({ pte }: Mm, at: Page): boolean {
  for (let p = pte.next(at, at + PMD_PAGES); p < at + PMD_PAGES; p = pte.next(p + 1, at + PMD_PAGES))
    if (!isPresent(pte.get(p))) return false
  return true
}

/** The aligned 2 MiB of an address space that begin there. */
interface Block {
  readonly mm: MmName
  readonly at: Page
}

/** `__collapse_huge_page_copy()`: contents go into the new folio, and what held them is given back. */
function collapsed(memory: Memory, { mm, at }: Block, vma: Vma, profile: Profile): readonly Fact[] {
  const { pte } = mmOf(memory, mm)
  const { frame, facts } = newHugeAnon(memory, vma, at, profile)
  const old = Array.from({ length: PMD_PAGES }, (_, i) => pte.get(at + i) as Entry)
  const held = old.filter(entry => isPresent(entry) && hasPage(entry))
  const filled = old.flatMap((entry, i) => (isPresent(entry) ? [[frame + i, memory.frames.content.get(frameOf(entry))] as const] : []))
  return [
    ...facts,
    ...contents(
      memory.frames,
      filled.filter(([, value]) => value !== 0),
    ),
    entries('pte', mm, at, PMD_PAGES, NONE),
    ...mlocked(
      memory,
      vma,
      held.map(entry => ['mlock', frameOf(entry)]),
      profile,
    ),
    ...unmapped(memory.frames, held.map(frameOf)),
    entries('pmd', mm, indexAt('pmd', at), 1, present(pageProt(vma) | written(vma), frame)),
  ]
}

/** `__collapse_huge_page_swapin()`: what is swapped, or in a device's hands, comes back by faults, as far as it can. */
const swapIn = (memory: Memory, mm: MmName, at: Page): Agenda => {
  const { pte } = mmOf(memory, mm)
  const out: Page[] = []
  for (let p = page(pte.next(at, at + PMD_PAGES)); p < at + PMD_PAGES; p = page(pte.next(p + 1, at + PMD_PAGES)))
    if (!isPresent(pte.get(p))) out.push(p)
  return out.map(p => ({ do: 'handle_mm_fault', mm, page: p, access: 'read' }))
}

/** One block after the other; the answer is the last failure, unless all are huge in the end. */
function next(memory: Memory, item: Item<'madvise_collapse'>, profile: Profile): Outcome {
  const { mm, at, end, failure, tried } = item
  if (at >= end) return failure === null ? {} : { fail: failure }
  const found = scan(memory, mm, at, profile)
  const goOn: Item<'madvise_collapse'> = { ...item, at: page(at + PMD_PAGES), tried: false }
  if (found === 'huge already') return { then: [goOn] }
  if (typeof found === 'object') return found.ends ? { fail: found.failure } : { then: [{ ...goOn, failure: found.failure }] }
  if (tried) return { then: [{ ...goOn, failure: 'EINVAL' }] }
  const body = [{ do: 'collapse_huge_page', mm, at }] as const
  const told = !profile.bugs.includes('collapseUntold')
  const collapse = told ? section({ mm, event: 'CLEAR', start: at, end: page(at + PMD_PAGES) }, body) : body
  return {
    then: [
      ...(found === 'can be' ? [] : swapIn(memory, mm, at)),
      { do: 'mmap_unlock', mm },
      ...writeLocked(mm, [{ do: 'collapse_begin', mm, at, body: collapse }]),
      { do: 'mmap_read_relock', mm },
      { ...item, tried: true },
    ],
  }
}

export const collapseRules = {
  madvise_collapse: (memory, item, { profile }) => next(memory, item, profile),
  // With the lock for writing, the area and its table are looked at again.
  collapse_begin: (memory, { mm, at, body }) => {
    const vma = vmaAt(mmOf(memory, mm).vmas, at)
    const still = vma !== undefined && mayCollapse(vma) && holdsBlock(vma, at) && entryAt(mmOf(memory, mm), 'pmd', at) === TABLE
    return still ? { then: body } : {}
  },
  // `pmdp_collapse_flush()`: nobody comes to the table any more but who has been there before.
  collapse_huge_page: (_, { mm, at }) => ({
    facts: [entries('pmd', mm, indexAt('pmd', at), 1, NONE)],
    then: [{ do: 'collapse_isolate', mm, at }],
  }),
  // `__collapse_huge_page_isolate()`: if the pages are still nobody else's, they are taken; else the table is hung in again.
  collapse_isolate: (memory, { mm, at }, { profile }) =>
    scanPtes(memory, mmOf(memory, mm), at, profile) === 'can be'
      ? { facts: [], then: [{ do: 'collapse_copy', mm, at }] }
      : { facts: [entries('pmd', mm, indexAt('pmd', at), 1, TABLE)] },
  // The folios are locked meanwhile: reclaim that gets at one of them all the same is taken to have come first.
  collapse_copy: (memory, { mm, at }, { profile }) =>
    isAllPresent(mmOf(memory, mm), at)
      ? { facts: collapsed(memory, { mm, at }, faultingVma(memory, { mm, page: at }), profile) }
      : { facts: [entries('pmd', mm, indexAt('pmd', at), 1, TABLE)] },
} satisfies Partial<Rules>

/** `madvise_collapse()`: the aligned blocks within [start, end) of an area; a range that ends before its first block fails. */
export function collapse(mm: MmName, vma: Vma, start: Page, end: Page): Agenda | Failure {
  const [at, stop] = [pmdStart(page(start + PMD_PAGES - 1)), pmdStart(end)]
  if (!mayCollapse(vma) || stop < at) return 'EINVAL'
  return [...LRU_ADD_DRAIN, { do: 'madvise_collapse', mm, at, end: stop, failure: null, tried: false }]
}
