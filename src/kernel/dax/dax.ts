/**
 * Faults on files on DAX (fs/dax.c): blocks of the file are mapped themselves, 2 MiB at once where file, memory and area
 * allow it; reads of holes see the zero page. The file's mapping keeps an entry for each index that was faulted.
 */
import { indexAt, pfn, PMD_PAGES, pmdStart, type Page, type Pfn } from '../../memory/address.ts'
import { ACCESSED, DEVMAP, DIRTY, frameOf, NONE, present, SPECIAL, withFlags, type Entry } from '../../memory/entry.ts'
import { DAX_DIRTY, DAX_NONE, DAX_PMD, daxEntry, daxKind, daxWord, isDying, pagemapOf } from '../../memory/dax.ts'
import { entries, pte, tablesTo, type Fact } from '../../memory/facts.ts'
import { fileOf, HUGE_ZERO_PFN, mmOf, pagesIn, ZERO_PFN, type File, type Memory } from '../../memory/memory.ts'
import { entryAt, hasPteTable, isHuge } from '../../memory/pagetable.ts'
import { has, linearIndex, VM_NOHUGEPAGE, VM_SHARED, type Vma } from '../../memory/vma.ts'
import type { Agenda, DaxFault, Fault, Item, Outcome, Rules } from '../agenda.ts'
import type { Catchers } from '../advance.ts'
import { allocBlocks, blockStart, mapBlocks } from './blocks.ts'
import { faultingVma, goesOn, newAnon, pageProt, written } from '../faults/faulting.ts'
import { holdsBlock } from '../faults/huge.ts'
import { fileLocked } from '../files/file-lock.ts'
import { hugeMapped, mapped } from '../pages/folio.ts'
import type { Profile } from '../profiles.ts'
import { splitHugePmd } from '../areas/vma.ts'

/** Does a fault try for 2 MiB first? Advice is not needed, only that it does not forbid it. */
export const triesHuge = (vma: Vma, { daxMapsHuge }: Profile): boolean => daxMapsHuge && !has(vma, VM_NOHUGEPAGE)

/** The fault, for an entry of one size or the other. */
export const daxFault = ({ mm, page, access }: Fault, order: DaxFault['order'], wp = false): Outcome => ({
  then: [{ do: 'ext4_dax_huge_fault', mm, page, access, order, wp }],
})

/** The file does not lose blocks meanwhile. */
function locked(memory: Memory, item: Item<'ext4_dax_huge_fault'>, { daxFaultsLock }: Profile): Outcome {
  const { mm, page, access, order, wp } = item
  const fault: Agenda = [{ ...item, do: 'dax_iomap_fault' }]
  const body = daxFaultsLock ? fileLocked(faultingVma(memory, item).file, 'invalidate_lock', true, fault) : fault
  return { then: order === 'pmd' ? [...body, { do: 'dax_fallback', mm, page, access, wp }] : body }
}

/** The indices that an entry of the fault's size is for. */
function span(vma: Vma, { page, order }: DaxFault): { readonly start: number; readonly count: number } {
  const index = linearIndex(vma, page)
  return order === 'pmd' ? { start: blockStart(index), count: PMD_PAGES } : { start: index, count: 1 }
}

const isWrite = ({ access }: Fault): boolean => access === 'write'
/** A write to private memory gets a copy of what the file has. */
const isCow = (item: Fault, vma: Vma): boolean => isWrite(item) && !has(vma, VM_SHARED)

/** `dax_fault_check_fallback()`: what rules 2 MiB out before the file is asked. */
const mustBeSmall = (vma: Vma, item: Fault, file: File): boolean =>
  (linearIndex(vma, item.page) - item.page) % PMD_PAGES !== 0 ||
  isCow(item, vma) ||
  !holdsBlock(vma, item.page) ||
  blockStart(linearIndex(vma, item.page)) + PMD_PAGES > pagesIn(file)

/** No 2 MiB: an entry that is there is split. */
function fallback(memory: Memory, { mm, page }: DaxFault, facts: readonly Fact[] = []): Outcome {
  const then = isHuge(mmOf(memory, mm), page) ? splitHugePmd(mm, page) : []
  return { ...(facts.length === 0 ? {} : { facts }), then, fail: 'VM_FAULT_FALLBACK' }
}

/** The fault goes on for a small page; first, what is there is split. */
const triesSmall = (item: Fault, splits: boolean): Outcome => ({
  then: [...(splits ? splitHugePmd(item.mm, item.page) : []), ...(goesOn('handle_pte_fault', item).then ?? [])],
})

