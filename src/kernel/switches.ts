/**
 * The switches of kernel profiles, each declared once: where its fact is from (the release, commit or function), and what
 * it decides, in a sentence. Their names and values are the type of a profile (profiles.ts), and `mirrorwalk profiles`
 * prints them.
 */

/** What a switch is set to: whether, which or how many. */
export type Setting = boolean | string | number

export interface Switch<V extends Setting> {
  /** What it may be set to, the oldest way first. */
  readonly values: readonly V[]
  /** The release since when it is so (unless it says until when), the commit, the function. */
  readonly source: string
  readonly says: string
}

/** Something that a kernel does or does not. */
const flag = (source: string, says: string): Switch<boolean> => ({ values: [false, true], source, says })
/** One of several ways. */
const oneOf = <const V extends string | number>(values: readonly V[], source: string, says: string): Switch<V> => ({ values, source, says })

export const SWITCHES = {
  rangeValidity: oneOf(
    ['valid flag at the end', 'valid flag', 'sequence'],
    'v5.5, 04ec32fbc2b2; v4.20, ec131b2d7fa6',
    'How a driver knows that its range was invalidated: by the sequence number of an interval notifier, or by the valid flag of a range registered with hmm_mirror, which forgets (seed 004); before v4.20 the flag goes only when the invalidation ends, for good.',
  ),
  invalidRange: oneOf(
    ['EAGAIN', 'EBUSY'],
    'v5.4',
    'What hmm_range_fault() says of a range that was invalidated: with EAGAIN the lock is dropped.',
  ),
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
  populateStopsAtGap: flag(
    'v6.10',
    'MADV_POPULATE_* is one walk, which ends at a gap; before, it goes area by area, and on behind the gap.',
  ),
  longtermNeedsPin: flag('v5.6, is_valid_gup_flags()', 'FOLL_LONGTERM is for pins alone; before, get_user_pages_remote() refuses it.'),
  longtermUnsharesZeroPage: flag('v6.2, gup_must_unshare()', 'A read-only long-term pin of the zero page gets a page of its own.'),
  longtermRefusesTracked: flag(
    'v6.5, writable_file_mapping_allowed()',
    'Long-term pins for writing are refused where the file system has to hear of writes.',
  ),
  mremapRealigns: flag('v6.7, try_realign_addr()', 'mremap aligns a move down to 2 MiB where both sides leave room.'),
  hugetlbUnmapNotifies: flag(
    'until v6.2, __unmap_hugepage_range()',
    "Taking 2 MiB pages of the pool away opens a section of its own, within the caller's.",
  ),
  hugetlbRestoresPromise: flag('v6.9', 'A page of the pool that its owner gives up is promised to him again.'),
  followsHugetlbApart: flag(
    'until v6.6, follow_hugetlb_page()',
    'GUP follows pages of the pool by a function of its own, which marks nothing, and faults whatever is asked.',
  ),
  punchWritesBack: flag(
    'ext4_punch_hole(), until it was refactored',
    'Punching a hole into a file of ext4 writes the dirty pages of the range back first.',
  ),
  punchPassesEnd: flag(
    'ext4_punch_hole(), until it was refactored',
    'A hole that reaches over the end of a file of ext4 whose last page is whole is punched a page further than the file goes.',
  ),
  punchAlwaysBreaksLayouts: flag(
    'ext4_fallocate()',
    'Punching a hole breaks the layout of a file on DAX even where there is nothing to punch.',
  ),
  daxReadsDirty: flag(
    'until v6.3, dax_insert_entry()',
    'Read faults on DAX mark what they map dirty too, as if it had to be written back.',
  ),
  privateHugeWritesAskFile: flag(
    'until v6.8, wp_huge_pmd()',
    'A write to a private 2 MiB entry of a file asks the file for a writable one before it is split.',
  ),
  reclaimKnowsDaxPmd: flag(
    'v6.5, pmd_trans_unstable()',
    'MADV_COLD and MADV_PAGEOUT know 2 MiB entries of DAX files, and leave them alone; before, they take one for a damaged table and clear it, without a word to anybody.',
  ),
  mprotectKnowsPud: flag(
    'v6.12, change_huge_pud()',
    'mprotect knows entries of 1 GiB; before, it takes one for a damaged table and clears it, without a word to anybody.',
  ),
  populateMarksPud: flag('until v6.11, follow_devmap_pud()', 'Populating marks entries of 1 GiB as accessed, and dirty where it writes.'),
  walksAreaByArea: flag(
    'before v5.4',
    'It walks area by area, each again until it gets through, answers how many pages it got, and can snapshot.',
  ),
  layoutsTakeCows: flag('until v5.3, dax_layout_busy_page()', 'Before blocks of a file on DAX go, private mappings lose their copies too.'),
  freeAsksFirstPage: flag('v6.1', 'Whether others map a folio too, MADV_FREE asks of its first page, not of the one at hand.'),
  daxPunchWritesBack: flag(
    'recordings',
    'On DAX as well: that the file has entries at all, kernels before v5.13 do not count (mapping->nrpages).',
  ),
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
  gupRefusesRaw: flag(
    'follow_pfn_pte()',
    'Who asks GUP for the page of an entry that has none is told EFAULT, and the entry is not marked.',
  ),
  faultsReadAhead: flag(
    'recordings',
    'Faults on files read ahead: only where a device is told EAGAIN for a page that is not cached (walksAreaByArea) anybody sees it.',
  ),
  newestAdvice: oneOf(
    ['dontneed', 'free', 'wipeonfork', 'pageout', 'populate', 'collapse'],
    'v4.5, v4.14, v5.4, v5.14, v6.1',
    'The advice that madvise() learned last, each with what came before it; what came later is invalid.',
  ),
  tellsEvents: flag('enum mmu_notifier_event, v5.2', 'Notifiers are told why a range is invalidated.'),
  breaksLayouts: flag('v4.18, dax_layout_busy_page()', 'Whoever changes a file on DAX takes it away from all its mappings first.'),
  daxMapsMixed: flag('until v4.19, e1fb4a086495', 'Mappings of DAX memory are mixed maps.'),
  driverMapsAnonymous: flag('until v4.18, bfd40eaff5ab', 'Mappings of a driver that sets no operations count as anonymous memory.'),
  mremapMovesTables: flag('v5.1, 2c91bd4a4e2e', 'mremap hangs a whole table in elsewhere; before, it moves entry by entry.'),
  forkCopiesHugetlb: flag('until v6.0, bcd51a3c679d', 'A fork copies the entries of 2 MiB pages of the pool, also of shared ones.'),
  wipedAreasPrepared: flag('until v5.7, dup_mmap()', 'An area that a fork wipes has an anon_vma of its own at once.'),
  tellsDevdax: flag('v4.20', 'Page maps say of what kind their device is: device-DAX is known from files on DAX.'),
  countsDaxPages: flag(
    'v6.15, v6.17 without pte_devmap()',
    'Pages of DAX are counted by who maps and takes them, in entries without a mark of their own.',
  ),
  exclusiveStaysMapped: flag(
    'v6.15, make_device_exclusive()',
    'Pages are made exclusive one by one, stay mapped as far as counts go, and come back by CLEAR, writable if the area is.',
  ),
  mprotectForgetsHugeDirt: flag('pmd_modify()', 'mprotect forgets that a writable 2 MiB entry is dirty, but for those of the pool.'),
  faultMarksDirtyPages: flag(
    'v6.13, set_pte_range()',
    'A dirty page of a file is mapped dirty by a read too, where the entry may be written.',
  ),
  holesComeReadOnly: flag(
    'v6.19, lib/test_hmm.c',
    'The test driver takes what fills a hole on the device for read-only, whatever the area allows.',
  ),
  mremapMovesSeveral: flag(
    'v6.17, remap_move()',
    'mremap that only moves takes several areas, with their gaps; one that may not grow is refused before anything is unmapped.',
  ),
  breakingLayoutsForgets: flag(
    'v6.15, dax_delete_mapping_range()',
    'Breaking the layout of a file on DAX makes its mapping forget what it keeps of each index.',
  ),
  discardFreesTables: flag('v6.14, CONFIG_PT_RECLAIM', 'MADV_DONTNEED over all that a table of PTEs can map frees the table.'),
  collapseNeedsWritable: flag('until v6.18', 'MADV_COLLAPSE leaves a block of which no page is writable as it is.'),
  hugeZeroGivesWay: flag(
    'v6.14, do_huge_zero_wp_pmd()',
    'A write to the huge zero page gets a whole huge page in its place; before, the entry is split.',
  ),
  migrateSplitsFirst: flag(
    'before v7.1, try_to_migrate_one()',
    'Migrating splits a 2 MiB entry in a notifier section of its own before it begins.',
  ),
  migratesBy: oneOf([64, 512], 'v6.19, lib/test_hmm.c', 'How many pages the test driver migrates at a time.'),
  migratesLarge: flag(
    'v6.19, migrate_vma_collect_huge_pmd()',
    'Large folios whose whole block is to go move to devices and back whole, and are split wherever else they are met.',
  ),
  coherentDevices: flag('lib/test_hmm.c', 'The test driver has devices of coherent memory, 2 and 3; else there is nothing to open.'),
  zapDrains: flag('until v6.14, zap_page_range_single()', 'Before memory is unmapped, the batches of reclaim are emptied.'),
  batchSize: oneOf([15, 31], 'v6.10, PAGEVEC_SIZE', 'How many folios a batch of reclaim holds until it is emptied.'),
  mmapMergePrefers: oneOf(
    ['next', 'previous'],
    'v6.12',
    'Where a new mapping could merge with either neighbour but not with both, it takes this one.',
  ),
} as const satisfies Readonly<Record<string, Switch<Setting>>>

export type SwitchName = keyof typeof SWITCHES
/** A value for each switch. */
export type Switches = { readonly [S in SwitchName]: (typeof SWITCHES)[S]['values'][number] }
export const switchNames = Object.keys(SWITCHES) as readonly SwitchName[]

/** A setting as people read it. */
export const inWords = (set: Setting): string => (typeof set === 'boolean' ? (set ? 'yes' : 'no') : `${set}`)

/** The switches that differ between two kernels. */
export const changedBetween = (a: Switches, b: Switches): readonly SwitchName[] =>
  switchNames.filter(name => inWords(a[name]) !== inWords(b[name]))
