/** `mprotect()` (mm/mprotect.c). */
import { endAt, indexAt, page, pageAt, pmdEnd, type Page } from '../../memory/address.ts'
import {
  absent,
  DIRTY,
  frameOf,
  isPresent,
  isWritable,
  kindOf,
  NONE,
  PROTNONE,
  readOnlyKind,
  withFlags,
  withoutFlags,
  WRITE,
  type Entry,
} from '../../memory/entry.ts'
import { hasPage } from '../../memory/normal-page.ts'
import { entries, pte, type Fact } from '../../memory/facts.ts'
import { isAnon, isExclusive } from '../../memory/frames.ts'
import { mmOf, type Frames, type Mm } from '../../memory/memory.ts'
import { leafAt } from '../../memory/pagetable.ts'
import {
  findVma,
  has,
  isAnonymous,
  VM_ACCESS_FLAGS,
  VM_ACCOUNT,
  VM_HUGETLB,
  VM_LOCKED,
  VM_SHARED,
  VM_WRITE,
  vmaAt,
  type Vma,
} from '../../memory/vma.ts'
import { section, writeLocked, type Cursor, type Rules } from '../agenda.ts'
import { pageProt } from '../faults/faulting.ts'
import { rightsOf } from './mmap.ts'
import type { Profile } from '../profiles.ts'
import { modified, splitHugePmd } from './vma.ts'
import { nextTable } from './zap.ts'

/** Accounting follows rights: private memory counts once it may be written, and in newer kernels not if it never was. */
function newFlags(vma: Vma, rights: number, profile: Profile): number {
  const flags = (vma.flags & ~VM_ACCESS_FLAGS) | rights
  if ((rights & VM_WRITE) !== 0) return has(vma, VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_HUGETLB) ? flags : flags | VM_ACCOUNT
  const drops = profile.mprotectDropsAccount && isAnonymous(vma) && vma.anonVma === 0
  return drops ? flags & ~VM_ACCOUNT : flags
}

/** Where the notifier section of [at, end) begins and ends: at the first populated entry, at most to the level above. */
function opening(
  mm: Mm,
  { at, end }: Cursor,
  opensAt: Profile['mprotectOpensAt'],
): { readonly start: Page; readonly end: Page } | undefined {
  const above = opensAt === 'pmd' ? 'pud' : 'pgd'
  for (let p = at; p < end;) {
    const stop = endAt(above, p, end)
    if (mm[above].get(indexAt(above, p)) !== NONE) {
      for (let q = p; q < stop; q = endAt(opensAt, q, stop))
        if (mm[opensAt].get(indexAt(opensAt, q)) !== NONE) return { start: q, end: stop }
    }
    p = stop
  }
  return undefined
}

/** Entries of 1 GiB, which a kernel that does not know them takes for damaged tables (`pud_none_or_clear_bad()`). */
function hugePuds(mm: Mm, at: Page, end: Page): readonly number[] {
  const found: number[] = []
  for (
    let i = mm.pud.next(indexAt('pud', at), indexAt('pud', page(end - 1)) + 1);
    pageAt('pud', i) < end;
    i = mm.pud.next(i + 1, indexAt('pud', page(end - 1)) + 1)
  )
    if (isPresent(mm.pud.get(i))) found.push(i)
  return found
}

/** `change_pte_range()` on one entry: the area's new rights, and write given back where no fault is needed to decide it. */
function changed(entry: Entry, vma: Vma, frames: Frames, profile: Profile): Entry {
  if (entry === NONE) return entry
  // Entries that are not present lose the right to write whatever the new rights are, and never get it back.
  const readOnly = readOnlyKind(kindOf(entry), '!migr-x')
  if (!isPresent(entry)) return readOnly === undefined ? entry : absent(readOnly, frameOf(entry))
  const kept = withRights(entry, vma)
  const restores = profile.mprotectRestoresWrite
  if (!has(vma, VM_WRITE)) return kept
  // Where a file hears of writes, it has heard of those to dirty pages.
  if (has(vma, VM_SHARED)) return (entry & DIRTY) === 0 ? kept : withFlags(kept, WRITE)
  if (!hasPage(entry) || restores === 'never') return kept
  const frame = frameOf(entry)
  const exclusive = isAnon(frames, frame) && isExclusive(frames, frame)
  return exclusive && (restores === 'exclusive' || (entry & DIRTY) !== 0) ? withFlags(kept, WRITE) : kept
}

const withRights = (entry: Entry, vma: Vma): Entry => withFlags(withoutFlags(entry, WRITE | PROTNONE), pageProt(vma) & (WRITE | PROTNONE))

