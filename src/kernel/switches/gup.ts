/** Switches of `get_user_pages()`. */
import { flag } from './switch.ts'

export const GUP_SWITCHES = {
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
  followsHugetlbApart: flag(
    'until v6.6, follow_hugetlb_page()',
    'GUP follows pages of the pool by a function of its own, which marks nothing, and faults whatever is asked.',
  ),
  populateMarksPud: flag('until v6.11, follow_devmap_pud()', 'Populating marks entries of 1 GiB as accessed, and dirty where it writes.'),
  gupRefusesRaw: flag(
    'follow_pfn_pte()',
    'Who asks GUP for the page of an entry that has none is told EFAULT, and the entry is not marked.',
  ),
  pagesHoldPagemap: flag(
    'v4.5 until v4.12, get_zone_device_page()',
    'A reference to a page of DAX memory is one to its page map, too; later, whoever tears that down looks at the pages.',
  ),
  gupCachesPagemap: flag(
    'v4.20, df06b37ffe5a; of lockless GUP v4.16, get_dev_pagemap()',
    'GUP keeps a page map until it is through; before, it takes and drops it for each page.',
  ),
  touchDirtiesPmd: flag('until v4.15, touch_pmd()', 'Where GUP touches an entry of 2 MiB it makes it dirty, though it only reads.'),
  gupHonorsNuma: flag(
    'until v6.6, FOLL_NUMA',
    'GUP without force makes the fault for entries that were closed to learn who uses them; later, only who asks for it (FOLL_HONOR_NUMA_FAULT).',
  ),
  protnoneFaultDies: flag(
    'until v4.9, 38e088546522',
    'A fault in memory that nobody may access, which GUP by force can make, is taken for a NUMA hint, and kills the kernel.',
  ),
  gupFastRechecks: flag(
    'v4.13, e585513b76f7',
    'Lockless GUP looks at an entry again once it has the page; on x86 before, it is enough that interrupts are off.',
  ),
  gupFastWritesDevmap: flag(
    'v4.5 until v4.11, ef947b2529f9',
    'Lockless GUP does not ask whether a small entry of DAX memory may be written.',
  ),
} as const