/** `dax_iomap_pmd_fault()`, `dax_iomap_pte_fault()`, as far as `grab_mapping_entry()`. */
function fault(memory: Memory, item: Item<'dax_iomap_fault'>): Outcome {
  const { do: _, ...faulting } = item
  const vma = faultingVma(memory, item)
  const file = fileOf(memory, vma.file)
  const { start, count } = span(vma, item)
  const mm = mmOf(memory, item.mm)
  if (start >= pagesIn(file)) return { fail: 'VM_FAULT_SIGBUS' }
  if (item.order === 'pmd' && mustBeSmall(vma, item, file)) return fallback(memory, item)
  // Somebody else was faster, with an entry of the other size.
  if (item.order === 'pmd' ? hasPteTable(mm, item.page) : isHuge(mm, item.page)) return {}
  const at = file.dax.next(start, start + count)
  const known = at < start + count ? file.dax.get(at) : DAX_NONE
  if (known !== DAX_NONE && item.order === 'pmd' && (known & DAX_PMD) === 0) return fallback(memory, item)
  if ((known & DAX_PMD) !== 0 && item.order === 'pte' && daxKind(known) !== 'block') return downgraded(item, vma, known)
  const then = [{ ...faulting, do: 'dax_fault_iter' }] as const
  if (known !== DAX_NONE) return { then }
  const empty = daxEntry('empty', item.order === 'pmd' ? DAX_PMD : 0)
  return { facts: [['dax', vma.file, start, count, daxWord(empty)]], then }
}

/** A 2 MiB entry that stands for no block gives way to small ones; who has the huge zero page mapped for it loses it. */
function downgraded(item: Item<'dax_iomap_fault'>, vma: Vma, known: number): Outcome {
  const start = blockStart(linearIndex(vma, item.page))
  const block = { file: vma.file, start, end: start + PMD_PAGES }
  return {
    then: [
      ...(daxKind(known) === 'zero' ? [{ do: 'unmap_mapping_range', ...block, evenCows: false } as const] : []),
      { do: 'dax_store_entry', ...block, entry: DAX_NONE },
      item,
    ],
  }
}

/** `dax_fault_iter()`: what the file has there; a write allocates what it has not, as far as the hole goes. */
function iter(memory: Memory, item: Item<'dax_fault_iter'>, profile: Profile): Outcome {
  const { do: _, ...faulting } = item
  const vma = faultingVma(memory, item)
  const { start, count } = span(vma, item)
  const found = mapBlocks(memory, vma.file, start, count)
  if ((found.frame !== 0 || isWrite(item)) && isDead(memory, vma)) return { fail: 'VM_FAULT_SIGBUS' }
  if (item.order === 'pte' && isCow(item, vma)) return copied(memory, item, vma, found.frame, profile)
  const allocated = isWrite(item) && found.frame === 0 ? allocBlocks(memory, vma.file, start, found.count) : []
  const frame = allocated.length === 0 ? found.frame : blockAmong(allocated)
  const small = frame % PMD_PAGES !== 0 || (frame !== 0 && pagemapOf(frame) === undefined)
  if (found.count < count || (item.order === 'pmd' && small)) return fallback(memory, item, allocated)
  const then = [{ ...faulting, do: 'dax_insert_entry', frame }] as const
  return allocated.length === 0 ? { then } : { facts: allocated, then }
}
/** `dax_map_atomic()`: is the device of the file gone? */
const isDead = (memory: Memory, vma: Vma): boolean => fileOf(memory, vma.file).pfnMap !== false && isDying(memory, 'pmem0')
const blockAmong = (facts: readonly Fact[]): Pfn => {
  const blocks = facts.find(fact => fact[0] === 'blocks')
  return blocks === undefined ? pfn(0) : blocks[4]
}

/** `dax_fault_cow_page()`: what the file has is copied; a hole reads as zeroes. */
function copied(memory: Memory, item: DaxFault, vma: Vma, from: Pfn, profile: Profile): Outcome {
  const { mm, page } = item
  if (mmOf(memory, mm).pte.get(page) !== NONE) return {}
  const { frames } = memory
  const content = from === 0 ? 0 : frames.content.get(from)
  return {
    facts: [
      ...tablesTo(memory, mm, page, 'pte'),
      newAnon(vma, item, frames.free, content, profile),
      pte(mm, page, present(pageProt(vma) | written(vma), frames.free)),
    ],
  }
}

