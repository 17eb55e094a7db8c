/** `get_user_pages()`, and populating, which is the same without taking the pages (mm/gup.c). */
import { page, type Page, type Pfn } from '../../memory/address.ts'
import { tablesTo, type Fact } from '../../memory/facts.ts'
import { pagemapOf } from '../../memory/dax.ts'
import { frameKind } from '../../memory/frames.ts'
import { mmOf, ZERO_PFN, type Frames, type Memory } from '../../memory/memory.ts'
import type { Table } from '../../memory/table.ts'
import { has, isAccessible, VM_HUGETLB, VM_IO, VM_PFNMAP, VM_SHARED, VM_WRITE, vmaAt, vmasIn, type Vma } from '../../memory/vma.ts'
import { followPage, refusesGup, type FollowRules, type GupFlags } from '../../walker/gup.ts'
import type { Catchers } from '../advance.ts'
import { readLocked, type GupErrors, type Item, type Outcome, type Rules, type Scene } from '../agenda.ts'
import { isOops, type Failure } from '../failure.ts'
import { dirtied, referenced } from '../pages/folio.ts'
import { LRU_ADD_DRAIN, markAccessed } from '../pages/lru-batch.ts'
import type { Profile } from '../profiles.ts'
import { splitHugePmd } from '../areas/vma.ts'

/** Stands in the array for a page that a call has gone over without taking it. */
const PASSED = 1
/** A pin counts as so many references: `GUP_PIN_COUNTING_BIAS`. */
const PIN = 1024

/** What the caller of a fault on its behalf is told: `vm_fault_to_errno()`. */
export const FAULT_ERRNO: Readonly<Partial<Record<Failure, Failure>>> = { VM_FAULT_SIGBUS: 'EFAULT', VM_FAULT_SIGSEGV: 'EFAULT' }

/**
 * `try_grab_page()`: pinning the zero page counts nothing; what is taken of a large folio counts for all of it. With
 * `pagesHoldPagemap`, a page of DAX memory holds the page map, too.
 */
export function grabbed(
  frames: Frames,
  list: readonly Pfn[],
  take: GupFlags['take'],
  { pagesHoldPagemap }: Profile,
  times = 1,
): readonly Fact[] {
  if (take === undefined) return []
  const counted = take === 'pin' ? list.filter(frame => frame !== ZERO_PFN) : list
  const maps = pagesHoldPagemap ? counted.map(pagemapOf).filter(name => name !== undefined) : []
  return [
    ...referenced(frames, counted, times * (take === 'pin' ? PIN : 1)),
    ...[...new Set(maps)].map((name): Fact => ['pagemap', name, times * maps.filter(m => m === name).length]),
  ]
}
/** `put_page()`, `unpin_user_page()` */
export const putBack = (frames: Frames, list: readonly Pfn[], take: GupFlags['take'], profile: Profile): readonly Fact[] =>
  grabbed(frames, list, take, profile, -1)

export const followRules = (profile: Profile): Omit<FollowRules, 'faulted' | 'held'> => ({
  unsharesZeroPage: profile.longtermUnsharesZeroPage,
  tracksExclusive: profile.tracksExclusive,
  longtermRefusesTracked: profile.longtermRefusesTracked,
  followsHugetlbApart: profile.followsHugetlbApart,
  marksHugePud: profile.populateMarksPud,
  forcesHugetlb: profile.hugetlbForcedWrites,
  refusesRaw: profile.gupRefusesRaw,
  countsDaxPages: profile.countsDaxPages,
  touchDirtiesPmd: profile.touchDirtiesPmd,
  honorsNuma: profile.gupHonorsNuma,
  takesDying: profile.bugs.includes('gupTakesDyingPagemap'),
})

/** Why no page of the area can be had; who populates is told otherwise. */
function refused(memory: Memory, vma: Vma | undefined, flags: GupFlags, errors: GupErrors, profile: Profile): Failure | undefined {
  if (vma === undefined) return errors === 'populate' ? 'ENOMEM' : 'EFAULT'
  const errno = refusesGup(memory, vma, flags, followRules(profile))
  return errno === undefined ? undefined : errors === 'populate' ? 'EINVAL' : errno
}

/** The step that the pages so far make; nothing, if there are none. */
const took = (facts: readonly Fact[], before: Table, after: Table): Outcome =>
  facts.length === 0 && before === after ? {} : { facts, array: after }

