/**
 * Which entries have a page that is to be looked for (`vm_normal_page()`, mm/memory.c). Architectures whose entries have a bit for
 * it mark those that have none as special; on others, what is mapped says so.
 */
import { pfn } from './address.ts'
import { frameOf, NEXT_FRAME, SPECIAL } from './entry.ts'
import { ZERO_PFN } from './memory.ts'

/** Registers of devices: addresses that are no memory, and so have no `struct page`. */
export const MMIO_FIRST = pfn(2 * 2 ** 20)
const MMIO_END = pfn(3 * 2 ** 20)
/** `!pfn_valid()` */
export const isRegister = (frame: number): boolean => frame >= MMIO_FIRST && frame < MMIO_END

/** Does a present entry lead to a page that counts who maps it? */
export function hasPage(entry: number): boolean {
  if ((entry & SPECIAL) !== 0) return false
  const frame = frameOf(entry)
  return frame !== ZERO_PFN && !isRegister(frame)
}

/** The frame is the upper part of an entry. */
const FIRST_REGISTER = MMIO_FIRST * NEXT_FRAME
/** False of most entries at once, for loops over many; what it is true of has to be looked at. */
export const mayHaveNoPage = (entry: number): boolean => (entry & SPECIAL) !== 0 || entry >= FIRST_REGISTER
