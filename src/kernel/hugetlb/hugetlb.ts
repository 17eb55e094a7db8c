/** Faults on 2 MiB pages of the pool, and copy-on-write of them (mm/hugetlb.c). They are never split. */
import { indexAt, PMD_PAGES, pmdEnd, pmdStart, type Page, type Pfn } from '../../memory/address.ts'
import { ACCESSED, DIRTY, frameOf, isPresent, isWritable, NONE, present, withFlags, WRITE, type Entry } from '../../memory/entry.ts'
import { cached, entries, type Fact } from '../../memory/facts.ts'
import { EXCLUSIVE, folioMapcount, isAnon, isExclusive } from '../../memory/frames.ts'
import { fileOf, mmOf, PAGE_SIZE, type Memory, type MmName } from '../../memory/memory.ts'
import { entryAt } from '../../memory/pagetable.ts'
import { has, HPAGE_RESV_OWNER, HPAGE_RESV_UNMAPPED, linearIndex, VM_MAYSHARE, VM_WRITE, type Vma } from '../../memory/vma.ts'
import { section, type Agenda, type Fault, type Item, type Outcome, type Rules } from '../agenda.ts'
import { faultingVma, goesOn, pageProt, prepared, written } from '../faults/faulting.ts'
import { copied, flagged, hugeUnmapped } from '../pages/folio.ts'
import { hugeIndex, takePoolPage } from './hugetlb-pool.ts'
import type { Profile } from '../profiles.ts'

/** What an entry has that a write makes: in older kernels it may be written then, whatever the area says. */
const hugeWritten = (vma: Vma, profile: Profile): number => (profile.hugetlbForcedWrites ? WRITE | DIRTY : written(vma))

/** The entry of a page's 2 MiB. */
const entryFact = (mm: MmName, at: Page, entry: Entry): Fact => entries('pmd', mm, indexAt('pmd', at), 1, entry)

/** `hugetlb_add_new_anon_rmap()` */
const newRmap = (vma: Vma, at: Page, frame: Pfn): readonly Fact[] => [
  ['hugeMaps', frame, 1, 1],
  ['anonVma', frame, PMD_PAGES, vma.anonVma, 0],
  ['index', frame, PMD_PAGES, linearIndex(vma, pmdStart(at)), 1],
]

/** `hugetlb_no_page()`: memory of the process's own is a page from the start, also for a read. */
function noPage(memory: Memory, item: Fault, vma: Vma, profile: Profile): Outcome {
  const { mm, page: at, access } = item
  if (has(vma, HPAGE_RESV_UNMAPPED)) return { fail: 'VM_FAULT_SIGBUS' }
  if (has(vma, VM_MAYSHARE)) return sharedPage(memory, item, vma, profile)
  if (vma.anonVma === 0) return prepared(item)
  const taken = takePoolPage(memory, vma, hugeIndex(vma, at), 'anon', profile)
  if (taken === undefined) return { fail: 'VM_FAULT_SIGBUS' }
  const entry = present(pageProt(vma) | (access === 'write' ? hugeWritten(vma, profile) : 0), taken.frame)
  return { facts: [...taken.facts, ...newRmap(vma, at, taken.frame), entryFact(mm, at, entry)] }
}

/** Shared memory is a page of its file, writable at once where the area is. */
function sharedPage(memory: Memory, { mm, page: at }: Fault, vma: Vma, profile: Profile): Outcome {
  const index = hugeIndex(vma, at)
  const { cache, size } = fileOf(memory, vma.file)
  const known = cache.get(index)
  const mapped = (frame: Pfn): readonly Fact[] => [
    ['hugeMaps', frame, 1, 1],
    ['refs', frame, 1, 1],
    entryFact(mm, at, present(pageProt(vma) | (has(vma, VM_WRITE) ? written(vma) : 0), frame)),
  ]
  if (isPresent(known)) return { facts: mapped(frameOf(known)) }
  if (index >= Math.floor(size / PAGE_SIZE / PMD_PAGES)) return { fail: 'VM_FAULT_SIGBUS' }
  const taken = takePoolPage(memory, vma, index, 'file', profile)
  if (taken === undefined) return { fail: 'VM_FAULT_SIGBUS' }
  return { facts: [...taken.facts, cached(vma.file, index, present(0, taken.frame)), ...mapped(taken.frame)] }
}