/** `dax_insert_entry()`: where the zero page stood for a hole that has a block now, everybody loses it first. */
function insert(memory: Memory, item: Item<'dax_insert_entry'>, profile: Profile): Outcome {
  const { do: _, ...inserting } = item
  const vma = faultingVma(memory, item)
  const { start, count } = span(vma, item)
  const known = fileOf(memory, vma.file).dax.get(start)
  const huge = (known & DAX_PMD) !== 0
  const own = { file: vma.file, start: huge ? blockStart(start) : start, end: huge ? blockStart(start) + PMD_PAGES : start + count }
  const dirty = isWrite(item) || profile.daxReadsDirty ? DAX_DIRTY : 0
  const stands = daxKind(known) === 'block'
  const entry = (stands ? known : daxEntry(item.frame === 0 ? 'zero' : 'block', known & (DAX_PMD | DAX_DIRTY))) | dirty
  return {
    then: [
      ...(daxKind(known) === 'zero' && item.frame !== 0 ? [{ do: 'unmap_mapping_range', ...own, evenCows: false } as const] : []),
      ...(entry === known ? [] : [{ do: 'dax_store_entry', ...own, entry } as const]),
      { ...inserting, do: 'vmf_insert_pfn' },
    ],
  }
}

/**
 * What a new entry is: of a block, or of the zero page, which is never writable. It says that there is a page map if there
 * is: if the device said both PFN_DEV and PFN_MAP.
 */
function newEntry(vma: Vma, { order, frame, access }: Item<'vmf_insert_pfn'>, { marksDevmap, countsDaxPages }: Profile): Entry {
  const special = order === 'pte' ? SPECIAL : 0
  if (frame === 0) return present(pageProt(vma) | special, order === 'pte' ? ZERO_PFN : HUGE_ZERO_PFN)
  const devmap = marksDevmap && pagemapOf(frame) !== undefined ? DEVMAP : 0
  const mark = countsDaxPages ? 0 : devmap | special
  return present(pageProt(vma) | mark | (access === 'write' ? written(vma) : 0), frame)
}

/** What counts the new entry, if blocks are pages like others. */
const counted = ({ frames }: Memory, { order, frame }: Item<'vmf_insert_pfn'>, profile: Profile): readonly Fact[] =>
  frame === 0 || !profile.countsDaxPages ? [] : order === 'pte' ? mapped(frames, [frame]) : hugeMapped(frame)

/** `vmf_insert_pfn_pmd()`, `vmf_insert_mixed_mkwrite()`: one that is there becomes writable, if that is wanted. */
function insertPfn(memory: Memory, item: Item<'vmf_insert_pfn'>, profile: Profile): Outcome {
  const { mm, page, order, frame } = item
  const vma = faultingVma(memory, item)
  const index = indexOf(order, page)
  const found = entryAt(mmOf(memory, mm), order, page)
  if (found !== NONE) {
    const marks = order === 'pte' && profile.countsDaxPages ? written(vma) & ~DIRTY : written(vma)
    const upgraded = isWrite(item) && frameOf(found) === frame ? withFlags(found, ACCESSED | marks) : found
    return upgraded === found ? {} : { facts: [entries(order, mm, index, 1, upgraded)] }
  }
  const at = order === 'pmd' ? pmdStart(page) : page
  const entry = entries(order, mm, index, 1, newEntry(vma, item, profile))
  return { facts: [...tablesTo(memory, mm, at, order), entry, ...counted(memory, item, profile)] }
}
const indexOf = (order: DaxFault['order'], page: Page): number => (order === 'pmd' ? indexAt('pmd', page) : page)

export const daxRules = {
  ext4_dax_huge_fault: (memory, item, { profile }) => locked(memory, item, profile),
  dax_iomap_fault: (memory, item) => fault(memory, item),
  dax_fault_iter: (memory, item, { profile }) => iter(memory, item, profile),
  dax_insert_entry: (memory, item, { profile }) => insert(memory, item, profile),
  dax_store_entry: (_, { file, start, end, entry }) => ({ facts: [['dax', file, start, end - start, daxWord(entry)]] }),
  vmf_insert_pfn: (memory, item, { profile }) => insertPfn(memory, item, profile),
  dax_fallback: () => ({}),

  // A write to a 2 MiB entry of a file that may not be written: the file is asked for another, or it is split.
  wp_huge_pmd: (memory, item, { profile }) => {
    const asks = has(faultingVma(memory, item), VM_SHARED) || profile.privateHugeWritesAskFile
    return asks ? daxFault(item, 'pmd', true) : triesSmall(item, true)
  },
} satisfies Partial<Rules>

export const daxCatchers = {
  // An entry that was to become writable is split once more; then a small page is tried.
  dax_fallback: (item, failure) => (failure === 'VM_FAULT_FALLBACK' ? triesSmall(item, item.wp) : { fail: failure }),
} satisfies Catchers
