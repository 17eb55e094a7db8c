/** Entries of a mirror's page table (`dmirror->pt`): a frame and flags. */
import { frameOf, NEXT_FRAME } from '../../memory/entry.ts'
import type { Pfn } from '../../memory/address.ts'

export const MAPPED = 1
export const MAPPED_WRITE = 2
/** `DPT_XA_TAG_ATOMIC`: the device has the page to itself. */
export const MAPPED_ATOMIC = 4
/**
 * The entry is of the system page that backs a private page, which only migration puts there. An entry of a private page
 * itself, which a fault returns, is of memory that the test driver has no mapping of: it dies when it reads there.
 */
export const BACKED = 8

export const tableEntry = (frame: Pfn, flags: number): number => frame * NEXT_FRAME + (MAPPED | flags)
export const mappedFrame = (entry: number): Pfn => frameOf(entry)
export const has = (entry: number, flag: number): boolean => (entry & flag) !== 0
