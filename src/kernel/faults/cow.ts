/** Copy-on-write: a write, or a pin, of a page that is mapped read-only (mm/memory.c). */
import { page, type Pfn } from '../../memory/address.ts'
import { ACCESSED, frameOf, present, withFlags, type Entry } from '../../memory/entry.ts'
import { hasPage } from '../../memory/normal-page.ts'
import { pte, type Fact } from '../../memory/facts.ts'
import { EXCLUSIVE, frameFlags, folioSize, headOf, isAnon, isExclusive, isLarge } from '../../memory/frames.ts'
import { fileOf, mmOf, type Memory } from '../../memory/memory.ts'
import { has, VM_SHARED, VM_WRITE, type Vma } from '../../memory/vma.ts'
import { section, type Fault, type Outcome, type Rules } from '../agenda.ts'
import { daxFault } from '../dax/dax.ts'
import { faultingVma, goesOn, newAnon, pageProt, prepared, written } from './faulting.ts'
import { flagged, unmapped } from '../pages/folio.ts'
import { isOnLru, LRU_ADD_DRAIN, mlocked, refsWithBatches } from '../pages/lru-batch.ts'
import type { Profile } from '../profiles.ts'
import { slotCaching, uncached } from './swapcache.ts'

/** `page_trans_huge_map_swapcount()`: how often the page is mapped, of a large folio the one that is so most often, and in swap. */
function mapSwapcount({ frames, swap }: Memory, frame: Pfn): number {
  const head = headOf(frames, frame)
  const slot = slotCaching(swap, frame)
  let most = 0
  for (let i = 0; i < folioSize(frames, head); i++) most = Math.max(most, frames.maps.get(head + i))
  return most + frames.hugeMaps.get(head) + (slot === undefined ? 0 : swap.refs.get(slot))
}

/** May a write use the page itself? Nobody else has it, or has it any more: `wp_can_reuse_anon_folio()`. */
export function canReuse(memory: Memory, frame: Pfn, profile: Profile): boolean {
  const { frames, swap } = memory
  if (!isAnon(frames, frame)) return false
  if (profile.reusesByRefs) return frames.refs.get(headOf(frames, frame)) === 1
  if (!profile.tracksExclusive) return mapSwapcount(memory, frame) <= 1
  if (isExclusive(frames, frame)) return true
  if (isLarge(frames, frame) && !profile.reusesPartOfFolio) return false
  const slot = slotCaching(swap, frame)
  const cached = slot === undefined || swap.refs.get(slot) > 0 ? 0 : 1
  return frames.refs.get(headOf(frames, frame)) === 1 + cached
}

/** Of a page that is on no list yet, batches may have all references but few: then they are drained before references are counted. */
function drainsFirst(memory: Memory, old: Entry, profile: Profile): boolean {
  const { frames, batches } = memory
  const frame = frameOf(old)
  if (batches.length === 0 || !hasPage(old) || isOnLru(memory, frame)) return false
  return profile.tracksExclusive && isAnon(frames, frame) && !isExclusive(frames, frame) && refsWithBatches(memory, frame) <= 3
}

/** The page is the process's own from now on: in the reverse mapping it moves to the area's own `anon_vma`. */
export const owned = (memory: Memory, vma: Vma, frame: Pfn, profile: Profile): readonly Fact[] => {
  const { frames, swap } = memory
  const head = headOf(frames, frame)
  const slot = slotCaching(swap, frame)
  return [
    ...(slot === undefined ? [] : uncached(slot, head)),
    ...(profile.tracksExclusive && (frameFlags(frames, frame) & EXCLUSIVE) === 0 ? flagged(frames, frame, EXCLUSIVE) : []),
    ...(frames.anonVma.get(head) === vma.anonVma ? [] : ([['anonVma', head, 1, vma.anonVma, 0]] as const)),
  ]
}

export function doWpPage(memory: Memory, item: Fault, vma: Vma, profile: Profile): Outcome {
  const { mm, page: at, access } = item
  const old = withFlags(mmOf(memory, mm).pte.get(at), 0)
  const frame = frameOf(old)
  const reused = [pte(mm, at, withFlags(old, ACCESSED | written(vma)))]
  // Of kernels that let a device write where its process may not: memory that is shared is copied then, too.
  const shared = has(vma, VM_SHARED) && (access === 'unshare' || has(vma, VM_WRITE))
  if (shared && fileOf(memory, vma.file).kind === 'dax') return access === 'unshare' ? {} : daxFault(item, 'pte')
  if (shared) return access === 'unshare' ? {} : { then: [{ do: 'wp_page_shared', mm, page: at, access }] }
  if (drainsFirst(memory, old, profile)) return { then: [...LRU_ADD_DRAIN, ...(goesOn('handle_pte_fault', item).then ?? [])] }
  if (hasPage(old) && canReuse(memory, frame, profile)) {
    const alone = profile.tracksExclusive || !isLarge(memory.frames, frame)
    const own = isExclusive(memory.frames, frame) || !alone ? [] : owned(memory, vma, frame, profile)
    const facts = access === 'unshare' ? own : [...own, ...reused]
    return facts.length === 0 ? {} : { facts }
  }
  if (vma.anonVma === 0) return prepared(item)
  const copy = { do: 'wp_page_copy', mm, page: at, access, old } as const
  return { then: section({ mm, event: 'CLEAR', start: at, end: page(at + 1) }, [copy]) }
}

export const cowRules = {
  // The section was opened for an entry that may have changed since: then the fault is made again, if it still must be.
  wp_page_copy: (memory, item, { profile }) => {
    const { mm, page: at, access, old } = item
    if (mmOf(memory, mm).pte.get(at) !== old) return {}
    const vma = faultingVma(memory, item)
    return { facts: copiedTo(memory, vma, item, old, access === 'unshare' ? 0 : written(vma), profile) }
  },
} satisfies Partial<Rules>

/** A page of its own in place of what an entry maps. */
function copiedTo(memory: Memory, vma: Vma, item: Fault, old: Entry, flags: number, profile: Profile): readonly Fact[] {
  const frame = memory.frames.free
  const special = !hasPage(old)
  return [
    newAnon(vma, item, frame, memory.frames.content.get(frameOf(old)), profile),
    ...mlocked(memory, vma, [['mlock_new', frame], ...(special ? [] : ([['mlock', frameOf(old)]] as const))], profile),
    pte(item.mm, item.page, present(pageProt(vma) | flags, frame)),
    ...(special ? [] : unmapped(memory.frames, [frameOf(old)])),
  ]
}
