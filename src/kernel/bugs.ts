/**
 * Bugs that kernels and their drivers had, each a switch: `v6.12,+commitsUnchecked` is Linux 6.12 with that one in it. A rule that
 * had the bug asks `kernel.profile.bugs`. What became of each, and an order of events that shows it, is in scenarios/races.
 *
 * A bug that a whole release had is no entry here but one of its switches (switches.ts): there the kernel itself is the exhibit.
 */
import type { Profile } from './profiles/profile.ts'

export interface Bug {
  /** Where it was, and what ended it: commit, patch or report. */
  readonly source: string
  /** What is done wrong, in a sentence. */
  readonly says: string
  /** Why a kernel cannot have it, if it cannot: it lacks what the bug is in. */
  readonly lacks?: (kernel: Profile) => string | undefined
}

const needsSequences = ({ rangeValidity }: Profile): string | undefined =>
  rangeValidity.includes('sequence') ? undefined : 'ranges have no sequence there'

const needsDevices = ({ hasHmm }: Profile): string | undefined => (hasHmm ? undefined : 'it has no HMM, and so no device that mirrors')

export const BUGS = {
  commitsUnchecked: {
    source: 'amdgpu, a FIXME in its patches for user pointers (2019): pages used before the retry check',
    says: 'A driver maps what its walk has found without asking whether the range was invalidated meanwhile.',
    lacks: needsSequences,
  },
  noDeviceTlbFlush: {
    source: 'what an invalidate callback has to have done when it returns (Documentation/mm/mmu_notifier.rst)',
    says: 'A driver drops pages from its device table, and leaves them in the TLB of the device.',
    lacks: needsDevices,
  },
  doesNotWaitForDma: {
    source: 'the same; drivers of user pointers wait for fences there (amdgpu, i915)',
    says: 'A driver drops pages from its device table while accesses to them are in flight, and does not wait for those.',
    lacks: needsDevices,
  },
} as const satisfies Readonly<Record<string, Bug>>

export type BugName = keyof typeof BUGS
export const bugNames = Object.keys(BUGS) as readonly BugName[]
export const isBug = (word: string): word is BugName => Object.hasOwn(BUGS, word)
/** Why a kernel cannot have a bug, if it cannot. */
export const whyNot = (kernel: Profile, bug: BugName): string | undefined => {
  const { lacks }: Bug = BUGS[bug]
  return lacks?.(kernel)
}
