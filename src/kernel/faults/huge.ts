/** Transparent huge pages: entries of 2 MiB, made, written and split (mm/huge_memory.c). */
import { indexAt, pfn, PMD_PAGES, pmdEnd, pmdStart, type Page } from '../../memory/address.ts'
import { ACCESSED, DIRTY, frameOf, isPresent, isWritable, NONE, present, PROTNONE, TABLE, withFlags, WRITE } from '../../memory/entry.ts'
import { entries, type Fact } from '../../memory/facts.ts'
import { EXCLUSIVE, FOLIO_DIRTY, frameKind, isExclusive, LARGE, stateWord } from '../../memory/frames.ts'
import { HUGE_ZERO_PFN, mmOf, ZERO_PFN, type Memory } from '../../memory/memory.ts'
import { entryAt, isHuge } from '../../memory/pagetable.ts'
import { has, isAnonymous, linearIndex, VM_HUGEPAGE, VM_NOHUGEPAGE, vmaAt, type Vma } from '../../memory/vma.ts'
import { section, type Item, type Outcome, type Rules } from '../agenda.ts'
import { anonState, countsAsAnonymous, faultingVma, goesOn, pageProt, prepared, special, written } from './faulting.ts'
import { flagged, freeBlock, hugeEntryGone, hugeUnmapped } from '../pages/folio.ts'
import { migrationEntry } from '../pages/migration-entry.ts'
import type { Profile } from '../profiles.ts'
import { splitHugePmd } from '../areas/vma.ts'

/** Does the area hold the whole 2 MiB block of a page? `transhuge_vma_suitable()` */
export const holdsBlock = (vma: Vma, at: Page): boolean => vma.start <= pmdStart(at) && pmdEnd(at) <= vma.end

/** May a fault map 2 MiB of anonymous memory at once? Only where `MADV_HUGEPAGE` asked for it: the recorded kernels have THP at "madvise". */
export const mayMapHuge = (memory: Memory, vma: Vma, at: Page, profile: Profile): boolean =>
  profile.thp && countsAsAnonymous(memory, vma, profile) && has(vma, VM_HUGEPAGE) && !has(vma, VM_NOHUGEPAGE) && holdsBlock(vma, at)

/** A new large folio of anonymous memory, mapped by one PMD entry. */
export function newHugeAnon(
  memory: Memory,
  vma: Vma,
  at: Page,
  profile: Profile,
): { readonly frame: ReturnType<typeof freeBlock>; readonly facts: readonly Fact[] } {
  const frame = freeBlock(memory.frames)
  return {
    frame,
    facts: [
      ['folio', frame, anonState(profile, LARGE), 1],
      ['hugeMaps', frame, 1, 1],
      ['anonVma', frame, PMD_PAGES, vma.anonVma, 0],
      ['index', frame, PMD_PAGES, linearIndex(vma, pmdStart(at)), 1],
    ],
  }
}

/** `__split_huge_pmd_locked()`: the block's entry becomes 512 of its kind. The folio stays large. */
function splitEntry(memory: Memory, { mm, page: at, freeze }: Item<'split_huge_pmd'>, vma: Vma, profile: Profile): Outcome {
  const index = indexAt('pmd', at)
  const entry = entryAt(mmOf(memory, mm), 'pmd', at)
  const frame = frameOf(entry)
  const table = entries('pmd', mm, index, 1, TABLE)
  const first = pmdStart(at)
  if (!isAnonymous(vma)) return { facts: [entries('pmd', mm, index, 1, NONE), ...hugeEntryGone(entry)] }
  if (frame === HUGE_ZERO_PFN)
    return { facts: [table, entries('pte', mm, first, PMD_PAGES, present(pageProt(vma) | special(profile), ZERO_PFN))] }
  const { frames } = memory
  // Each page is exclusive if the whole was.
  const exclusive = stateWord(frameKind(frames, frame), EXCLUSIVE)
  const tails = isExclusive(frames, frame) ? ([['state', pfn(frame + 1), PMD_PAGES - 1, exclusive]] as const) : []
  const dirty = isPresent(entry) && (entry & DIRTY) !== 0
  if (freeze) {
    const moving = entries('pte', mm, first, PMD_PAGES, migrationEntry(memory, entry, profile), 1)
    return {
      facts: [table, moving, ...hugeUnmapped(frame), ...(dirty ? flagged(frames, frame, FOLIO_DIRTY) : []), ...tails],
    }
  }
  const kept = (entry & (WRITE | ACCESSED)) | (pageProt(vma) & PROTNONE) | (dirty && profile.splitKeepsDirty ? DIRTY : 0)
  const small = isPresent(entry) ? present(kept, frame) : entry
  return {
    facts: [
      table,
      entries('pte', mm, first, PMD_PAGES, small, 1),
      ['hugeMaps', frame, 1, -1],
      ['maps', frame, PMD_PAGES, 1],
      ['refs', frame, 1, PMD_PAGES - 1],
      ...flagged(frames, frame, dirty ? FOLIO_DIRTY : 0),
      ...tails,
    ],
  }
}

