/**
 * Copy-on-write of 2 MiB at once, as kernels before v5.8 (3917c80280c9) did it: into a new huge page where the area asks for
 * such, else into 512 small ones. The huge zero page becomes a huge page, too.
 */
import { indexAt, PMD_PAGES, pmdEnd, pmdStart, type Page } from '../../memory/address.ts'
import { ACCESSED, frameOf, present, TABLE, withFlags, type Entry } from '../../memory/entry.ts'
import { entries, pte, type Fact } from '../../memory/facts.ts'
import { HUGE_ZERO_PFN, mmOf, type Memory } from '../../memory/memory.ts'
import { entryAt } from '../../memory/pagetable.ts'
import type { Vma } from '../../memory/vma.ts'
import { section, type Fault, type Item, type Outcome, type Rules } from '../agenda.ts'
import { splitHugePmd } from '../areas/vma.ts'
import { copied, freeFrames, hugeUnmapped } from '../pages/folio.ts'
import type { Profile } from '../profiles.ts'
import { canReuse } from './cow.ts'
import { faultingVma, goesOn, newAnon, pageProt, prepared, written } from './faulting.ts'
import { mayMapHuge, newHugeAnon } from './huge.ts'

/** `do_huge_pmd_wp_page()` on an entry of anonymous memory. */
function copyHuge(memory: Memory, item: Fault, profile: Profile): Outcome {
  const { mm, page: at, access } = item
  const vma = faultingVma(memory, item)
  const old = entryAt(mmOf(memory, mm), 'pmd', at)
  const frame = frameOf(old)
  if (frame !== HUGE_ZERO_PFN && canReuse(memory, frame, profile))
    return { facts: [entries('pmd', mm, indexAt('pmd', at), 1, withFlags(old, ACCESSED | written(vma)))] }
  if (frame === HUGE_ZERO_PFN && !mayMapHuge(memory, vma, at, profile))
    return { then: [...splitHugePmd(mm, at), ...(goesOn('handle_pte_fault', item).then ?? [])] }
  if (vma.anonVma === 0) return prepared(item)
  const range = { mm, event: 'CLEAR', start: pmdStart(at), end: pmdEnd(at) } as const
  return { then: section(range, [{ do: 'huge_pmd_wp_copy', mm, page: at, access, old }]) }
}

/** `do_huge_pmd_wp_page_fallback()`: no huge page is to be had; each page is copied. */
function copySmall(
  memory: Memory,
  mm: Item<'huge_pmd_wp_copy'>['mm'],
  vma: Vma,
  first: Page,
  old: Entry,
  profile: Profile,
): readonly Fact[] {
  const free = freeFrames(memory.frames)
  const facts: Fact[] = [entries('pmd', mm, indexAt('pmd', first), 1, TABLE)]
  for (let i = 0; i < PMD_PAGES; i++) {
    const at = { mm, page: (first + i) as Page }
    const frame = free.next().value as ReturnType<typeof frameOf>
    facts.push(newAnon(vma, at, frame, memory.frames.content.get(frameOf(old) + i), profile))
    facts.push(pte(mm, at.page, present(pageProt(vma) | written(vma), frame)))
  }
  return facts
}

export const hugeCowRules = {
  huge_pmd_wp: (memory, item, { profile }) => copyHuge(memory, item, profile),
  // The section was opened for an entry that may have changed since.
  huge_pmd_wp_copy: (memory, item, { profile }) => {
    const { mm, page: at, old } = item
    if (entryAt(mmOf(memory, mm), 'pmd', at) !== old) return {}
    const vma = faultingVma(memory, item)
    const gone = frameOf(old) === HUGE_ZERO_PFN ? [] : hugeUnmapped(frameOf(old))
    if (!mayMapHuge(memory, vma, at, profile)) return { facts: [...copySmall(memory, mm, vma, pmdStart(at), old, profile), ...gone] }
    const { frame, facts } = newHugeAnon(memory, vma, at, profile)
    const contents = frameOf(old) === HUGE_ZERO_PFN ? [] : copied(memory.frames, frameOf(old), frame, PMD_PAGES)
    return {
      facts: [...facts, ...contents, entries('pmd', mm, indexAt('pmd', at), 1, present(pageProt(vma) | written(vma), frame)), ...gone],
    }
  },
} satisfies Partial<Rules>
