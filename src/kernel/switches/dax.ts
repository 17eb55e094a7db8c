/** Switches of files on DAX, their page maps, and what drivers map. */
import { flag } from './switch.ts'

export const DAX_SWITCHES = {
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
  layoutsTakeCows: flag('until v5.3, dax_layout_busy_page()', 'Before blocks of a file on DAX go, private mappings lose their copies too.'),
  daxPunchWritesBack: flag(
    'recordings',
    'On DAX as well: that the file has entries at all, kernels before v5.13 do not count (mapping->nrpages).',
  ),
  breaksLayouts: flag('v4.18, dax_layout_busy_page()', 'Whoever changes a file on DAX takes it away from all its mappings first.'),
  daxFaultsLock: flag('v4.5, ea3d7209ca01', 'Faults on files on DAX, and whoever takes blocks from a file of ext4, keep each other out.'),
  daxMapsMixed: flag('until v4.19, e1fb4a086495', 'Mappings of DAX memory are mixed maps.'),
  driverMapsAnonymous: flag('until v4.18, bfd40eaff5ab', 'Mappings of a driver that sets no operations count as anonymous memory.'),
  tellsDevdax: flag('v4.20', 'Page maps say of what kind their device is: device-DAX is known from files on DAX.'),
  countsDaxPages: flag(
    'v6.15, v6.17 without pte_devmap()',
    'Pages of DAX are counted by who maps and takes them, in entries without a mark of their own.',
  ),
  breakingLayoutsForgets: flag(
    'v6.15, dax_delete_mapping_range()',
    'Breaking the layout of a file on DAX makes its mapping forget what it keeps of each index.',
  ),
  hasDevdax: flag('v4.7, device-DAX; v4.11, entries of 1 GiB', 'Memory can be a device that is mapped 1 GiB at once.'),
  marksDevmap: flag(
    'v4.5, 3565fce3a659 (seed 003)',
    'Entries of DAX memory that has a page map say so, and GUP hands their pages out; before, they are special, which have none.',
  ),
  daxMapsHuge: flag(
    'v4.5, CONFIG_FS_DAX_PMD',
    'Faults on files on DAX try for 2 MiB where there is a page map; before, the option depends on BROKEN.',
  ),
  daxNeedsPagemap: flag('v4.15, 569d0365f571', 'Files are on DAX only where the device has a page map.'),
} as const
