/** Bugs of mirroring: `hmm_range_fault()`, notifiers and their registry, and what drivers make of them. */
import type { Profile } from '../profiles/profile.ts'
import type { Bug } from './bug.ts'

const needsSequences = ({ rangeValidity }: Profile): string | undefined =>
  rangeValidity.includes('sequence') ? undefined : 'ranges have no sequence there'

const needsLaterWalk = ({ walksAreaByArea, rangeValidity }: Profile): string | undefined =>
  walksAreaByArea || rangeValidity === 'valid flag at the end' ? 'its walk is an earlier one' : undefined

export const MIRRORING_BUGS = {
  commitsUnchecked: {
    source: 'amdgpu, a FIXME in its patches for user pointers (2019): pages used before the retry check',
    says: 'A driver maps what its walk has found without asking whether the range was invalidated meanwhile.',
    lacks: needsSequences,
  },
  swapNotFaulted: {
    source: 'hmm_vma_handle_pte() of v5.2 and v5.3, ended by 76612d6ce4cc',
    says: 'The walk takes a page in swap for nothing: who asks to have it is told of success, and has no page.',
    lacks: needsLaterWalk,
  },
  migrationNotAwaited: {
    source: 'hmm_vma_handle_pte() up to v5.6, ended by 846babe85efd',
    says: 'The walk takes a page on its way for nothing, and does not wait: who asks to have it is told of success, and has no page.',
    lacks: needsLaterWalk,
  },
  foreignPrivateAccepted: {
    source: 'hmm_range_fault() up to v5.6, ended by 08ddddda667b',
    says: "The walk hands out pages in any device's private memory, as if they were the caller's own.",
    lacks: needsLaterWalk,
  },
  removeSeesSequence: {
    source: 'mmu_interval_notifier_remove() up to v5.17, ended by 319561669a59',
    says: 'Who removes an interval notifier goes on once the sequence has moved, which is before the removal is worked off.',
    lacks: needsSequences,
  },
  dirtiesUnderLock: {
    source: 'xe, user pointers (v6.14), ended by "drm/xe/userptr: fix notifier vs folio deadlock" (2025)',
    says: 'Under the lock that its callback takes, a driver marks pages dirty, and waits for the locks of their folios.',
  },
  refusalSwallowed: {
    source: 'hmm_invalidate_range_start() of v5.2, whose inner variable hid the result; ended in v5.3',
    says: 'A driver that may not block declines an invalidation, and nobody is told: the pages are taken away all the same.',
    lacks: needsSequences,
  },
} as const satisfies Readonly<Record<string, Bug>>
