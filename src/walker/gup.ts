/** Looking one page up for `get_user_pages()`: `follow_page_mask()` and what it asks of areas (mm/gup.c). */
import type { Page, Pfn } from '../memory/address.ts'
import { DIRTY, frameOf, isPresent, isWritable, SPECIAL } from '../memory/entry.ts'
import { frameKind, isExclusive } from '../memory/frames.ts'
import { mmOf, type Frames, type Memory, type MmName } from '../memory/memory.ts'
import { has, isAnonymous, isCow, VM_MAYREAD, VM_MAYSHARE, VM_READ, VM_SHARED, VM_WRITE, type Vma } from '../memory/vma.ts'

/** The `FOLL_` flags. */
export interface GupFlags {
  readonly write?: boolean
  /** Reads what may not be read, writes private memory that may not be written: a debugger's access. */
  readonly force?: boolean
  /** For core dumps: empty memory is an error rather than made. */
  readonly dump?: boolean
  readonly longterm?: boolean
  readonly nofault?: boolean
  /** Pins (`pin_user_pages`) rather than gets; neither only faults in. */
  readonly take?: 'get' | 'pin'
}

export type Followed =
  | { readonly kind: 'page'; readonly frame: Pfn; readonly clean: boolean }
  /** To be faulted in; with `unshare`, a copy is to be made without writing. */
  | { readonly kind: 'missing'; readonly unshare: boolean }
  | { readonly kind: 'error'; readonly errno: 'EFAULT' }

/** May pages of this area be had at all? `check_vma_flags()` */
export function mayGup(vma: Vma, flags: GupFlags): boolean {
  if (flags.write === true) return has(vma, VM_WRITE) || (flags.force === true && isCow(vma))
  return has(vma, VM_READ) || (flags.force === true && has(vma, VM_MAYREAD))
}

/** What differs between kernels, and what the call has done about this page already. */
export interface FollowRules {
  /** A read-only long-term pin of the zero page in private memory takes a page of its own. */
  readonly unsharesZeroPage: boolean
  /** Anonymous pages are known to be exclusive or not. */
  readonly tracksExclusive: boolean
  /** The write fault for it has been made. */
  readonly faulted: boolean
}

export function followPage(memory: Memory, mm: MmName, vma: Vma, page: Page, flags: GupFlags, rules: FollowRules): Followed {
  const entry = mmOf(memory, mm).pte.get(page)
  if (!isPresent(entry)) {
    return entry === 0 && flags.dump === true && isAnonymous(vma) ? { kind: 'error', errno: 'EFAULT' } : { kind: 'missing', unshare: false }
  }
  const frame = frameOf(entry)
  const special = (entry & SPECIAL) !== 0
  if (flags.write === true && !canFollowWrite(memory.frames, vma, entry, frame, flags, rules)) return { kind: 'missing', unshare: false }
  if (special && flags.dump === true) return { kind: 'error', errno: 'EFAULT' }
  if (!isWritable(entry) && mustUnshare(memory.frames, vma, frame, flags, rules)) return { kind: 'missing', unshare: true }
  return { kind: 'page', frame, clean: (entry & DIRTY) === 0 }
}

/**
 * `can_follow_write_pte()`: by force, a private page that nobody shares may be written although the entry forbids it.
 * Kernels that do not know who shares it make a write fault first, and then trust the dirty bit (`FOLL_COW`).
 */
function canFollowWrite(frames: Frames, vma: Vma, entry: number, frame: Pfn, flags: GupFlags, rules: FollowRules): boolean {
  if (isWritable(entry)) return true
  if (flags.force !== true) return false
  if (!rules.tracksExclusive) return rules.faulted && (entry & DIRTY) !== 0
  if (has(vma, VM_MAYSHARE | VM_SHARED | VM_WRITE) || !isCow(vma)) return false
  return frameKind(frames, frame) === 'anon' && isExclusive(frames, frame)
}

/** `gup_must_unshare()`: what is pinned for reading must stay what the process sees. */
function mustUnshare(frames: Frames, vma: Vma, frame: Pfn, flags: GupFlags, rules: FollowRules): boolean {
  if (flags.take !== 'pin' || flags.write === true || !rules.tracksExclusive) return false
  if (frameKind(frames, frame) === 'anon') return !isExclusive(frames, frame)
  return rules.unsharesZeroPage && flags.longterm === true && isCow(vma)
}
