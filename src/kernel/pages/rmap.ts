/** Reverse mappings: which areas may map a page, in the order in which the kernel visits them (mm/rmap.c). */
import { page, type Page, type Pfn } from '../../memory/address.ts'
import { isPresent } from '../../memory/entry.ts'
import { folioSize, headOf } from '../../memory/frames.ts'
import { mmOf, type FileName, type Memory, type MmName } from '../../memory/memory.ts'
import { frameAt, leafAt } from '../../memory/pagetable.ts'
import { has, pagesOf, VM_LOCKED, vmaAt, type Vma } from '../../memory/vma.ts'

/** The part of an area in which something may be mapped. */
export interface Place {
  readonly mm: MmName
  readonly start: Page
  readonly end: Page
}

interface Found {
  readonly mm: MmName
  readonly vma: Vma
}

/** Areas of which part is [index, index + count), by ascending offset; of equal ones, by their order. */
function places(
  memory: Memory,
  index: number,
  count: number,
  wanted: (vma: Vma) => boolean,
  orderOf: (vma: Vma) => number,
): readonly Place[] {
  const found: Found[] = []
  for (const [mm, { vmas }] of Object.entries(memory.mms)) {
    for (const vma of vmas) if (wanted(vma) && vma.pgoff < index + count && index < vma.pgoff + pagesOf(vma)) found.push({ mm, vma })
  }
  found.sort((a, b) => a.vma.pgoff - b.vma.pgoff || orderOf(a.vma) - orderOf(b.vma))
  return found.map(({ mm, vma }) => ({
    mm,
    start: page(vma.start + Math.max(0, index - vma.pgoff)),
    end: page(Math.min(vma.end, vma.start + index + count - vma.pgoff)),
  }))
}

/** Where a folio of anonymous memory may be mapped: in the areas that are linked to its `anon_vma`. */
export function anonPlaces(memory: Memory, head: Pfn): readonly Place[] {
  const { frames } = memory
  const anonVma = frames.anonVma.get(head)
  return places(
    memory,
    frames.index.get(head),
    folioSize(frames, head),
    vma => vma.linked.includes(anonVma),
    vma => vma.anonOrder,
  )
}

/** Where pages of a file may be mapped: in its areas, or in those of them that are wanted. */
export const filePlaces = (
  memory: Memory,
  file: FileName,
  index: number,
  count: number,
  wanted = (_: Vma): boolean => true,
): readonly Place[] =>
  places(
    memory,
    index,
    count,
    vma => vma.file === file && wanted(vma),
    vma => vma.order,
  )

/** A folio is not on the lists of reclaim if an area that has it is locked, whoever's that is. */
export const isUnevictable = (memory: Memory, head: Pfn): boolean =>
  anonPlaces(memory, head).some(({ mm: name, start, end }) => {
    const mm = mmOf(memory, name)
    const vma = vmaAt(mm.vmas, start)
    if (vma === undefined || !has(vma, VM_LOCKED)) return false
    for (let p = start; p < end; p = page(p + 1)) {
      const leaf = leafAt(mm, p)
      if (isPresent(leaf.entry) && headOf(memory.frames, frameAt(leaf, p)) === head) return true
    }
    return false
  })
