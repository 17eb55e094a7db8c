/** Switches of mirroring: `hmm_range_fault()` and its ancestors, notifiers, device memory and the test driver. */
import { flag, oneOf } from './switch.ts'

export const HMM_SWITCHES = {
  rangeValidity: oneOf(
    ['valid flag at the end', 'valid flag', 'valid flag or sequence', 'sequence'],
    'v5.5, 04ec32fbc2b2; v4.20, ec131b2d7fa6',
    'How a driver knows that its range was invalidated: by the sequence number of an interval notifier, or by the valid flag of a range registered with hmm_mirror, which forgets (seed 004); for a while it may choose. Before v4.20 the flag goes only when the invalidation ends, for good.',
  ),
  invalidRange: oneOf(
    ['EAGAIN', 'EBUSY'],
    'v5.4',
    'What hmm_range_fault() says of a range that was invalidated: with EAGAIN the lock is dropped.',
  ),
  walksMixedMaps: flag(
    'v5.16, 87c01d57fa23',
    'In areas that a driver has filled (VM_MIXEDMAP), hmm_range_fault() decides entry by entry, as GUP does; before, it refuses them (seed 000).',
  ),
  faultsForeignPrivate: flag(
    'v6.0, 8a295dbbaf72',
    "A device that wants a page which is in another one's private memory has it faulted back; before, it is told EFAULT.",
  ),
  coherentMemory: flag('v6.0, f25cbb7a95a2', 'There are devices with memory of their own that the CPU can use as well.'),
  walksAreaByArea: flag(
    'until v5.5, d28c2c9a4877',
    'It walks area by area, each again until it gets through, answers how many pages it got, and can snapshot.',
  ),
  mirrorsDax: flag(
    'v5.2, 992de9a8b751',
    'Mappings of DAX memory are walked; before, hmm_range_fault() refuses the area, with SPECIAL in all of the array and EINVAL (seed 001).',
  ),
  walkHoldsPagemap: flag(
    'v5.2 to v5.6, 992de9a8b751',
    'While it tells entries of DAX memory the walk holds their page map; of one that is dying it cannot (EBUSY).',
  ),
  walkRefusesSpecial: flag(
    'v5.2, 992de9a8b751',
    'An entry without a page ends the walk with SPECIAL and EFAULT; before, the frame that it leads to is told as any other.',
  ),
  walkSparesZeroPage: flag('v5.5, ac541f2503f9', 'Where entries without a page are refused, that of the zero page is not.'),
  walkFaultsSwap: flag('v5.4, and before v5.2', 'The walk has pages in swap faulted in; in between, it takes them for nothing.'),
  walkKnowsWriteRight: flag(
    'v5.4',
    'Who asks to write pages of an area that may not be written is told EPERM; before, they are faulted for ever.',
  ),
  walkFaultsInGaps: flag(
    'v5.2 and v5.3',
    'A page in a gap before an area is faulted in with a null pointer for its area, and the kernel dies; later that is EFAULT.',
  ),
  walksTwice: flag(
    'v5.4, until d28c2c9a4877',
    'Each area is walked one time more than it need be: what the first walk answers is lost, and what it has faulted in stays.',
  ),
  snapshotFails: flag('v5.4', 'A snapshot ends with the error that its walk meets; before, it goes on behind the area.'),
  faultsForDevices: flag(
    'v4.14, 74eee180b935',
    'A device can have pages faulted in, and its own are left where they are (seed 002); before, it gets to know what is there, and no more.',
  ),
  blockKeepsLock: flag(
    'v5.4, HMM_FAULT_ALLOW_RETRY',
    'Only for a caller that does not block do faults drop mmap_lock; before they may do so for any, who is told EAGAIN, or EBUSY before v5.2.',
  ),
  mapsDma: oneOf(
    ['by range', 'no', 'page by page'],
    'until v5.5, hmm_range_dma_map(); v6.16, hmm_dma_map_pfn()',
    'How pages that were faulted in are mapped for DMA: all of a range in one call, which undoes it if the range is invalidated, or page by page under the driver lock, and until they are invalidated.',
  ),
  keepsDmaFlags: flag(
    'v6.16, HMM_PFN_INOUT_FLAGS',
    'What the array says of a page being mapped for DMA stays in it when hmm_range_fault() writes over the word.',
  ),
  tellsEvents: flag('enum mmu_notifier_event, v5.2', 'Notifiers are told why a range is invalidated.'),
  exclusiveStaysMapped: flag(
    'v6.15, make_device_exclusive()',
    'Pages are made exclusive one by one, stay mapped as far as counts go, and come back by CLEAR, writable if the area is.',
  ),
  holesComeReadOnly: flag(
    'v6.19, lib/test_hmm.c',
    'The test driver takes what fills a hole on the device for read-only, whatever the area allows.',
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
  hasHmm: flag('v4.14, 133ff0eac95b', 'Devices can mirror a process with HMM.'),
} as const
