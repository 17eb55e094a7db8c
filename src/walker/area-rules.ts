/** The switches of the walk of Linux 5.2 to 5.5 (hmm-5-2.ts): profiles say how they are set. */

/** What of the walk differs from one release to the next, or by configuration. */
export interface AreaRules {
  /** Areas of DAX memory are walked; if not, they are refused as a whole. */
  readonly mirrorsDax: boolean
  /** The page map of DAX memory is held while its entries are told. */
  readonly holdsPagemap: boolean
  /** Entries without a page end the walk; if not, the frame that they lead to is told. */
  readonly refusesSpecial: boolean
  /** Of these, that of the zero page does not. */
  readonly sparesZeroPage: boolean
  /** Pages in swap are faulted in. */
  readonly faultsSwap: boolean
  /** Who asks to write where the area does not allow it is told so. */
  readonly knowsWriteRight: boolean
  /** In a gap, a page is faulted in without an area. */
  readonly faultsInGaps: boolean
  /** A snapshot ends with the error that it meets, too. */
  readonly snapshotFails: boolean
  /** `CONFIG_TRANSPARENT_HUGEPAGE`, `CONFIG_HUGETLB_PAGE`, `CONFIG_ARCH_HAS_PTE_SPECIAL` */
  readonly thp: boolean
  readonly hugetlb: boolean
  readonly pteSpecial: boolean
}
