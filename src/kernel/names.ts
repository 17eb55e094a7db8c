/** The names of the actors that belong to an address space. */
import type { MmName } from '../memory/memory.ts'
import type { ActorName } from './offer.ts'

export const registryOf = (mm: MmName): ActorName => `${mm}.registry`
export const mmapLockOf = (mm: MmName): ActorName => `${mm}.mmap_lock`
/** The locks of all folios. */
export const FOLIO_LOCK: ActorName = 'folio_lock'
/** Open files of the test driver are numbered, for device memory keeps the number of the one that put a page there. */
export const mirrorName = (n: number): ActorName => `dmirror${n}`
export const mirrorNumber = (who: ActorName): number => Number(who.slice('dmirror'.length))
/** The notifier that such a file registers for the time of a snapshot. */
export const snapshotOf = (who: ActorName): ActorName => `${who}.snapshot`
/** What a device has mapped for DMA. */
export const dmaOf = (device: ActorName): ActorName => `${device}.dma`
/** The list of `hmm_mirror`s, up to v5.5. */
export const hmmOf = (mm: MmName): ActorName => `${mm}.hmm`
/** Who runs a device's program, and handles its faults. */
export const handlerOf = (device: ActorName): ActorName => `${device}.range`
/** The time that a device's driver gives a fault, if it does not take any. */
export const timeoutOf = (device: ActorName): ActorName => `${device}.timeout`
/** Who works for a device beside it, if somebody does. */
export const workerOf = (device: ActorName): ActorName => `${device}.worker`
