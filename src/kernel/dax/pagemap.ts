/**
 * Page maps (`struct dev_pagemap`, mm/memremap.c) being torn down: nobody gets a reference to them any more, and whoever goes
 * waits for those that there are, and for the pages that were taken. Entries that map such memory stay as they are.
 */
import { pfn, type Pfn } from '../../memory/address.ts'
import { PAGEMAP_FRAMES, type PagemapName } from '../../memory/dax.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Agenda, Rules } from '../agenda.ts'
import { FILE_END } from '../files/truncate.ts'
import { FOLIO_LOCK } from '../names.ts'
import { call } from '../offer.ts'

/** A page that somebody has taken still. */
function takenPage({ frames }: Memory, pagemap: PagemapName): Pfn | undefined {
  const { first, end, idle } = PAGEMAP_FRAMES[pagemap]
  for (const [frame, , refs] of frames.refs.runs(first, end)) if (refs > idle) return pfn(frame)
  return undefined
}

/** `kill_dev_dax()`: whoever has the device itself mapped loses it. Of files, the file system knows, and does nothing. */
const unmaps = ({ files }: Memory, pagemap: PagemapName): Agenda =>
  pagemap !== 'dax1.0'
    ? []
    : Object.entries(files).flatMap(([file, { kind }]) =>
        kind === 'devdax' ? [{ do: 'unmap_mapping_range', file, start: 0, end: FILE_END, evenCows: true } as const] : [],
      )

export const pagemapRules = {
  devm_memremap_pages_release: (memory, { pagemap }) => ({
    then: [{ do: 'percpu_ref_kill', pagemap }, ...unmaps(memory, pagemap), { do: 'percpu_ref_wait', pagemap }],
  }),
  percpu_ref_kill: (memory, { pagemap }) =>
    memory.killed?.includes(pagemap) === true ? { fail: 'ENXIO' } : { facts: [['pagemap-kill', pagemap]] },
  percpu_ref_wait: (memory, { pagemap }) => {
    const folio = takenPage(memory, pagemap)
    const held = (memory.pagemaps[pagemap] ?? 0) > 0
    return held || folio !== undefined
      ? { calls: [call(FOLIO_LOCK, 'put_page', folio === undefined ? { pagemap } : { folio })] }
      : { facts: [] }
  },
} satisfies Partial<Rules>
