/**
 * Nothing by which a process comes to memory leads to a frame that is free: neither an entry, nor what the CPU still knows of one.
 * Whoever frees a page has seen to both before. (What devices map is another oracle's business: no-stale-device-mapping.ts.)
 */
import { frameOf, isPresent, NEXT_FRAME } from '../memory/entry.ts'
import { hasPage } from '../memory/normal-page.ts'
import type { Memory, Mm } from '../memory/memory.ts'
import type { Table } from '../memory/table.ts'
import type { Oracle } from './oracle.ts'

/** The first page by which a table leads to a free frame, and the frame. */
function freed({ frames: { refs } }: Memory, table: Table): readonly [page: number, frame: number] | undefined {
  for (const [first, count, entry, stride] of table.runs()) {
    // Consecutive frames are looked through at once.
    const step = stride === NEXT_FRAME ? count : 1
    for (let i = 0; i < count; i += step) {
      const each = entry + i * stride
      if (!isPresent(each) || !hasPage(each)) continue
      const free = refs.gap(frameOf(each))
      if (free < frameOf(each) + step) return [first + i + (free - frameOf(each)), free]
    }
  }
  return undefined
}

const tablesOf = ({ pte, tlb }: Mm): readonly (readonly [what: string, table: Table])[] => [
  ['an entry of', pte],
  ['what the CPU knows of', tlb],
]

export const noFreedFrameMapped: Oracle = ({ world: { memory } }) => {
  for (const [name, mm] of Object.entries(memory.mms)) {
    for (const [what, table] of tablesOf(mm)) {
      const [page, frame] = freed(memory, table) ?? []
      if (page !== undefined) return `${what} page ${page} of ${name} leads to frame ${frame ?? 0}, which is free`
    }
  }
  return undefined
}