export const hugeRules = {
  do_huge_pmd_anonymous_page: (memory, item, { profile }) => {
    const vma = faultingVma(memory, item)
    if (vma.anonVma === 0) return prepared(item)
    const { mm, page: at, access } = item
    const index = indexAt('pmd', at)
    if (mmOf(memory, mm).pmd.get(index) !== NONE) return goesOn('handle_mm_fault', item)
    if (access !== 'write') return { facts: [entries('pmd', mm, index, 1, present(pageProt(vma), HUGE_ZERO_PFN))] }
    const { frame, facts } = newHugeAnon(memory, vma, at, profile)
    return { facts: [...facts, entries('pmd', mm, index, 1, present(pageProt(vma) | written(vma), frame))] }
  },

  // The huge zero page, and a page that others have too, is split first; the rest is copied small.
  do_huge_pmd_wp_page: (memory, item, { profile }) => {
    const { mm, page: at, access } = item
    const vma = faultingVma(memory, item)
    const entry = entryAt(mmOf(memory, mm), 'pmd', at)
    if (!isPresent(entry) || isWritable(entry)) return goesOn('handle_mm_fault', item)
    if (profile.copiesHuge && isAnonymous(vma)) return { then: [{ do: 'huge_pmd_wp', mm, page: at, access }] }
    const frame = frameOf(entry)
    if (profile.hugeZeroGivesWay && frame === HUGE_ZERO_PFN) {
      const [start, end] = [pmdStart(at), pmdEnd(at)]
      return { then: section({ mm, event: 'CLEAR', start, end }, [{ do: 'do_huge_zero_wp_pmd', mm, page: at, access }]) }
    }
    const split: Outcome = { then: [...splitHugePmd(mm, at), ...(goesOn('handle_pte_fault', item).then ?? [])] }
    if (!isAnonymous(vma) || frameKind(memory.frames, frame) !== 'anon') return split
    const exclusive = isExclusive(memory.frames, frame)
    if (!exclusive && memory.frames.refs.get(frame) !== 1) return split
    const own: readonly Fact[] = exclusive
      ? []
      : [...(profile.tracksExclusive ? flagged(memory.frames, frame, EXCLUSIVE) : []), ['anonVma', frame, PMD_PAGES, vma.anonVma, 0]]
    const facts =
      access === 'unshare' ? own : [...own, entries('pmd', mm, indexAt('pmd', at), 1, withFlags(entry, ACCESSED | written(vma)))]
    return facts.length === 0 ? {} : { facts }
  },

  do_huge_zero_wp_pmd: (memory, { mm, page: at }, { profile }) => {
    const vma = vmaAt(mmOf(memory, mm).vmas, at)
    const entry = entryAt(mmOf(memory, mm), 'pmd', at)
    if (vma === undefined || !isPresent(entry) || frameOf(entry) !== HUGE_ZERO_PFN) return {}
    const { frame, facts } = newHugeAnon(memory, vma, at, profile)
    return { facts: [...facts, entries('pmd', mm, indexAt('pmd', at), 1, present(pageProt(vma) | written(vma), frame))] }
  },

  // Whoever splits has opened a section for it, whether anything is mapped there or not.
  split_huge_pmd: (memory, item, { profile }) => {
    const mm = mmOf(memory, item.mm)
    const vma = vmaAt(mm.vmas, item.page)
    const other = item.folio !== 0 && item.folio !== frameOf(entryAt(mm, 'pmd', item.page))
    return vma === undefined || !isHuge(mm, item.page) || other ? {} : splitEntry(memory, item, vma, profile)
  },
} satisfies Partial<Rules>