/** `hugetlb_wp()`: a page that nobody else maps is used again, however many have references to it; else it is copied. */
function wp(memory: Memory, item: Fault, vma: Vma, old: Entry, profile: Profile): Outcome {
  const { mm, page: at, access } = item
  const { frames } = memory
  const frame = frameOf(old)
  const writable = entryFact(mm, at, withFlags(old, WRITE | DIRTY))
  if (has(vma, VM_MAYSHARE)) return access === 'unshare' ? {} : { facts: [writable] }
  if (isAnon(frames, frame) && folioMapcount(frames, frame) === 1) {
    const own: readonly Fact[] =
      !profile.tracksExclusive || isExclusive(frames, frame)
        ? []
        : [...flagged(frames, frame, EXCLUSIVE), ['anonVma', frame, PMD_PAGES, vma.anonVma, 0]]
    const facts = access === 'unshare' ? own : [...own, writable]
    return facts.length === 0 ? {} : { facts }
  }
  if (vma.anonVma === 0) return prepared(item)
  const taken = takePoolPage(memory, vma, hugeIndex(vma, at), 'anon', profile)
  if (taken === undefined)
    return has(vma, HPAGE_RESV_OWNER)
      ? { then: [...unmapRefPrivate(memory, vma, at, frame, profile), ...(goesOn('handle_mm_fault', item).then ?? [])] }
      : { fail: 'VM_FAULT_SIGBUS' }
  const copy: Item<'hugetlb_cow'> = { do: 'hugetlb_cow', mm, page: at, access, old, frame: taken.frame }
  return { facts: taken.facts, then: section({ mm, event: 'CLEAR', start: pmdStart(at), end: pmdEnd(at) }, [copy]) }
}

/** `unmap_ref_private()`: the pool is empty, and the page is the owner's: those who have it of him lose it, for good. */
function unmapRefPrivate(memory: Memory, owner: Vma, at: Page, frame: Pfn, profile: Profile): Agenda {
  const index = linearIndex(owner, pmdStart(at))
  const event = profile.hugetlbUnmapNotifies ? 'UNMAP' : 'CLEAR'
  return Object.entries(memory.mms).flatMap(([mm, { vmas }]) =>
    vmas
      .filter(v => v.file === owner.file && !has(v, HPAGE_RESV_OWNER) && v.pgoff <= index && index < v.pgoff + (v.end - v.start))
      .flatMap(() =>
        section({ mm, event, start: pmdStart(at), end: pmdEnd(at) }, [{ do: 'unmap_ref_private', mm, page: pmdStart(at), folio: frame }]),
      ),
  )
}

export const hugetlbRules = {
  hugetlb_fault: (memory, item, { profile }) => {
    const vma = faultingVma(memory, item)
    const { mm, page: at, access } = item
    const entry = entryAt(mmOf(memory, mm), 'pmd', at)
    if (entry === NONE) return noPage(memory, item, vma, profile)
    if (access === 'read') return {}
    if (!isWritable(entry)) return wp(memory, item, vma, entry, profile)
    const marked = access === 'write' ? withFlags(entry, ACCESSED | DIRTY) : entry
    return marked === entry ? {} : { facts: [entryFact(mm, at, marked)] }
  },

  // The page for the copy was taken before the section began; what is to be copied may have changed since.
  hugetlb_cow: (memory, item, { profile }) => {
    const { mm, page: at, access, old, frame } = item
    if (entryAt(mmOf(memory, mm), 'pmd', at) !== old) return { facts: [['refs', frame, 1, -1]] }
    const vma = faultingVma(memory, item)
    const entry = present(pageProt(vma) | (access === 'unshare' ? 0 : hugeWritten(vma, profile)), frame)
    return {
      facts: [
        ...copied(memory.frames, frameOf(old), frame, PMD_PAGES),
        ...newRmap(vma, at, frame),
        entryFact(mm, at, entry),
        ...hugeUnmapped(frameOf(old)),
      ],
    }
  },
} satisfies Partial<Rules>
