/** `mprotect()` (mm/mprotect.c). */
import { endAt, indexAt, page, type Page } from '../memory/address.ts'
import { DIRTY, frameOf, isPresent, NONE, PROTNONE, SPECIAL, withFlags, withoutFlags, WRITE, type Entry } from '../memory/entry.ts'
import { entries, type Fact } from '../memory/facts.ts'
import { EXCLUSIVE, frameFlags, frameKind } from '../memory/frames.ts'
import { mmOf, type Frames, type Mm } from '../memory/memory.ts'
import { findVma, has, isAnonymous, VM_ACCESS_FLAGS, VM_ACCOUNT, VM_LOCKED, VM_SHARED, VM_WRITE, type Vma } from '../memory/vma.ts'
import { section, writeLocked, type Cursor, type Rules } from './agenda.ts'
import { pageProt } from './fault.ts'
import { rightsOf } from './mmap.ts'
import type { Profile } from './profiles.ts'
import { cutHuge, modifyFlags, vmasFact } from './vma.ts'

/** Accounting follows rights: private memory counts once it may be written, and in newer kernels not if it never was. */
function newFlags(vma: Vma, rights: number, profile: Profile): number {
  const flags = (vma.flags & ~VM_ACCESS_FLAGS) | rights
  if ((rights & VM_WRITE) !== 0) return has(vma, VM_ACCOUNT | VM_WRITE | VM_SHARED) ? flags : flags | VM_ACCOUNT
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

/** `change_pte_range()` on one entry: the area's new rights, and write given back where no fault is needed to decide it. */
function changed(entry: Entry, vma: Vma, frames: Frames, profile: Profile): Entry {
  const prot = pageProt(vma)
  const kept = withFlags(withoutFlags(entry, WRITE | PROTNONE), prot & (WRITE | PROTNONE))
  const restores = profile.mprotectRestoresWrite
  if (!has(vma, VM_WRITE) || has(vma, VM_SHARED) || (entry & SPECIAL) !== 0 || restores === 'never') return kept
  const frame = frameOf(entry)
  const exclusive = frameKind(frames, frame) === 'anon' && (frameFlags(frames, frame) & EXCLUSIVE) !== 0
  return exclusive && (restores === 'exclusive' || (entry & DIRTY) !== 0) ? withFlags(kept, WRITE) : kept
}

export const mprotectRules = {
  mprotect: (_, { mm, start, end, prot }) => ({ then: writeLocked(mm, [{ do: 'mprotect_fixup', mm, at: start, end, prot }]) }),

  // Area by area, up to the first gap: what came before it stays done.
  mprotect_fixup: (memory, item, { profile }) => {
    const { mm, at, end, prot } = item
    if (at >= end) return {}
    const as = mmOf(memory, mm)
    const vma = findVma(as.vmas, at)
    if (vma === undefined || vma.start > at) return { fail: 'ENOMEM' }
    const stop = page(Math.min(vma.end, end))
    const next = { ...item, at: stop }
    const flags = newFlags(vma, rightsOf(prot), profile)
    if ((vma.flags & VM_ACCESS_FLAGS) === rightsOf(prot)) return { then: [next] }
    const { vmas, cuts } = modifyFlags(as.vmas, vma, at, stop, flags)
    const populates = has(vma, VM_LOCKED) && !has(vma, VM_WRITE | VM_SHARED) && (flags & VM_WRITE) !== 0
    return {
      then: [
        ...cuts.flatMap(cut => cutHuge(mm, as, cut)),
        { do: 'vma_set', mm, facts: [vmasFact(mm, as.vmas, vmas)] },
        { do: 'change_protection', mm, at, end: stop },
        ...(populates ? [{ do: 'populate_vma_page_range', mm, at, end: stop } as const] : []),
        next,
      ],
    }
  },

  change_protection: (memory, { mm, at, end }, { profile }) => {
    const found = opening(mmOf(memory, mm), { mm, at, end }, profile.mprotectOpensAt)
    if (found === undefined) return {}
    return {
      then: [
        ...section({ mm, event: 'PROTECTION_VMA', start: found.start, end: found.end }, [
          { do: 'change_pte_range', mm, at: found.start, end: found.end },
        ]),
        ...(found.end < end ? [{ do: 'change_protection', mm, at: found.end, end } as const] : []),
      ],
    }
  },

  change_pte_range: (memory, item, { profile, budget }) => {
    const { mm, end } = item
    const { pte, vmas } = mmOf(memory, mm)
    const from = page(pte.next(item.at, end))
    const vma = findVma(vmas, from)
    if (from >= end || vma === undefined) return {}
    const facts: Fact[] = []
    let p = from
    for (const until = Math.min(end, from + budget, pte.gap(from)); p < until; p = page(p + 1)) {
      const entry = pte.get(p) as Entry
      if (!isPresent(entry)) continue
      const after = changed(entry, vma, memory.frames, profile)
      if (after !== entry) facts.push(entries('pte', mm, p, 1, after))
    }
    const then = p < end ? [{ ...item, at: p }] : []
    return facts.length === 0 ? { then } : { facts, then, cut: p === from + budget }
  },
} satisfies Partial<Rules>
