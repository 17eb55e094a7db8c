/** `fork()` (kernel/fork.c, mm/memory.c): a process with a copy of the address space; and its end. */
import { endAt, indexAt, page, PAGE_LIMIT, type Level, type Page, type Pfn } from '../../memory/address.ts'
import {
  absent,
  ACCESSED,
  DIRTY,
  frameOf,
  isPresent,
  isSwap,
  kindOf,
  NONE,
  readOnlyKind,
  slotOf,
  TABLE,
  withoutFlags,
  WRITE,
  type Entry,
} from '../../memory/entry.ts'
import { hasPage } from '../../memory/normal-page.ts'
import { entries, pte, type Fact } from '../../memory/facts.ts'
import { EXCLUSIVE, isAnon } from '../../memory/frames.ts'
import { HUGE_ZERO_PFN, mmOf, type FileName, type Memory, type Mm } from '../../memory/memory.ts'
import { leafAt } from '../../memory/pagetable.ts'
import { flushTlb } from '../../memory/tlb.ts'
import {
  findVma,
  has,
  HPAGE_RESV_OWNER,
  HPAGE_RESV_UNMAPPED,
  isAnonymous,
  isCow,
  VM_DONTCOPY,
  VM_HUGETLB,
  VM_LOCKED,
  VM_MIXEDMAP,
  VM_PFNMAP,
  VM_SHARED,
  VM_WIPEONFORK,
  type Vma,
} from '../../memory/vma.ts'
import { section, writeLocked, type Agenda, type Item, type Outcome, type Rules } from '../agenda.ts'
import { isExclusiveEntry } from '../test-hmm/exclusive-entry.ts'
import { flagged, mapped } from '../pages/folio.ts'
import { closed } from '../hugetlb/hugetlb-vma.ts'
import { overflowed, zapDrain } from '../pages/lru-batch.ts'
import { mmapLockOf } from '../names.ts'
import { call } from '../offer.ts'
import type { Profile } from '../profiles.ts'
import { freeAnonVma, nextOrder } from './vma.ts'

/** `vma_needs_copy()`: what a fault would bring back by itself is not copied. */
const needsCopy = (vma: Vma, { forkCopiesHugetlb }: Profile): boolean =>
  !has(vma, VM_WIPEONFORK) && (vma.anonVma !== 0 || has(vma, VM_PFNMAP | VM_MIXEDMAP | (forkCopiesHugetlb ? VM_HUGETLB : 0)))

/** `vma_interval_tree_insert_after()`: among the areas of a file the copy comes before copies that were made earlier. */
function orderBehind({ mms }: Memory, { order, file }: Vma): number {
  if (file === '') return order
  const later = Object.values(mms).flatMap(({ vmas }) => vmas.flatMap(v => (v.file === file && v.order > order ? [v.order] : [])))
  return (order + Math.min(Math.floor(order) + 1, ...later)) / 2
}

/** The area as the child has it: `anon_vma_fork()` gives it an `anon_vma` of its own, beside those of its parents. */
function copiedArea(memory: Memory, vma: Vma, profile: Profile): Vma {
  const copy = {
    ...vma,
    flags: vma.flags & ~(VM_LOCKED | HPAGE_RESV_OWNER | HPAGE_RESV_UNMAPPED),
    order: orderBehind(memory, vma),
    anonOrder: nextOrder(memory),
  }
  const wiped = has(vma, VM_WIPEONFORK)
  if (wiped ? !profile.wipedAreasPrepared : vma.anonVma === 0) return { ...copy, anonVma: 0, linked: [] }
  const own = freeAnonVma(memory.mms)
  if (wiped) return { ...copy, anonVma: own, linked: [own] }
  return { ...copy, anonVma: own, linked: [...vma.linked, own] }
}

/** One area after the other: `dup_mmap()`. */
function dupArea(memory: Memory, item: Item<'dup_mmap'>, profile: Profile): Outcome {
  const { mm, child, at } = item
  const vma = findVma(mmOf(memory, mm).vmas, at)
  if (vma === undefined) return {}
  const rest: Agenda = [{ ...item, at: vma.end }]
  if (has(vma, VM_DONTCOPY)) return { then: rest }
  return {
    facts: [['vmas', child, mmOf(memory, child).vmas.length, 0, [copiedArea(memory, vma, profile)]]],
    then: [...(needsCopy(vma, profile) ? copyEntries(item, vma, profile) : []), ...rest],
  }
}

