/**
 * Bugs that kernels and their drivers had, each a switch: `v6.12,+commitsUnchecked` is Linux 6.12 with that one in it. A rule that
 * had the bug asks `profile.bugs`. What became of each, and an order of events that shows it, is in scenarios/races.
 *
 * A bug that a whole release had is no entry here but one of its switches (switches.ts): there the kernel itself is the exhibit.
 */
import type { Bug } from './bugs/bug.ts'
import { DEVICE_BUGS } from './bugs/devices.ts'
import { MEMORY_BUGS } from './bugs/memory.ts'
import { MIRRORING_BUGS } from './bugs/mirroring.ts'
import type { Profile } from './profiles/profile.ts'

export type { Bug } from './bugs/bug.ts'

export const BUGS = { ...MIRRORING_BUGS, ...DEVICE_BUGS, ...MEMORY_BUGS } as const satisfies Readonly<Record<string, Bug>>

export type BugName = keyof typeof BUGS
export const bugNames = Object.keys(BUGS) as readonly BugName[]
export const isBug = (word: string): word is BugName => Object.hasOwn(BUGS, word)
/** Why a kernel cannot have a bug, if it cannot. */
export const whyNot = (kernel: Profile, bug: BugName): string | undefined => {
  const { lacks }: Bug = BUGS[bug]
  return lacks?.(kernel)
}
