/** Switches of what the CPU side does: areas, faults, copies, folios, migration entries and the pool of huge pages. */
import { flag, oneOf } from './switch.ts'

export const CPU_SWITCHES = {
  mprotectOpensAt: oneOf(
    ['pmd', 'pud'],
    'v6.8, change_pud_range()',
    'The level whose first populated entry opens the notifier section of mprotect.',
  ),
  mprotectRestoresWrite: oneOf(
    ['never', 'dirty exclusive', 'exclusive'],
    'can_change_pte_writable(), and v6.2',
    'Which anonymous pages become writable by mprotect alone: v6.2 no longer asks for dirty ones.',
  ),
  mprotectDropsAccount: flag('v6.6', 'Memory that was never touched is no longer accounted once it may not be written.'),
  swapInRestoresWrite: flag('v6.2', 'A page swapped in by a read is writable at once where the area is.'),
  reusesByRefs: flag(
    'v5.8 to v5.18, 09854ba94c6a',
    'A write uses a page of anonymous memory again if nobody else has a reference to it; before, if nobody else maps it.',
  ),
  tracksExclusive: flag('v5.19, PageAnonExclusive()', 'Anonymous pages are known to be exclusive or not; before, only counts decide.'),
  reusesPartOfFolio: flag(
    'until v6.10, wp_can_reuse_anon_folio()',
    'A write may use its part of a large folio again, once nobody else has any of it.',
  ),
  splitKeepsDirty: flag('v6.2', 'Small entries that a 2 MiB entry is split into stay dirty as it was.'),
  splitMapsZeroPage: flag('v6.12', 'Of a large folio that is split, pages that contain only zeroes are mapped to the zero page.'),
  estimatesSharing: flag(
    'v6.9, folio_likely_mapped_shared()',
    'Whether others map a folio too is estimated over all of it, not read off one page; a folio that is mapped whole need not be split.',
  ),
  goesOnBehindShared: flag(
    'v6.9',
    'Behind a large folio that others map too, MADV_FREE, _COLD and _PAGEOUT go on; before, the table ends there.',
  ),
  swapsSmallMapped: flag('v6.10', 'Reclaim swaps large folios out whole though no 2 MiB entry maps them.'),
  unmapSplitsFirst: flag(
    'until v6.11, try_to_unmap()',
    'Unmapping splits a 2 MiB entry in a notifier section of its own before it begins.',
  ),
  pageoutClearsAccessed: flag(
    'before v6.12',
    'MADV_PAGEOUT clears the accessed bit before it reclaims; later, that is left to the unmapping.',
  ),
  mremapRealigns: flag('v6.7, try_realign_addr()', 'mremap aligns a move down to 2 MiB where both sides leave room.'),
  hugetlbUnmapNotifies: flag(
    'until v6.2, __unmap_hugepage_range()',
    "Taking 2 MiB pages of the pool away opens a section of its own, within the caller's.",
  ),
  hugetlbRestoresPromise: flag('v6.9', 'A page of the pool that its owner gives up is promised to him again.'),
  mprotectKnowsPud: flag(
    'v6.12, change_huge_pud()',
    'mprotect knows entries of 1 GiB; before, it takes one for a damaged table and clears it, without a word to anybody.',
  ),
  faultsReadUnlocked: flag(
    'v5.1, 6b4c9f446981',
    'A fault on a page of a file that has to be read drops mmap_lock for it, if it may; before, only for a page that somebody else has locked.',
  ),
  freeAsksFirstPage: flag('v6.1', 'Whether others map a folio too, MADV_FREE asks of its first page, not of the one at hand.'),
  mremapKnowsDaxPmd: flag(
    'v5.10, pmd_devmap()',
    'mremap knows entries of 2 MiB of DAX files; before, it takes one for a table of small entries.',
  ),
  mremapKnowsPud: flag('v5.14', 'mremap moves entries of 1 GiB; before, it takes one for a damaged table and clears it.'),
  mremapMovesHugetlb: flag('v5.16, 550a7d60bd5e', 'mremap moves 2 MiB pages of the pool, and looks the area up first.'),
  hugetlbDiscards: flag('v5.18', 'MADV_DONTNEED discards 2 MiB pages of the pool.'),
  hugetlbForcedWrites: flag(
    'until v6.1, hugetlb_wp()',
    'By force, a debugger writes 2 MiB pages of the pool too; what was written so may be written from then on.',
  ),
  copiesHuge: flag('until v5.8, 3917c80280c9', 'A write to 2 MiB that others map too, or to the huge zero page, copies all of it.'),
  migrationKeepsMarks: flag('v6.1', 'Migration entries, and so the entries of a folio that was split, remember dirt and age.'),
  faultsReadAhead: flag(
    'recordings',
    'Faults on files read ahead: only where a device is told EAGAIN for a page that is not cached (walksAreaByArea) anybody sees it.',
  ),
  newestAdvice: oneOf(
    ['dontneed', 'free', 'wipeonfork', 'pageout', 'populate', 'collapse'],
    'v4.5, v4.14, v5.4, v5.14, v6.1',
    'The advice that madvise() learned last, each with what came before it; what came later is invalid.',
  ),
  mremapMovesTables: flag('v5.1, 2c91bd4a4e2e', 'mremap hangs a whole table in elsewhere; before, it moves entry by entry.'),
  forkCopiesHugetlb: flag('until v6.0, bcd51a3c679d', 'A fork copies the entries of 2 MiB pages of the pool, also of shared ones.'),
  wipedAreasPrepared: flag('until v5.7, dup_mmap()', 'An area that a fork wipes has an anon_vma of its own at once.'),
  mprotectForgetsHugeDirt: flag('pmd_modify()', 'mprotect forgets that a writable 2 MiB entry is dirty, but for those of the pool.'),
  faultMarksDirtyPages: flag(
    'v6.13, set_pte_range()',
    'A dirty page of a file is mapped dirty by a read too, where the entry may be written.',
  ),
  mremapMovesSeveral: flag(
    'v6.17, remap_move()',
    'mremap that only moves takes several areas, with their gaps; one that may not grow is refused before anything is unmapped.',
  ),
  discardFreesTables: flag('v6.14, CONFIG_PT_RECLAIM', 'MADV_DONTNEED over all that a table of PTEs can map frees the table.'),
  collapseNeedsWritable: flag('until v6.18', 'MADV_COLLAPSE leaves a block of which no page is writable as it is.'),
  hugeZeroGivesWay: flag(
    'v6.14, do_huge_zero_wp_pmd()',
    'A write to the huge zero page gets a whole huge page in its place; before, the entry is split.',
  ),
  zapDrains: flag('until v6.14, zap_page_range_single()', 'Before memory is unmapped, the batches of reclaim are emptied.'),
  batchSize: oneOf([15, 31], 'v6.10, PAGEVEC_SIZE', 'How many folios a batch of reclaim holds until it is emptied.'),
  mmapMergePrefers: oneOf(
    ['next', 'previous'],
    'v6.12',
    'Where a new mapping could merge with either neighbour but not with both, it takes this one.',
  ),
} as const