function copyEntries({ mm, child }: Item<'dup_mmap'>, vma: Vma, { bugs }: Profile): Agenda {
  const { start, end } = vma
  const [cow, huge] = [isCow(vma), has(vma, VM_HUGETLB)]
  const copy: Agenda = huge
    ? [{ do: 'copy_hugetlb_page_range', mm, child, at: start, end, cow }]
    : [{ do: 'copy_page_range', mm, child, at: start, end, cow, shared: has(vma, VM_SHARED) }]
  return cow && !bugs.includes('forkUntold') ? section({ mm, event: huge ? 'CLEAR' : 'PROTECTION_PAGE', start, end }, copy) : copy
}

/** What the parent keeps of an entry, and what the child gets. */
interface Copied {
  readonly parent: Entry
  readonly child: Entry
}

/** `copy_present_pte()`, `copy_nonpresent_pte()`: neither may write what both have now. */
function copyEntry(entry: Entry, { cow, shared }: Item<'copy_page_range'>): Copied {
  if (isPresent(entry)) {
    const parent = cow ? withoutFlags(entry, WRITE) : entry
    return { parent, child: withoutFlags(parent, ACCESSED | (shared ? DIRTY : 0)) }
  }
  const kind = kindOf(entry) === '!swap-x' ? '!swap' : cow ? readOnlyKind(kindOf(entry), '!migr-r') : undefined
  const parent = kind === undefined ? entry : absent(kind, frameOf(entry))
  return { parent, child: parent }
}

/** The tables of the child down to a level, for a page. */
function childTables(memory: Memory, child: string, at: Page, above: readonly Exclude<Level, 'pte'>[]): readonly Fact[] {
  const mm = mmOf(memory, child)
  return above.flatMap(level => (mm[level].get(indexAt(level, at)) === NONE ? [entries(level, child, indexAt(level, at), 1, TABLE)] : []))
}

/** The tables above an entry of a level. */
const ABOVE: Readonly<Record<Level, readonly Exclude<Level, 'pte'>[]>> = {
  pgd: [],
  pud: ['pgd'],
  pmd: ['pgd', 'pud'],
  pte: ['pgd', 'pud', 'pmd'],
}

/** The next table's entries, or a huge one. The child has a table wherever the parent has one, also an empty one, but of PTEs. */
function copyRange(memory: Memory, item: Item<'copy_page_range'>, budget: number): Outcome {
  const { mm: name, child, at, end } = item
  const mm = mmOf(memory, name)
  if (at >= end) return {}
  const { level, index, entry } = leafAt(mm, at)
  const stop = endAt(level === 'pte' ? 'pmd' : level, at, end)
  const rest: Agenda = stop < end ? [{ ...item, at: stop }] : []
  if (level !== 'pte' && entry === NONE) {
    const tables = childTables(memory, child, at, ABOVE[level])
    return tables.length === 0 ? { then: rest } : { facts: tables, then: rest }
  }
  if (level !== 'pte') return copyHuge(memory, item, at, index, entry, rest)

  const facts: Fact[] = [...childTables(memory, child, at, ABOVE.pte)]
  const frames: Pfn[] = []
  let p = page(mm.pte.next(at, stop))
  let room = budget
  for (; p < stop && room > 0; room--, p = page(mm.pte.next(p + 1, stop))) {
    const small = mm.pte.get(p) as Entry
    if (isExclusiveEntry(small)) break
    const copied = copyEntry(small, item)
    if (copied.parent !== small) facts.push(pte(name, p, copied.parent))
    facts.push(pte(child, p, copied.child))
    if (isSwap(small)) facts.push(['swap-refs', slotOf(small), 1])
    else if (isPresent(small) ? hasPage(small) : kindOf(small).startsWith('!devpriv')) frames.push(frameOf(small))
  }
  const shared = frames.filter(frame => isAnon(memory.frames, frame))
  facts.push(...mapped(memory.frames, frames), ...shared.flatMap(frame => flagged(memory.frames, frame, 0, EXCLUSIVE)))
  // A device's exclusive access ends first: the process has the page again, and then they both do.
  const left = mm.pte.get(p)
  const restore: Agenda =
    p < stop && isExclusiveEntry(left) ? [{ do: 'restore_exclusive_pte', mm: name, page: p, folio: frameOf(left) }] : []
  return { facts, then: p < stop ? [...restore, { ...item, at: p }] : rest, cut: p < stop && room === 0 }
}

