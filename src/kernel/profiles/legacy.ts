/** Kernels whose drivers had `hmm_mirror`, or nothing yet: Linux 4.4 to 5.5. */
import { v6_1 } from './modern.ts'
import type { Profile } from './profile.ts'

export const v5_2: Profile = {
  ...v6_1,
  name: 'v5.2',
  about: 'Linux 5.2: the driver side of hmm_mirror, with its valid flag, before seed 004',
  rangeValidity: 'valid flag',
  invalidRange: 'EAGAIN',
  walksMixedMaps: false,
  coherentMemory: false,
  walksAreaByArea: true,
  mprotectRestoresWrite: 'never',
  tracksExclusive: false,
  daxReadsDirty: false,
  daxPunchWritesBack: false,
  layoutsTakeCows: true,
  freeAsksFirstPage: false,
  mmapMergePrefers: 'previous',
  mremapKnowsDaxPmd: false,
  mremapKnowsPud: false,
  mremapMovesHugetlb: false,
  hugetlbDiscards: false,
  hugetlbForcedWrites: true,
  copiesHuge: true,
  migrationKeepsMarks: false,
  gupRefusesRaw: true,
  faultsReadAhead: true,
  forkCopiesHugetlb: true,
  wipedAreasPrepared: true,
  newestAdvice: 'wipeonfork',
  walkHoldsPagemap: true,
  walkSparesZeroPage: false,
  walkFaultsSwap: false,
  walkKnowsWriteRight: false,
  walkFaultsInGaps: true,
  snapshotFails: false,
  blockKeepsLock: false,
  mapsDma: 'by range',
}

export const v5_2_pre: Profile = {
  ...v5_2,
  name: 'v5.2-pre',
  about: 'Linux 5.2 on its way there, before seed 001: mappings of DAX memory are not mirrored',
  mirrorsDax: false,
  walkHoldsPagemap: false,
  walkRefusesSpecial: false,
}

export const v5_4: Profile = {
  ...v5_2,
  name: 'v5.4',
  about: 'Linux 5.4: one hmm_range_fault() that knows swap, rights and gaps, and walks everything twice',
  invalidRange: 'EBUSY',
  walkFaultsSwap: true,
  walkKnowsWriteRight: true,
  walkFaultsInGaps: false,
  walksTwice: true,
  snapshotFails: true,
  blockKeepsLock: true,
  layoutsTakeCows: false,
  newestAdvice: 'pageout',
}

export const v5_5_pre: Profile = {
  ...v5_4,
  name: 'v5.5-pre',
  about: 'Linux 5.5 on its way there, before seed 004: interval notifiers are there, hmm_mirror does not use them',
  walkSparesZeroPage: true,
}

export const v5_5: Profile = {
  ...v5_5_pre,
  name: 'v5.5',
  about: 'Linux 5.5 on its way there, after seed 004: a range has an hmm_mirror or an interval notifier, side by side',
  rangeValidity: 'valid flag or sequence',
}

export const v4_14: Profile = {
  ...v5_2,
  name: 'v4.14',
  about: 'Linux 4.14: hmm_vma_fault() within one area, devices told when an invalidation ends (seed 002)',
  rangeValidity: 'valid flag at the end',
  tellsEvents: false,
  breaksLayouts: false,
  mremapMovesTables: false,
  tellsDevdax: false,
  daxMapsMixed: true,
  driverMapsAnonymous: true,
  mirrorsDax: false,
  walkHoldsPagemap: false,
  walkRefusesSpecial: false,
  walkFaultsSwap: true,
  walkFaultsInGaps: false,
  faultsReadUnlocked: false,
  mapsDma: 'no',
  daxNeedsPagemap: false,
  gupCachesPagemap: false,
}

export const v4_14_pre: Profile = {
  ...v4_14,
  name: 'v4.14-pre',
  about: 'Linux 4.14 on its way there, before seed 002: a device is told what a process has mapped, and can have nothing faulted in',
  faultsForDevices: false,
}

export const v4_5: Profile = {
  ...v4_14,
  name: 'v4.5',
  about: 'Linux 4.5: get_user_pages() takes pages of DAX memory, after seed 003; no HMM yet',
  newestAdvice: 'free',
  hasHmm: false,
  hasDevdax: false,
  pagesHoldPagemap: true,
  touchDirtiesPmd: true,
  protnoneFaultDies: true,
  gupFastRechecks: false,
  gupFastWritesDevmap: true,
}

export const v4_4: Profile = {
  ...v4_5,
  name: 'v4.4',
  about: 'Linux 4.4: DAX memory has no pages for get_user_pages(), before seed 003',
  newestAdvice: 'dontneed',
  marksDevmap: false,
  daxMapsHuge: false,
  daxFaultsLock: false,
  pagesHoldPagemap: false,
  gupFastWritesDevmap: false,
}
