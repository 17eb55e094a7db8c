/**
 * `hmm_range_fault()` and `hmm_range_snapshot()` as they were from Linux 5.2 to 5.5: area by area, faulting until the walk
 * gets through.
 */
import { NONE } from '../../memory/entry.ts'
import type { AreaRules } from '../../walker/area-rules.ts'
import { walkArea, type AreaWalk } from '../../walker/hmm-5-2.ts'
import type { Catchers } from '../advance.ts'
import type { Agenda, Item, Outcome, RangeFault, Rules } from '../agenda.ts'
import { splitHugePud } from '../dax/devdax.ts'
import type { Failure } from '../failure.ts'
import type { Profile } from '../profiles.ts'
import type { Table } from '../../memory/table.ts'
import { FAULT_ERRNO } from './gup.ts'

/** `hmm_pfns_clear()`: what was not processed comes back as nothing. */
const cleared = (array: Table, { range, last }: RangeFault): Table => array.setRange(last, range.end - last, NONE, 0)
const RETRY: Readonly<Partial<Record<Failure, Failure>>> = { ...FAULT_ERRNO, VM_FAULT_RETRY: 'EAGAIN' }

/** How a kernel walks areas. */
export const areaRules = (profile: Profile): AreaRules => ({
  mirrorsDax: profile.mirrorsDax,
  holdsPagemap: profile.walkHoldsPagemap,
  refusesSpecial: profile.walkRefusesSpecial,
  sparesZeroPage: profile.walkSparesZeroPage,
  faultsSwap: profile.walkFaultsSwap,
  knowsWriteRight: profile.walkKnowsWriteRight,
  faultsInGaps: profile.walkFaultsInGaps,
  snapshotFails: profile.snapshotFails,
  thp: profile.thp,
  hugetlb: profile.hugetlb,
  pteSpecial: profile.pteSpecial,
})

/** `hmm_vma_walk_hole_()`: the faults of a part; they may drop the lock if the caller does not block, before v5.4 whatever it says. */
const faults = ({ mm, range }: RangeFault, { at, stop }: AreaWalk & { readonly stop: FaultStop }, profile: Profile): Item => {
  const mayRetry = !profile.blockKeepsLock || range.block === false
  return { do: 'hmm_vma_fault', mm, at, end: stop.end, access: stop.write ? 'write' : 'read', ...(mayRetry ? { mayRetry } : {}) }
}
type FaultStop = Extract<AreaWalk['stop'], { readonly why: 'fault' }>

/** What follows the walk of an area, from where and for what it stopped. */
function afterWalk(item: Item<'hmm_walk_area'>, walked: AreaWalk, profile: Profile): Pick<Outcome, 'then' | 'ret' | 'fail'> {
  const { mm, range, stale } = item
  const { at, last, stop } = walked
  const on = { ...item, at, last, pgmap: walked.pgmap }
  if (stop === null) return { then: [on] }
  if (stop.why === 'split') return { then: [...splitHugePud(mm, at), on] }
  const { again, ...second } = on
  if (again !== undefined) {
    // The first of two walks is for nothing: what it answers is lost, and what it has faulted in stays.
    const tried: Agenda = stop.why === 'fault' ? [faults(item, { ...walked, stop }, profile), { do: 'ignore_failure' }] : []
    return { then: [...tried, { ...second, at: again }] }
  }
  switch (stop.why) {
    case 'area':
      return at < range.end ? { then: [{ do: 'hmm_range_fault', mm, range, last: at, stale }] } : { ret: last - range.start }
    case 'error':
      return { fail: stop.errno }
    case 'null vma':
      return { fail: 'oops: handle_mm_fault' }
    case 'busy':
      return { then: [{ do: 'hmm_range_again', mm, range, last, stale }] }
    case 'fault':
      return { then: [faults(item, { ...walked, stop }, profile), { do: 'hmm_range_again', mm, range, last, stale }] }
  }
}

export const hmmRules5_2 = {
  // A reference to a page map is put in a step of its own.
  hmm_walk_area: (memory, item, { array: before, budget, profile }) => {
    const { mm, range, pgmap = null } = item
    const walk: AreaWalk = { at: item.at, last: item.last, array: before, pgmap, put: null, stop: null }
    const walked = walkArea(memory, mm, range, areaRules(profile), walk, budget)
    const { array, put, stop } = walked
    const held = walked.pgmap ?? put
    const { then = [], ...rest } = afterWalk(item, walked, profile)
    return {
      ...(pgmap === null && held !== null ? { facts: [['pagemap', held, 1]] } : {}),
      array,
      then: put === null ? then : [{ do: 'put_dev_pagemap', pagemap: put }, ...then],
      ...rest,
      cut: stop === null && put === null,
    }
  },

  // Pages were faulted in, or cannot be had yet: the area is walked again from the first of them, while the range is valid.
  hmm_range_again: (_, item, { array }) => {
    const { mm, range, last, stale } = item
    return {
      calls: [stale],
      replied: ([invalid]) =>
        invalid === true
          ? { array: cleared(array, item), fail: 'EBUSY' }
          : { then: [{ do: 'hmm_walk_area', mm, range, last, stale, at: last }] },
    }
  },
} satisfies Partial<Rules>

export const hmmCatchers5_2 = {
  hmm_range_again: (item, failure, array) => ({ array: cleared(array, item), fail: RETRY[failure] ?? failure }),
} satisfies Catchers
