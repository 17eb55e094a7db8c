/**
 * Page maps (`struct dev_pagemap`, mm/memremap.c) being torn down: nobody gets a reference to them any more, and whoever goes
 * waits for those that there are, and for the pages that were taken. Entries that map a file on such memory stay as they are;
 * `memunmap_pages` is for drivers that take them away, and wait for nobody.
 */
import { pfn, type Pfn } from '../../memory/address.ts'
import { DEVDAX_PAGES, isDying, PAGEMAP_FRAMES, type PagemapName } from '../../memory/dax.ts'
import { pagesIn, type File, type Memory } from '../../memory/memory.ts'
import type { Agenda, Rules } from '../agenda.ts'
import { FILE_END } from '../files/truncate.ts'
import { FOLIO_LOCK } from '../names.ts'
import { call } from '../offer.ts'

/** A page that somebody has taken still. */
function takenPage({ frames }: Memory, pagemap: PagemapName): Pfn | undefined {
  const { first, end, idle } = PAGEMAP_FRAMES[pagemap]
  for (const frame of frames.refs.indices(first, end)) if (frames.refs.get(frame) > idle) return pfn(frame)
  return undefined
}

/** Whoever has mapped a file of this kind loses it. */
const unmapped = ({ files }: Memory, kind: File['kind'], end: (file: File) => number, evenCows: boolean): Agenda =>
  Object.entries(files).flatMap(([name, file]) =>
    file.kind === kind ? [{ do: 'unmap_mapping_range', file: name, start: 0, end: end(file), evenCows } as const] : [],
  )

export const pagemapRules = {
  devm_memremap_pages_release: (memory, { pagemap }) => ({
    // `kill_dev_dax()` takes the device itself away from whoever has it mapped; of files, the file system knows, and does nothing.
    then: [
      { do: 'percpu_ref_kill', pagemap },
      ...(pagemap === 'dax1.0' ? unmapped(memory, 'devdax', () => FILE_END, true) : []),
      { do: 'percpu_ref_wait', pagemap },
    ],
  }),
  percpu_ref_kill: (memory, { pagemap }) => (isDying(memory, pagemap) ? { fail: 'ENXIO' } : { facts: [['pagemap-kill', pagemap]] }),
  dev_pagemap_kill: (memory, { pagemap }) => (isDying(memory, pagemap) ? {} : { facts: [['pagemap-kill', pagemap]] }),
  memunmap_pages: (memory, { pagemap }) => ({
    then: [
      { do: 'dev_pagemap_kill', pagemap },
      ...(pagemap === 'pmem0' ? unmapped(memory, 'dax', pagesIn, false) : unmapped(memory, 'devdax', () => DEVDAX_PAGES, false)),
    ],
  }),
  percpu_ref_wait: (memory, { pagemap }) => {
    const folio = takenPage(memory, pagemap)
    const held = (memory.pagemaps[pagemap] ?? 0) > 0
    return held || folio !== undefined
      ? { calls: [call(FOLIO_LOCK, 'put_page', folio === undefined ? { pagemap } : { folio })] }
      : { facts: [] }
  },
} satisfies Partial<Rules>
