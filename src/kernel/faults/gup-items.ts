/** What there is to be done about lockless GUP, page maps and NUMA hints: part of the vocabulary of agendas. */
import type { Pfn } from '../../memory/address.ts'
import type { PagemapName } from '../../memory/dax.ts'
import type { Entry } from '../../memory/entry.ts'
import type { GupFlags } from '../../walker/gup.ts'
import type { GupFast, Span } from '../operands.ts'

export interface GupItems {
  // faults/gup-fast.ts
  gup_pte_range: GupFast
  gup_fast_grab: GupFast & { readonly entry: Entry; readonly frame: Pfn }
  gup_fast_recheck: GupFast & { readonly entry: Entry; readonly frame: Pfn }
  gup_fast_slow: Span & { readonly flags: GupFlags }

  // dax/pagemap.ts
  percpu_ref_kill: { readonly pagemap: PagemapName }
  percpu_ref_wait: { readonly pagemap: PagemapName }

  // areas/numa.ts
  change_prot_numa_in: Span
  change_prot_numa_entries: Span
}
