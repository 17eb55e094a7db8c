/** Bugs of mirroring: `hmm_range_fault()`, notifiers and their registry, and what drivers make of them. */
import type { Profile } from '../profiles/profile.ts'
import type { Bug } from './bug.ts'

const needsSequences = ({ rangeValidity }: Profile): string | undefined =>
  rangeValidity.includes('sequence') ? undefined : 'ranges have no sequence there'

export const MIRRORING_BUGS = {
  commitsUnchecked: {
    source: 'amdgpu, a FIXME in its patches for user pointers (2019): pages used before the retry check',
    says: 'A driver maps what its walk has found without asking whether the range was invalidated meanwhile.',
    lacks: needsSequences,
  },
} as const satisfies Readonly<Record<string, Bug>>
