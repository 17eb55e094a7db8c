/** Looking one page up for `get_user_pages()`: `follow_page_mask()` and what it asks of areas (mm/gup.c). */
import { pageAt, PMD_PAGES, type Level, type Page, type Pfn } from '../memory/address.ts'
import { isDying, pagemapOf } from '../memory/dax.ts'
import { ACCESSED, DEVMAP, DIRTY, frameOf, isPresent, isWritable, NONE, PROTNONE, withFlags, type Entry } from '../memory/entry.ts'
import { entries, type Fact } from '../memory/facts.ts'
import { frameKind, isAnon, isExclusive } from '../memory/frames.ts'
import { fileOf, mmOf, type File, type FileKind, type Frames, type Memory, type MmName } from '../memory/memory.ts'
import { hasPage } from '../memory/normal-page.ts'
import { frameAt, leafAt, type Leaf } from '../memory/pagetable.ts'
import {
  has,
  isAccessible,
  isAnonymous,
  isCow,
  linearIndex,
  VM_HUGETLB,
  VM_IO,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_PFNMAP,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  type Vma,
} from '../memory/vma.ts'

/** The `FOLL_` flags. */
export interface GupFlags {
  readonly write?: boolean
  /** Reads what may not be read, writes private memory that may not be written: a debugger's access. */
  readonly force?: boolean
  /** For core dumps: empty memory is an error rather than made. */
  readonly dump?: boolean
  readonly longterm?: boolean
  readonly nofault?: boolean
  /** 2 MiB entries are split rather than followed (`FOLL_SPLIT_PMD`). */
  readonly splitPmd?: boolean
  /** Pins (`pin_user_pages`) rather than gets (`FOLL_GET`); neither only faults in. */
  readonly take?: 'get' | 'pin'
  /** Entries, and pages, are not marked as accessed or dirty: without `FOLL_TOUCH`. */
  readonly touch?: false
  /** Entries that were closed as NUMA hints are left to a fault (`FOLL_NUMA`), or not; as the kernel has it, if not said. */
  readonly numa?: boolean
}

/** What differs between kernels, and what the call has done about this page already. */
export interface FollowRules {
  /** A read-only long-term pin of the zero page in private memory takes a page of its own. */
  readonly unsharesZeroPage: boolean
  /** Anonymous pages are known to be exclusive or not. */
  readonly tracksExclusive: boolean
  /** Long-term pins for writing are refused where a file system has to hear of writes. */
  readonly longtermRefusesTracked: boolean
  /** 2 MiB pages of the pool are followed without marking them. */
  readonly followsHugetlbApart: boolean
  /** Who asks for the page of an entry that has none is told EFAULT, and the entry is left as it is. */
  readonly refusesRaw: boolean
  /** Entries of 1 GiB are marked by who only faults in, too. */
  readonly marksHugePud: boolean
  /** By force, 2 MiB pages of the pool are written too. */
  readonly forcesHugetlb: boolean
  /** Pages of DAX are counted like any other, and their entries have no mark. */
  readonly countsDaxPages: boolean
  /** What touches an entry of 2 MiB makes it dirty. */
  readonly touchDirtiesPmd: boolean
  /** Unless it is forced, entries that were closed as NUMA hints are left to a fault. */
  readonly honorsNuma: boolean
  /** The write fault for it has been made. */
  readonly faulted: boolean
  /** Whether a page map is dying is not asked. */
  readonly takesDying: boolean
  /** Page maps that the call has already, dying or not. */
  readonly held: readonly string[]
}

export type Followed =
  /** `facts`: 2 MiB entries are marked as they are followed. */
  | { readonly kind: 'page'; readonly frame: Pfn; readonly clean: boolean; readonly huge: boolean; readonly facts: readonly Fact[] }
  /** An entry without a page that could be had: it is marked, and up to its end there is no more to it. */
  | { readonly kind: 'raw'; readonly facts: readonly Fact[]; readonly end: Page }
  /** To be faulted in; with `unshare`, a copy is to be made without writing. `dying`: it is mapped, and its page map is going. */
  | { readonly kind: 'missing'; readonly unshare: boolean; readonly dying?: true }
  /** A 2 MiB entry, to be split. */
  | { readonly kind: 'split' }
  | { readonly kind: 'error'; readonly errno: Refused; readonly facts?: readonly Fact[] }

/** Of a kernel that takes an entry of DAX memory for one of a transparent huge page, nothing more is heard. */
type Refused = 'EFAULT' | 'oops: follow_trans_huge_pmd'

const TRACKED: ReadonlySet<FileKind> = new Set<FileKind>(['ext4', 'dax'])
const UNHANDLED: ReadonlySet<FileKind> = new Set<FileKind>(['test_hmm', 'probe'])
const fileIn = (memory: Memory, vma: Vma): File | undefined => (isAnonymous(vma) ? undefined : fileOf(memory, vma.file))

/** Why pages of this area cannot be had at all, if so: `check_vma_flags()` */
export function refusesGup(
  memory: Memory,
  vma: Vma,
  flags: GupFlags,
  rules: Omit<FollowRules, 'faulted' | 'held'>,
): 'EFAULT' | 'EOPNOTSUPP' | undefined {
  if (has(vma, VM_IO | VM_PFNMAP)) return 'EFAULT'
  if (flags.splitPmd === true && has(vma, VM_HUGETLB) && !rules.followsHugetlbApart) return 'EOPNOTSUPP'
  const kind = fileIn(memory, vma)?.kind
  if (flags.longterm === true && kind === 'dax') return 'EOPNOTSUPP'
  if (flags.write === true) {
    const tracked = kind !== undefined && TRACKED.has(kind) && has(vma, VM_SHARED) && has(vma, VM_WRITE)
    if (rules.longtermRefusesTracked && flags.longterm === true && flags.take === 'pin' && tracked) return 'EFAULT'
    return has(vma, VM_WRITE) || (flags.force === true && (rules.forcesHugetlb || !has(vma, VM_HUGETLB)) && isCow(vma))
      ? undefined
      : 'EFAULT'
  }
  return has(vma, VM_READ) || (flags.force === true && has(vma, VM_MAYREAD)) ? undefined : 'EFAULT'
}

