/**
 * Kernel profiles: what differs between releases, as data. Rules ask a switch by what it says; none asks for a version.
 * The facts are those of research and of the recordings; each switch names the commit or function it stands for.
 */

export interface Profile {
  readonly name: string
  /** The kernel that it is checked against. */
  readonly about: string
  /**
   * How a driver knows that its range was invalidated: by the sequence number of an interval notifier (v5.5,
   * 04ec32fbc2b2), or by the `valid` flag of a range registered with `hmm_mirror`, which forgets (seed 004).
   */
  readonly rangeValidity: 'sequence' | 'valid flag'
  /** What `hmm_range_fault()` says of a range that was invalidated: before v5.4 EAGAIN, and the lock is dropped. */
  readonly invalidRange: 'EBUSY' | 'EAGAIN'
  /** It answers the number of pages until v5.7 (be957c886d92), 0 since. */
  readonly rangeFaultReturns: 'pages' | 'zero'
  /** The level whose first populated entry opens `mprotect`'s notifier section (`change_pud_range()` since v6.8). */
  readonly mprotectOpensAt: 'pmd' | 'pud'
  /** Which exclusive pages become writable by `mprotect` alone (`can_change_pte_writable()`): v6.2 no longer asks for dirty ones. */
  readonly mprotectRestoresWrite: 'never' | 'dirty exclusive' | 'exclusive'
  /** Memory that was never touched is no longer accounted once it may not be written (v6.6). */
  readonly mprotectDropsAccount: boolean
  /** A page swapped in by a read is writable at once where the area is (v6.2). */
  readonly swapInRestoresWrite: boolean
  /** Anonymous pages are known to be exclusive or not (v5.19); before, only counts decide. */
  readonly tracksExclusive: boolean
  /** A write may use its part of a large folio again, once nobody else has any of it (until v6.10, `wp_can_reuse_anon_folio()`). */
  readonly reusesPartOfFolio: boolean
  /** Small entries that a 2 MiB entry is split into stay dirty as it was (v6.2 on). */
  readonly splitKeepsDirty: boolean
  /** Of a large folio that is split, pages that contain only zeroes are mapped to the zero page (v6.12). */
  readonly splitMapsZeroPage: boolean
  /** Whether others map a folio too is estimated over all of it (`folio_likely_mapped_shared()`, v6.9), not read off one page; a folio that is mapped whole need not be split. */
  readonly estimatesSharing: boolean
  /** Behind a large folio that others map too, `MADV_FREE`, `_COLD` and `_PAGEOUT` go on (v6.9); before, the table ends there. */
  readonly goesOnBehindShared: boolean
  /** Reclaim swaps large folios out whole though no 2 MiB entry maps them (v6.10). */
  readonly swapsSmallMapped: boolean
  /** `try_to_unmap()` splits a 2 MiB entry in a notifier section of its own before it begins (until v6.11). */
  readonly unmapSplitsFirst: boolean
  /** `MADV_PAGEOUT` clears the accessed bit before it reclaims; v6.12 leaves that to the unmapping. */
  readonly pageoutClearsAccessed: boolean
  /** `MADV_POPULATE_*` over a gap: area by area, going on behind it, or one walk that ends there (v6.10). */
  readonly populateStopsAtGap: boolean
  /** `FOLL_LONGTERM` is for pins alone (`is_valid_gup_flags()`, v5.6). */
  readonly longtermNeedsPin: boolean
  /** A read-only long-term pin of the zero page gets a page of its own (v6.2, `gup_must_unshare()`). */
  readonly longtermUnsharesZeroPage: boolean
  /** Long-term pins for writing are refused where the file system has to hear of writes (v6.5, `writable_file_mapping_allowed()`). */
  readonly longtermRefusesTracked: boolean
  /** `mremap` aligns a move down to 2 MiB where both sides leave room (v6.7, `try_realign_addr()`). */
  readonly mremapRealigns: boolean
  /** Taking 2 MiB pages of the pool away opens a section of its own, within the caller's (until v6.2, `__unmap_hugepage_range()`). */
  readonly hugetlbUnmapNotifies: boolean
  /** A page of the pool that its owner gives up is promised to him again (v6.9). */
  readonly hugetlbRestoresPromise: boolean
  /** GUP follows pages of the pool by a function of its own, which marks nothing, and faults whatever is asked (until v6.6, `follow_hugetlb_page()`). */
  readonly followsHugetlbApart: boolean
  /** Punching a hole into a file of ext4 writes the dirty pages of the range back first (`ext4_punch_hole()`, until it was refactored). */
  readonly punchWritesBack: boolean
  /** A hole that reaches over the end of a file of ext4 whose last page is whole is punched a page further than the file goes (likewise). */
  readonly punchPassesEnd: boolean
  /** It breaks the layout of a file on DAX even where there is nothing to punch (`ext4_fallocate()`). */
  readonly punchAlwaysBreaksLayouts: boolean
  /** Read faults on DAX mark what they map dirty too, as if it had to be written back (until v6.3, `dax_insert_entry()`). */
  readonly daxReadsDirty: boolean
  /** A write to a private 2 MiB entry of a file asks the file for a writable one before it is split (until v6.8, `wp_huge_pmd()`). */
  readonly privateHugeWritesAskFile: boolean
  /**
   * `MADV_COLD` and `MADV_PAGEOUT` know 2 MiB entries of DAX files, and leave them alone (v6.5); before, they take one for
   * a damaged table and clear it, without a word to anybody (`pmd_trans_unstable()`).
   */
  readonly reclaimKnowsDaxPmd: boolean
  /** `mprotect` knows entries of 1 GiB (v6.12, `change_huge_pud()`); before, it takes one for a damaged table and clears it, without a word to anybody. */
  readonly mprotectKnowsPud: boolean
  /** Populating marks entries of 1 GiB as accessed, and dirty where it writes (until v6.11, `follow_devmap_pud()`). */
  readonly populateMarksPud: boolean
  /** Where a new mapping could merge with either neighbour but not with both, it takes this one (v6.12: previous). */
  readonly mmapMergePrefers: 'next' | 'previous'
}

