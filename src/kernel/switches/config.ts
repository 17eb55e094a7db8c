/** Switches of what a kernel was built with, whatever its release. */
import { flag } from './switch.ts'

export const CONFIG_SWITCHES = {
  thp: flag('CONFIG_TRANSPARENT_HUGEPAGE', 'Anonymous memory and files on DAX have entries of 2 MiB, and there is advice about them.'),
  hugetlb: flag('CONFIG_HUGETLB_PAGE', 'There is a pool of 2 MiB pages to map.'),
  pteSpecial: flag(
    'CONFIG_ARCH_HAS_PTE_SPECIAL',
    'Entries have a bit that says that no page is to be looked for behind them; else the area says so.',
  ),
  zoneDevice: flag('CONFIG_ZONE_DEVICE', 'Device memory has struct pages: there are files on DAX, and devices with coherent memory.'),
  devicePrivate: flag(
    'CONFIG_DEVICE_PRIVATE',
    'Devices have memory of their own that pages can migrate to, and pages for themselves alone.',
  ),
} as const