/** Is there nothing behind an empty entry that a core dump would have? `no_page_table()` */
function isBare(memory: Memory, vma: Vma, page: Page): boolean {
  if (isAnonymous(vma)) return true
  const { kind, cache } = fileOf(memory, vma.file)
  return UNHANDLED.has(kind) || (kind === 'hugetlb' && !isPresent(cache.get(Math.floor(linearIndex(vma, page) / PMD_PAGES))))
}
const pageAfter = (level: Level, index: number): Page => pageAt(level, index + 1)

export function followPage(memory: Memory, mm: MmName, vma: Vma, page: Page, flags: GupFlags, rules: FollowRules): Followed {
  const leaf = leafAt(mmOf(memory, mm), page)
  const { entry, level, index } = leaf
  if (!isPresent(entry)) {
    const bare = entry === NONE && flags.dump === true && isBare(memory, vma, page)
    return bare ? { kind: 'error', errno: 'EFAULT' } : { kind: 'missing', unshare: false }
  }
  if (honorsNuma(vma, entry, flags, rules)) return { kind: 'missing', unshare: false }
  const apart = rules.followsHugetlbApart && has(vma, VM_HUGETLB)
  const devmap = (entry & DEVMAP) !== 0
  if (level === 'pmd' && flags.splitPmd === true && !apart && !devmap) return { kind: 'split' }
  const frame = frameAt(leaf, page)
  // What is mapped by one entry is exclusive as a whole: its first frame says so.
  const first = frameOf(entry)
  const zero = frameKind(memory.frames, frame) === 'zero'
  if (flags.write === true && !canFollowWrite(memory.frames, vma, entry, first, flags, rules)) return { kind: 'missing', unshare: false }
  if (zero && flags.dump === true) return { kind: 'error', errno: 'EFAULT' }
  const marks = touched(mm, leaf, flags, rules)
  if (devmap && flags.take !== undefined && !hasPagemap(memory, frame, rules)) {
    // A small entry counts as if nothing were mapped; a larger one is an error.
    return level === 'pte' ? { kind: 'missing', unshare: false, dying: true } : { kind: 'error', errno: 'EFAULT', facts: marks }
  }
  if (level === 'pmd' && !devmap && flags.take !== undefined && !rules.countsDaxPages && frameKind(memory.frames, frame) === 'fsdax')
    return { kind: 'error', errno: 'oops: follow_trans_huge_pmd' }
  // Device memory is a page only for who takes it: what only faults in goes on without.
  const raw = !zero && (devmap ? flags.take === undefined : !hasPage(entry))
  if (raw && ((flags.dump === true && level === 'pte') || (rules.refusesRaw && flags.take !== undefined)))
    return { kind: 'error', errno: 'EFAULT' }
  if (raw) return { kind: 'raw', facts: level === 'pud' && !rules.marksHugePud ? [] : marks, end: pageAfter(level, index) }
  if (!isWritable(entry) && mustUnshare(memory.frames, vma, first, flags, rules)) return { kind: 'missing', unshare: true }
  return {
    kind: 'page',
    frame,
    clean: level === 'pte' && (entry & DIRTY) === 0,
    huge: level !== 'pte',
    facts: level === 'pte' || apart ? [] : marks,
  }
}

/** Is the entry closed to learn who uses it, and does the call count as a use? `pte_protnone()` with `FOLL_NUMA` */
function honorsNuma(vma: Vma, entry: Entry, flags: GupFlags, rules: FollowRules): boolean {
  if ((entry & PROTNONE) === 0) return false
  return flags.numa ?? (rules.honorsNuma && flags.force !== true && isAccessible(vma))
}

/** `follow_pfn_pte()`, `touch_pmd()`: an entry of 2 MiB changes only if it becomes dirty. */
function touched(mm: MmName, { entry, level, index }: Leaf, flags: GupFlags, rules: FollowRules): readonly Fact[] {
  if (flags.touch === false) return []
  const dirties = flags.write === true || (level === 'pmd' && rules.touchDirtiesPmd)
  const marked = withFlags(entry, ACCESSED | (dirties ? DIRTY : 0))
  return marked === entry || (level !== 'pte' && !dirties) ? [] : [entries(level, mm, index, 1, marked)]
}

/** `get_dev_pagemap()`: a page map that is dying is had only by who has it already. */
function hasPagemap(memory: Memory, frame: Pfn, { takesDying, held }: FollowRules): boolean {
  const pagemap = pagemapOf(frame)
  return pagemap !== undefined && (takesDying || !isDying(memory, pagemap) || held.includes(pagemap))
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
  return isAnon(frames, frame) && isExclusive(frames, frame)
}

/** `gup_must_unshare()`: what is pinned for reading must stay what the process sees. */
function mustUnshare(frames: Frames, vma: Vma, frame: Pfn, flags: GupFlags, rules: FollowRules): boolean {
  if (flags.take !== 'pin' || flags.write === true || !rules.tracksExclusive) return false
  if (isAnon(frames, frame)) return !isExclusive(frames, frame)
  return rules.unsharesZeroPage && flags.longterm === true && isCow(vma)
}