/** `copy_huge_pmd()`: of files, nothing is copied; of the huge zero page there is no count. */
function copyHuge(memory: Memory, item: Item<'copy_page_range'>, at: Page, index: number, entry: Entry, rest: Agenda): Outcome {
  const { mm, child } = item
  const vma = findVma(mmOf(memory, mm).vmas, at)
  if (vma === undefined || !isAnonymous(vma)) return { then: rest }
  const frame = frameOf(entry)
  const copied = copyEntry(entry, { ...item, cow: true })
  const counted: readonly Fact[] =
    frame === HUGE_ZERO_PFN ? [] : [['hugeMaps', frame, 1, 1], ['refs', frame, 1, 1], ...flagged(memory.frames, frame, 0, EXCLUSIVE)]
  return {
    facts: [
      ...childTables(memory, child, at, ABOVE.pmd),
      ...(copied.parent === entry ? [] : [entries('pmd', mm, index, 1, copied.parent)]),
      entries('pmd', child, index, 1, copied.child),
      ...counted,
    ],
    then: rest,
  }
}

const filesOf = ({ open, vmas }: Mm): readonly FileName[] => [...new Set([...open, ...vmas.map(v => v.file)])].filter(file => file !== '')

export const forkRules = {
  fork: (_, { mm, child, thread }) => ({
    then: [
      ...writeLocked(mm, [
        { do: 'dup_mm', mm, child },
        { do: 'dup_mmap', mm, child, at: page(0) },
      ]),
      { do: 'ret_from_fork', thread },
    ],
  }),
  // Entries are about to lose rights, all over: nothing is to be known of them.
  dup_mm: (memory, { mm, child }) => ({
    facts: [...flushTlb(mm, mmOf(memory, mm)), ...overflowed(memory), ['mm', child, true], ['open', child, mmOf(memory, mm).open]],
  }),
  dup_mmap: (memory, item, { profile }) => dupArea(memory, item, profile),
  copy_page_range: (memory, item, { budget }) => copyRange(memory, item, budget),
  ret_from_fork: (_, { thread }) => ({ calls: [call(thread, 'ret_from_fork')] }),

  // The last who uses the address space takes it down: here, who ends the process waits for the others. Nobody is told of what is
  // unmapped then: whoever listened was released before.
  exit: (memory, { mm }) => ({
    calls: [call(mmapLockOf(mm), 'mmput')],
    then: [
      { do: 'mmu_notifier_release', mm },
      { do: 'exit_mmap', mm },
      { do: 'exit_files', mm, files: filesOf(mmOf(memory, mm)) },
      { do: 'fail', failure: 'EXITED' },
    ],
  }),
  exit_mmap: (memory, { mm }, { profile }) => {
    const { vmas } = mmOf(memory, mm)
    return {
      facts: [['vmas', mm, 0, vmas.length, []]],
      then: [
        ...zapDrain(profile),
        ...vmas.map((v): Item =>
          has(v, VM_HUGETLB)
            ? { do: 'unmap_hugepage_range', mm, vma: v, at: v.start, end: v.end }
            : { do: 'unmap_page_range', mm, at: v.start, end: v.end },
        ),
        { do: 'free_pgtables', mm, start: page(0), end: PAGE_LIMIT },
        ...closed(vmas),
      ],
    }
  },
  // What it had mapped or open goes with it, unless somebody else has it too.
  exit_files: (_, { mm, files }) => ({ facts: [['mm', mm, false]], then: files.map(file => ({ do: 'fput', file })) }),
} satisfies Partial<Rules>
