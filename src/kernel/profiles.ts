/**
 * Kernel profiles: what differs between releases, as data. Rules ask a switch by what it says; none asks for a version.
 * What a switch decides, what it may be set to and where that is from stands in switches.ts.
 */
import { v4_14, v4_14_pre, v4_4, v4_5, v5_2, v5_2_pre, v5_4, v5_5, v5_5_pre } from './profiles/legacy.ts'
import { v5_15, v5_16, v6_0, v6_1, v6_12, v7_1 } from './profiles/modern.ts'
import type { Profile } from './profiles/profile.ts'

export type { Profile } from './profiles/profile.ts'

const all: readonly Profile[] = [v4_4, v4_5, v4_14_pre, v4_14, v5_2_pre, v5_2, v5_4, v5_5_pre, v5_5, v5_15, v5_16, v6_0, v6_1, v6_12, v7_1]
/** The profile that is meant where none is named. */
export const DEFAULT_PROFILE = v6_12.name
export const profileNames: readonly string[] = all.map(p => p.name)
/** Every profile, oldest first. */
export const profiles: readonly Profile[] = all
export const profileNamed = (name: string): Profile | undefined => all.find(p => p.name === name)