const v6_1: Profile = {
  name: 'v6.1',
  about: 'Linux 6.1: interval notifiers, exclusive anonymous pages',
  rangeValidity: 'sequence',
  invalidRange: 'EBUSY',
  rangeFaultReturns: 'zero',
  mprotectOpensAt: 'pmd',
  mprotectRestoresWrite: 'dirty exclusive',
  mprotectDropsAccount: false,
  swapInRestoresWrite: false,
  tracksExclusive: true,
  reusesPartOfFolio: true,
  splitKeepsDirty: false,
  splitMapsZeroPage: false,
  estimatesSharing: false,
  goesOnBehindShared: false,
  swapsSmallMapped: false,
  unmapSplitsFirst: true,
  pageoutClearsAccessed: true,
  populateStopsAtGap: false,
  longtermNeedsPin: true,
  longtermUnsharesZeroPage: false,
  longtermRefusesTracked: false,
  mremapRealigns: false,
  hugetlbUnmapNotifies: true,
  hugetlbRestoresPromise: false,
  followsHugetlbApart: true,
  punchWritesBack: true,
  punchPassesEnd: true,
  punchAlwaysBreaksLayouts: false,
  daxReadsDirty: true,
  privateHugeWritesAskFile: true,
  reclaimKnowsDaxPmd: false,
  mprotectKnowsPud: false,
  populateMarksPud: true,
  mmapMergePrefers: 'next',
}

const v6_12: Profile = {
  ...v6_1,
  name: 'v6.12',
  about: 'Linux 6.12: what 6.1 does, with the changes of two years',
  mprotectOpensAt: 'pud',
  mprotectRestoresWrite: 'exclusive',
  mprotectDropsAccount: true,
  swapInRestoresWrite: true,
  reusesPartOfFolio: false,
  splitKeepsDirty: true,
  splitMapsZeroPage: true,
  estimatesSharing: true,
  goesOnBehindShared: true,
  swapsSmallMapped: true,
  unmapSplitsFirst: false,
  pageoutClearsAccessed: false,
  populateStopsAtGap: true,
  longtermUnsharesZeroPage: true,
  longtermRefusesTracked: true,
  mremapRealigns: true,
  hugetlbUnmapNotifies: false,
  hugetlbRestoresPromise: true,
  followsHugetlbApart: false,
  punchWritesBack: false,
  punchPassesEnd: false,
  punchAlwaysBreaksLayouts: true,
  daxReadsDirty: false,
  privateHugeWritesAskFile: false,
  reclaimKnowsDaxPmd: true,
  mprotectKnowsPud: true,
  populateMarksPud: false,
  mmapMergePrefers: 'previous',
}

const v5_2: Profile = {
  ...v6_1,
  name: 'v5.2',
  about: 'Linux 5.2: the driver side of hmm_mirror, with its valid flag, before seed 004; the walk is that of 5.5',
  rangeValidity: 'valid flag',
  invalidRange: 'EAGAIN',
  rangeFaultReturns: 'pages',
  mprotectRestoresWrite: 'never',
  longtermNeedsPin: false,
  tracksExclusive: false,
}

const all: readonly Profile[] = [v5_2, v6_1, v6_12]
/** The profile that is meant where none is named. */
export const DEFAULT_PROFILE = v6_12.name
export const profileNames: readonly string[] = all.map(p => p.name)
/** Every profile, oldest first. */
export const profiles: readonly Profile[] = all
export const profileNamed = (name: string): Profile | undefined => all.find(p => p.name === name)
