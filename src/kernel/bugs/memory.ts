/** Bugs of memory management that a device's mirror suffers from: migration, exclusive access, huge pages, page maps, exit. */
import type { Profile } from '../profiles/profile.ts'
import type { Bug } from './bug.ts'

const needsDeviceMemory = ({ devicePrivate }: Profile): string | undefined =>
  devicePrivate ? undefined : 'devices have no memory of their own there'
const needsCollapse = ({ newestAdvice, thp }: Profile): string | undefined =>
  newestAdvice === 'collapse' && thp ? undefined : 'there is no MADV_COLLAPSE there'

export const MEMORY_BUGS = {
  collapseUntold: {
    source: 'mm/khugepaged.c until v6.1, f268f6cf875f, of memory that is shared',
    says: 'Small pages become a huge one, and no notifier hears of it.',
    lacks: needsCollapse,
  },
  collectFlushesLate: {
    source: 'migrate_vma_collect_pmd() until v6.1, 60bae7370896',
    says: 'Entries of pages that are to migrate are taken away, and the CPU is told only after the lock of the page table is dropped.',
    lacks: needsDeviceMemory,
  },
  mremapFlushesLate: {
    source: 'move_ptes() until v4.19, eb66ae030829',
    says: 'mremap() moves entries, and the CPU is told only after the locks of the page tables are dropped.',
  },
  privateFaultUnreferenced: {
    source: 'do_swap_page() until v6.1, 16ce101db85d',
    says: "A fault hands a page of a device's memory to the driver, and holds no reference to it.",
    lacks: needsDeviceMemory,
  },
  closeKeepsMemory: {
    source: 'dmirror_fops_release() (lib/test_hmm.c) until 2026',
    says: "The test driver closes a file whose pages are in the device's memory still.",
    lacks: needsDeviceMemory,
  },
  migratesPinned: {
    source: 'migrate_vma_check_page(): what it is there for',
    says: 'Pages that somebody has taken migrate like any other.',
    lacks: needsDeviceMemory,
  },
  gupFastRechecksPteAlone: {
    source: 'gup_pte_range() until v6.1, 70cbc3cc78a9',
    says: 'Lockless GUP has taken a page, and looks only at its small entry again, not at the one above, which a collapse takes away first.',
    lacks: needsCollapse,
  },
  gupTakesDyingPagemap: {
    source: 'follow_devmap_pmd(), follow_page_pte(): what get_dev_pagemap() is there for, since 3565fce3a659 (v4.5)',
    says: 'get_user_pages() takes pages of DAX memory without asking whether their page map is going.',
    lacks: ({ marksDevmap }: Profile) => (marksDevmap ? undefined : 'it hands out no pages of DAX memory, or does not ask'),
  },
  exclusiveRetryLeaks: {
    source: 'nouveau_atomic_range_fault() (drivers/gpu/drm/nouveau/nouveau_svm.c), a patch to it',
    says: 'A driver that has to begin again to make a page exclusive keeps the page that it had taken, locked.',
    lacks: ({ exclusiveStaysMapped }: Profile) => (exclusiveStaysMapped ? undefined : 'pages are made exclusive a batch at a time there'),
  },
  exclusiveFaultUnreferenced: {
    source: 'remove_device_exclusive_entry() until v6.3, 7c7b962938dd',
    says: 'A fault locks a page that a device has to itself, and holds no reference to it.',
    lacks: needsDeviceMemory,
  },
  collectForgetsDirt: {
    source: 'migrate_vma_collect_pmd() until v6.1, fd35ca3d12cc',
    says: 'That an entry was dirty is lost when its page is to migrate; if the page then stays, nobody knows that it was written.',
    lacks: ({ migrationKeepsMarks }: Profile) => (migrationKeepsMarks ? 'migration entries remember dirt there' : undefined),
  },
  forkUntold: {
    source: 'copy_page_range(): what its notifier section is for',
    says: 'A fork takes the right to write from entries, and no notifier hears of it.',
  },
  rangeOutlivesMm: {
    source: '"mm/hmm: Hold on to the mmget for the lifetime of the range" (v5.3)',
    says: 'A driver walks the memory of a process without asking whether that is there still.',
    lacks: ({ hasHmm }: Profile) => (hasHmm ? undefined : 'it has no HMM, and so no device that mirrors'),
  },
} as const satisfies Readonly<Record<string, Bug>>