/** The pages that a call has: they stand in its array from `start` on. */
export const countFrom = (array: Table, start: Page, end: Page): number => Math.min(array.gap(start), end) - start

export function framesFrom(array: Table, start: Page, end: Page): readonly Pfn[] {
  return Array.from({ length: countFrom(array, start, end) }, (_, i) => array.get(start + i) as Pfn)
}

/** What a populating walk asks for: to write where only this process will see it, else to read. */
const populating = (vma: Vma): GupFlags => (has(vma, VM_WRITE) && !has(vma, VM_SHARED) ? { write: true } : { force: true })

/**
 * Pages one after the other, as far as they can be had. Where pages of DAX are not counted, the first one takes a reference to
 * the device's page map, so that it stays one (`get_dev_pagemap()`); what the call holds it gives back at its end, however that
 * comes. Older kernels do so page by page, and once they have a page, they need the page map no more.
 */
function gupPages(memory: Memory, item: Item<'gup_pages'>, { profile, budget, array }: Scene): Outcome {
  const { mm, end, flags, errors } = item
  const { vmas } = mmOf(memory, mm)
  const until = Math.min(end, item.at + budget)
  const facts: Fact[] = []
  const rules = followRules(profile)
  const before = item.pagemaps ?? []
  const held = [...before]
  let pages = array
  const accessed: Pfn[] = []
  const done = (rest: Outcome): Outcome => {
    const puts = held.slice(before.length).map(pagemap => ({ do: 'put_dev_pagemap', pagemap }) as const)
    facts.push(...markAccessed(memory, accessed, profile))
    return { ...took(facts, array, pages), ...rest, then: [...(rest.then ?? []), ...puts] }
  }
  const again = (at: Page, faulted: boolean): Item<'gup_pages'> => ({
    ...item,
    at,
    faulted,
    ...(held.length > 0 ? { pagemaps: held } : {}),
  })

  let at = item.at
  while (at < until) {
    const vma = vmaAt(vmas, at)
    const bad = refused(memory, vma, flags, errors, profile)
    if (vma === undefined || bad !== undefined) return done({ fail: bad ?? 'EFAULT' })
    const found = followPage(memory, mm, vma, at, flags, { ...rules, faulted: item.faulted && at === item.at, held })
    if (found.kind === 'error') {
      facts.push(...(found.facts ?? []))
      return done({ fail: found.errno })
    }
    if (found.kind === 'split') return done({ then: [...splitHugePmd(mm, at), { do: 'pte_alloc', mm, page: at }, again(at, item.faulted)] })
    if (found.kind === 'missing') {
      if (flags.nofault === true && !(profile.followsHugetlbApart && has(vma, VM_HUGETLB))) return done({ fail: 'EFAULT' })
      const access = found.unshare ? 'unshare' : flags.write === true ? 'write' : 'read'
      const then = [{ do: 'handle_mm_fault', mm, page: at, access }, again(at, true)] as const
      // The fault finds nothing to do: for each time that it is made in vain there is a step, at least.
      return found.dying === true ? { facts, array: pages, ...done({ then }) } : done({ then })
    }
    facts.push(...found.facts)
    if (found.kind === 'raw') {
      // An entry without a page: who wants pages is told so, who only faults in goes on.
      if (flags.take !== undefined) return done({ fail: 'EEXIST' })
      const stop = page(Math.min(found.end, until))
      if (item.counts === true) pages = pages.setRange(at, stop - at, PASSED, 0)
      at = item.counts === true ? stop : found.end
      continue
    }
    // FOLL_TOUCH: a page that is to be written is dirty from now on, though no entry may say so.
    if (flags.write === true && flags.touch !== false && found.clean) facts.push(...dirtied(memory, found.frame))
    if (!found.huge && flags.touch !== false) accessed.push(found.frame)
    const pagemap = flags.take === undefined || profile.countsDaxPages ? undefined : pagemapOf(found.frame)
    const looksUp = pagemap !== undefined && !held.includes(pagemap)
    if (looksUp) facts.push(['pagemap', pagemap, 1])
    facts.push(...grabbed(memory.frames, [found.frame], flags.take, profile))
    if (looksUp && profile.gupCachesPagemap) held.push(pagemap)
    else if (looksUp) facts.push(['pagemap', pagemap, -1])
    if (flags.take !== undefined) pages = pages.set(at, found.frame)
    else if (item.counts === true) pages = pages.set(at, PASSED)
    at = page(at + 1)
  }
  return done({ then: at < end ? [again(at, false)] : [], cut: at < end })
}

