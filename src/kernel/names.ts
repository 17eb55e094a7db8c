/** The names of the actors that belong to an address space. */
import type { MmName } from '../memory/memory.ts'
import type { ActorName } from './offer.ts'

export const registryOf = (mm: MmName): ActorName => `${mm}.registry`
export const mmapLockOf = (mm: MmName): ActorName => `${mm}.mmap_lock`
/** The list of `hmm_mirror`s, up to v5.4. */
export const hmmOf = (mm: MmName): ActorName => `${mm}.hmm`
