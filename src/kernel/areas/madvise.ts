/** `madvise()` (mm/madvise.c): what each advice does to the part of an area that it is given for. */
import { page, pmdStart, type Page } from '../../memory/address.ts'
import { mmOf, type Memory, type MmName } from '../../memory/memory.ts'
import {
  findVma,
  has,
  isAnonymous,
  VM_DONTCOPY,
  VM_HUGEPAGE,
  VM_HUGETLB,
  VM_IO,
  VM_LOCKED,
  VM_NOHUGEPAGE,
  VM_PFNMAP,
  VM_SHARED,
  VM_WIPEONFORK,
  type Vma,
} from '../../memory/vma.ts'
import { collapse } from '../pages/collapse.ts'
import { readLocked, section, writeLocked, type Advice, type Agenda, type Item, type Rules } from '../agenda.ts'
import type { Failure } from '../failure.ts'
import { countsAsAnonymous } from '../faults/faulting.ts'
import { FAULT_ERRNO } from '../faults/gup.ts'
import { unmapSingleVma } from '../hugetlb/hugetlb-vma.ts'
import { LRU_ADD_DRAIN, zapDrain } from '../pages/lru-batch.ts'
import type { Profile } from '../profiles.ts'
import { SWITCHES } from '../switches.ts'
import { modified } from './vma.ts'

const populate = (mm: MmName, at: Page, end: Page, advice: Advice): Agenda => [
  { do: 'gup_pages', mm, at, end, flags: advice === 'popw' ? { write: true } : {}, errors: 'populate', faulted: false },
  ...LRU_ADD_DRAIN,
  { do: 'as_errno', of: FAULT_ERRNO },
]

/** Advice that only changes the flags of areas: what they are then, or why they may not be. */
function advised(advice: Advice, vma: Vma): number | Failure | undefined {
  switch (advice) {
    case 'huge':
      return (vma.flags & ~VM_NOHUGEPAGE) | VM_HUGEPAGE
    case 'nohuge':
      return (vma.flags & ~VM_HUGEPAGE) | VM_NOHUGEPAGE
    case 'dontfork':
      return vma.flags | VM_DONTCOPY
    case 'dofork':
      return has(vma, VM_IO) ? 'EINVAL' : vma.flags & ~VM_DONTCOPY
    case 'wipeonfork':
      return !isAnonymous(vma) || has(vma, VM_SHARED) ? 'EINVAL' : vma.flags | VM_WIPEONFORK
    default:
      return undefined
  }
}
const changesFlags = (advice: Advice): boolean => ['huge', 'nohuge', 'dontfork', 'dofork', 'wipeonfork'].includes(advice)

/** The end of what `MADV_DONTNEED` discards, or undefined if it may not: 2 MiB pages of hugetlb go whole or not at all. */
function discards(vma: Vma, at: Page, end: Page, profile: Profile): Page | undefined {
  if (!has(vma, VM_HUGETLB)) return has(vma, VM_LOCKED | VM_PFNMAP) ? undefined : end
  return profile.hugetlbDiscards && at === pmdStart(at) ? pmdStart(end) : undefined
}

