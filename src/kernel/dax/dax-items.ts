/** What there is to be done about memory that is mapped without a page cache: part of the vocabulary of agendas. */
import type { Pfn } from '../../memory/address.ts'
import type { FileName } from '../../memory/memory.ts'
import type { At, DaxFault, Fault, FilePages, FileWrite, Folio, Span } from '../operands.ts'
import type { SystemCalls } from '../syscalls.ts'

export interface DaxItems {
  // dax.ts
  ext4_dax_huge_fault: DaxFault
  dax_iomap_fault: DaxFault
  /** Where no 2 MiB could be had, the fault goes on from here. */
  dax_fallback: Fault & { readonly wp: boolean }
  dax_fault_iter: DaxFault
  /** `frame`: 0 where there is no block, and the zero page is mapped. */
  dax_insert_entry: DaxFault & { readonly frame: Pfn }
  vmf_insert_pfn: DaxFault & { readonly frame: Pfn }
  dax_store_entry: FilePages & { readonly entry: number }
  wp_huge_pmd: Fault
  // dax-io.ts, dax-writeback.ts
  dax_setattr: SystemCalls['ftruncate']
  dax_setsize: SystemCalls['ftruncate']
  dax_punch_hole: FilePages
  dax_layout_busy_page: { readonly file: FileName }
  /** Goes on once nobody has this block of the file but by mapping it. */
  ext4_wait_dax_page: { readonly file: FileName } & Folio
  dax_delete_mapping_range: { readonly file: FileName }
  ext4_remove_space: FilePages
  dax_writeback_range: FilePages
  pfn_mkclean_range: Span & { readonly frame: Pfn; readonly count: number }
  dax_allocate: FilePages
  dax_iomap_rw: FileWrite
  invalidate_inode_pages2_range: FilePages
  // devdax.ts
  split_huge_pud: At
}