/** `change_huge_pmd()` */
function changedHuge(entry: Entry, vma: Vma, frames: Frames, profile: Profile): Entry {
  if (!isPresent(entry)) return changed(entry, vma, frames, profile)
  const forgets = profile.mprotectForgetsHugeDirt && isWritable(entry)
  const kept = withRights(forgets ? withoutFlags(entry, DIRTY) : entry, vma)
  const frame = frameOf(entry)
  if (profile.mprotectRestoresWrite !== 'exclusive' || !has(vma, VM_WRITE)) return kept
  if (has(vma, VM_SHARED)) return (kept & DIRTY) === 0 ? kept : withFlags(kept, WRITE)
  return isAnon(frames, frame) && isExclusive(frames, frame) ? withFlags(kept, WRITE) : kept
}

export const mprotectRules = {
  mprotect: (_, { mm, start, end, prot }) => ({ then: writeLocked(mm, [{ do: 'mprotect_fixup', mm, at: start, end, prot }]) }),

  // Area by area, up to the first gap: what came before it stays done.
  mprotect_fixup: (memory, item, { profile }) => {
    const { mm, at, end, prot } = item
    if (at >= end) return {}
    const vma = findVma(mmOf(memory, mm).vmas, at)
    if (vma === undefined || vma.start > at) return { fail: 'ENOMEM' }
    const stop = page(Math.min(vma.end, end))
    const next = { ...item, at: stop }
    const flags = newFlags(vma, rightsOf(prot), profile)
    if ((vma.flags & VM_ACCESS_FLAGS) === rightsOf(prot)) return { then: [next] }
    const populates = has(vma, VM_LOCKED) && !has(vma, VM_WRITE | VM_SHARED) && (flags & VM_WRITE) !== 0
    return {
      then: [
        ...modified(memory, mm, vma, at, stop, flags),
        { do: 'change_protection', mm, at, end: stop },
        // That this may fail does not matter.
        ...(populates ? ([{ do: 'populate_vma_page_range', mm, at, end: stop }, { do: 'ignore_failure' }] as const) : []),
        next,
      ],
    }
  },

  change_protection: (memory, { mm, at, end }, { profile }) => {
    const vma = vmaAt(mmOf(memory, mm).vmas, at)
    if (vma !== undefined && has(vma, VM_HUGETLB))
      return { then: section({ mm, event: 'PROTECTION_VMA', start: at, end }, [{ do: 'hugetlb_change_protection', mm, at, end }]) }
    const bad = profile.mprotectKnowsPud ? [] : hugePuds(mmOf(memory, mm), at, end)
    if (bad.length > 0)
      return { facts: bad.map(index => ['clear_bad', mm, 'pud', index]), then: [{ do: 'change_protection', mm, at, end }] }
    const found = opening(mmOf(memory, mm), { mm, at, end }, profile.mprotectOpensAt)
    if (found === undefined) return {}
    return {
      then: [
        ...section({ mm, event: 'PROTECTION_VMA', start: found.start, end: found.end }, [
          { do: 'change_pmd_range', mm, at: found.start, end: found.end },
        ]),
        ...(found.end < end ? [{ do: 'change_protection', mm, at: found.end, end } as const] : []),
      ],
    }
  },

  change_pmd_range: (memory, item, { profile, budget }) => {
    const { mm: name, end } = item
    const mm = mmOf(memory, name)
    const at = nextTable(mm, item.at, end)
    const vma = vmaAt(mm.vmas, at)
    if (at >= end || vma === undefined) return {}
    const { level, index, entry } = leafAt(mm, at)
    const stop = endAt(level === 'pte' ? 'pmd' : level, at, end)
    const rest = stop < end ? [{ ...item, at: stop }] : []
    if (level === 'pud') {
      const after = withRights(entry, vma)
      return after === entry ? { then: rest } : { facts: [entries('pud', name, index, 1, after)], then: rest }
    }
    if (level === 'pmd') {
      if (pageAt('pmd', index) !== at || pmdEnd(at) !== stop) return { then: [...splitHugePmd(name, at), { ...item, at }] }
      const after = changedHuge(entry, vma, memory.frames, profile)
      return after === entry ? { then: rest } : { facts: [entries('pmd', name, index, 1, after)], then: rest }
    }
    const facts: Fact[] = []
    let p = page(mm.pte.next(at, stop))
    const until = Math.min(stop, p + budget)
    for (; p < until; p = page(p + 1)) {
      const was = mm.pte.get(p) as Entry
      const after = changed(was, vma, memory.frames, profile)
      if (after !== was) facts.push(pte(name, p, after))
    }
    const then = p < stop ? [{ ...item, at: p }] : rest
    return facts.length === 0 ? { then } : { facts, then, cut: p < stop }
  },
} satisfies Partial<Rules>