export const gupRules = {
  // The caller holds mmap_lock throughout, and puts the pages back at once. Only pins may be meant to last.
  // Without FOLL_GET there is nothing to put back: it answers how many pages it has gone over.
  get_user_pages: (_, { mm, start, end, flags }, { profile }) => {
    const pin = flags.take === 'pin'
    const lasts = flags.longterm === true
    if (lasts && !pin && profile.longtermNeedsPin) return { fail: 'EINVAL' }
    if (flags.take === undefined) {
      const passes = { do: 'gup_pages', mm, at: start, end, flags, errors: 'gup', faulted: false, counts: true } as const
      return { then: readLocked(mm, [passes, { do: 'gup_end', mm, start, end }]) }
    }
    const migrates = lasts && pin ? ([{ do: 'check_and_migrate_movable_pages', mm, start, end, flags }] as const) : []
    return {
      then: [
        ...readLocked(mm, [
          { do: 'gup_pages', mm, at: start, end, flags, errors: 'gup', faulted: false },
          { do: 'gup_end', mm, start, end },
          ...migrates,
        ]),
        { do: 'put_pages', mm, start, end, take: flags.take },
      ],
    }
  },

  gup_pages: (memory, item, scene) => gupPages(memory, item, scene),
  // An entry of a file leaves nothing where it is split: a table keeps out the next one.
  pte_alloc: (memory, { mm, page: at }) => {
    const facts = tablesTo(memory, mm, at, 'pte')
    return facts.length === 0 ? {} : { facts }
  },
  put_dev_pagemap: (_, { pagemap }) => ({ facts: [['pagemap', pagemap, -1]] }),

  // The number of pages up to the first failure; the failure itself only if there is none.
  gup_end: (_, { start, end }, { array }) => ({ ret: countFrom(array, start, end) }),
  check_and_migrate_movable_pages: (memory, item, { array }) => {
    const { mm, start, end, flags } = item
    const frames = framesFrom(array, start, end)
    const coherent = frames.filter(frame => frameKind(memory.frames, frame) === 'devcoh')
    if (coherent.length === 0) return {}
    return {
      facts: referenced(
        memory.frames,
        frames.filter(frame => frame !== ZERO_PFN),
        -PIN,
      ),
      array: array.setRange(start, end - start, 0, 0),
      then: [
        ...coherent.map(folio => ({ do: 'migrate_device_coherent_page', folio, mm }) as const),
        { do: 'gup_pages', mm, at: start, end, flags, errors: 'gup', faulted: false },
        { do: 'gup_end', mm, start, end },
        item,
      ],
    }
  },
  put_pages: (memory: Memory, { start, end, take }, { array, profile }) => {
    const facts = putBack(memory.frames, framesFrom(array, start, end), take, profile)
    return facts.length === 0 ? {} : { facts }
  },

  populate_vma_page_range: (memory, { mm, at, end }) => {
    const vma = vmaAt(mmOf(memory, mm).vmas, at)
    if (vma === undefined || !isAccessible(vma)) return { fail: 'EFAULT' }
    return { then: [{ do: 'gup_pages', mm, at, end, flags: populating(vma), errors: 'gup', faulted: false }, ...LRU_ADD_DRAIN] }
  },

  // Area by area; gaps are passed over.
  mm_populate: (memory, { mm, at, end }) => {
    const vma = vmasIn(mmOf(memory, mm).vmas, at, end)[0]
    if (vma === undefined) return {}
    const stop = page(Math.min(vma.end, end))
    return {
      then: [
        ...(has(vma, VM_IO | VM_PFNMAP)
          ? []
          : ([{ do: 'populate_vma_page_range', mm, at: page(Math.max(at, vma.start)), end: stop }] as const)),
        { do: 'mm_populate', mm, at: stop, end },
      ],
    }
  },
} satisfies Partial<Rules>

export const gupCatchers = {
  gup_end: (item, failure, array) => {
    const count = countFrom(array, item.start, item.end)
    return count > 0 && !isOops(failure) ? { ret: count } : { fail: FAULT_ERRNO[failure] ?? failure }
  },
} satisfies Catchers
