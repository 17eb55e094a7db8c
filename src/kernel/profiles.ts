/**
 * Kernel profiles: what differs between releases, as data. Rules ask a switch by what it says; none asks for a version.
 * What a switch decides, what it may be set to and where that is from stands in switches.ts.
 */
import type { Switches } from './switches.ts'

export interface Profile extends Switches {
  readonly name: string
  /** The kernel that it is checked against. */
  readonly about: string
}

const v6_1: Profile = {
  name: 'v6.1',
  about: 'Linux 6.1: interval notifiers, exclusive anonymous pages',
  rangeValidity: 'sequence',
  invalidRange: 'EBUSY',
  tellsEvents: true,
  walksAreaByArea: false,
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
  daxPunchWritesBack: true,
  layoutsTakeCows: false,
  freeAsksFirstPage: true,
  punchPassesEnd: true,
  punchAlwaysBreaksLayouts: false,
  daxReadsDirty: true,
  privateHugeWritesAskFile: true,
  reclaimKnowsDaxPmd: false,
  mprotectKnowsPud: false,
  populateMarksPud: true,
  batchSize: 15,
  mremapKnowsDaxPmd: true,
  mremapKnowsPud: true,
  mremapMovesHugetlb: true,
  hugetlbDiscards: true,
  hugetlbForcedWrites: false,
  copiesHuge: false,
  migrationKeepsMarks: true,
  gupRefusesRaw: false,
  faultsReadAhead: false,
  newestAdvice: 'collapse',
  breaksLayouts: true,
  daxMapsMixed: false,
  driverMapsAnonymous: false,
  mremapMovesTables: true,
  forkCopiesHugetlb: false,
  wipedAreasPrepared: false,
  tellsDevdax: true,
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
  daxPunchWritesBack: false,
  punchPassesEnd: false,
  punchAlwaysBreaksLayouts: true,
  daxReadsDirty: false,
  privateHugeWritesAskFile: false,
  reclaimKnowsDaxPmd: true,
  mprotectKnowsPud: true,
  populateMarksPud: false,
  batchSize: 31,
  mmapMergePrefers: 'previous',
}

const v5_2: Profile = {
  ...v6_1,
  name: 'v5.2',
  about: 'Linux 5.2: the driver side of hmm_mirror, with its valid flag, before seed 004',
  rangeValidity: 'valid flag',
  invalidRange: 'EAGAIN',
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
}

const v4_14: Profile = {
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
}

const all: readonly Profile[] = [v4_14, v5_2, v6_1, v6_12]
/** The profile that is meant where none is named. */
export const DEFAULT_PROFILE = v6_12.name
export const profileNames: readonly string[] = all.map(p => p.name)
/** Every profile, oldest first. */
export const profiles: readonly Profile[] = all
export const profileNamed = (name: string): Profile | undefined => all.find(p => p.name === name)
