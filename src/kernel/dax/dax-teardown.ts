/**
 * The end of DAX memory, when its driver is unbound: `percpu_ref_kill()` first, so that nobody gets a reference to the page
 * map any more, and then everything that is mapped of it goes.
 */
import { DEVDAX_PAGES, isDying } from '../../memory/dax.ts'
import { pagesIn, type File } from '../../memory/memory.ts'
import type { Rules } from '../agenda.ts'

const isOn = (pagemap: string, { kind }: File): boolean => kind === (pagemap === 'pmem0' ? 'dax' : 'devdax')
const lengthOf = (file: File): number => (file.kind === 'devdax' ? DEVDAX_PAGES : pagesIn(file))

export const daxTeardownRules = {
  dev_pagemap_kill: (memory, { pagemap }) => (isDying(memory, pagemap) ? {} : { facts: [['pagemap-kill', pagemap]] }),
  memunmap_pages: ({ files }, { pagemap }) => ({
    then: [
      { do: 'dev_pagemap_kill', pagemap },
      ...Object.entries(files)
        .filter(([, file]) => isOn(pagemap, file))
        .map(([name, file]) => ({ do: 'unmap_mapping_range', file: name, start: 0, end: lengthOf(file), evenCows: false }) as const),
    ],
  }),
} satisfies Partial<Rules>