/** What is done to one area's part; a string is the error that ends the call there. */
function visit(
  memory: Memory,
  { mm, advice }: Item<'madvise_walk_vmas'>,
  vma: Vma,
  at: Page,
  end: Page,
  profile: Profile,
): Agenda | Failure {
  switch (advice) {
    case 'popr':
    case 'popw':
      return populate(mm, at, end, advice)
    case 'dontneed': {
      const stop = discards(vma, at, end, profile)
      if (stop === undefined) return 'EINVAL'
      if (stop <= at) return []
      const frees =
        profile.discardFreesTables && !has(vma, VM_HUGETLB) ? ([{ do: 'try_to_free_ptes', mm, start: at, end: stop }] as const) : []
      const zap = [...unmapSingleVma(mm, vma, at, stop, profile), ...frees]
      return [...zapDrain(profile), ...section({ mm, event: 'CLEAR', start: at, end: stop }, zap)]
    }
    case 'free':
      if (has(vma, VM_LOCKED | VM_PFNMAP | VM_HUGETLB) || !countsAsAnonymous(memory, vma, profile)) return 'EINVAL'
      return [...LRU_ADD_DRAIN, ...section({ mm, event: 'CLEAR', start: at, end }, [{ do: 'madvise_free_pte_range', mm, at, end }])]
    case 'cold':
    case 'pageout':
      if (has(vma, VM_LOCKED | VM_PFNMAP | VM_HUGETLB)) return 'EINVAL'
      return [...LRU_ADD_DRAIN, { do: 'madvise_cold_or_pageout', mm, at, end, pageout: advice === 'pageout' }]
    case 'collapse':
      return collapse(mm, vma, at, end)
    case 'huge':
    case 'nohuge':
    case 'dontfork':
    case 'dofork':
    case 'wipeonfork': {
      const flags = advised(advice, vma)
      if (flags === undefined || typeof flags === 'string') return flags ?? 'EINVAL'
      return flags === vma.flags ? [] : modified(memory, mm, vma, at, end, flags)
    }
  }
}

/** All advice, and since when madvise() knows it, in the order in which it has learned. */
const LEARNED: Readonly<Record<Advice, Profile['newestAdvice']>> = {
  dontneed: 'dontneed',
  huge: 'dontneed',
  nohuge: 'dontneed',
  dontfork: 'dontneed',
  dofork: 'dontneed',
  free: 'free',
  wipeonfork: 'wipeonfork',
  cold: 'pageout',
  pageout: 'pageout',
  popr: 'populate',
  popw: 'populate',
  collapse: 'collapse',
}
const age = (advice: Profile['newestAdvice']): number => SWITCHES.newestAdvice.values.indexOf(advice)
/** Advice about 2 MiB pages, which a kernel without them does not know. */
const isHugeAdvice = (advice: Advice): boolean => advice === 'huge' || advice === 'nohuge' || advice === 'collapse'
const knows = ({ newestAdvice, thp }: Profile, advice: Advice): boolean =>
  age(LEARNED[advice]) <= age(newestAdvice) && (thp || !isHugeAdvice(advice))

const ALL = Object.keys(LEARNED) as readonly Advice[]
/** A word for advice, whichever kernels know it. */
export const isAdvice = (word: unknown): word is Advice => ALL.some(advice => advice === word)
/** The advice that a kernel knows. */
export const adviceOf = (profile: Profile): readonly Advice[] => ALL.filter(advice => knows(profile, advice))

export const madviseRules = {
  madvise: (_, { mm, start, end, advice }, { profile }) => {
    if (!knows(profile, advice)) return { fail: 'EINVAL' }
    const whole = (advice === 'popr' || advice === 'popw') && profile.populateStopsAtGap
    const walk: Agenda = whole ? populate(mm, start, end, advice) : [{ do: 'madvise_walk_vmas', mm, at: start, end, advice, gap: false }]
    return { then: changesFlags(advice) ? writeLocked(mm, walk) : readLocked(mm, walk) }
  },

  // A gap is reported in the end, but what lies behind it is done; an error ends the call where it strikes.
  madvise_walk_vmas: (memory, item, { profile }) => {
    const { mm, at, end, gap } = item
    if (at >= end) return gap ? { fail: 'ENOMEM' } : {}
    const vma = findVma(mmOf(memory, mm).vmas, at)
    if (vma === undefined || vma.start >= end) return { fail: 'ENOMEM' }
    const from = page(Math.max(at, vma.start))
    const stop = page(Math.min(vma.end, end))
    const doing = visit(memory, item, vma, from, stop, profile)
    const gaps = gap || from > at
    const more = stop < end || gaps ? [{ ...item, at: stop, gap: gaps }] : []
    return typeof doing === 'string' ? { fail: doing } : { then: [...doing, ...more] }
  },
} satisfies Partial<Rules>
