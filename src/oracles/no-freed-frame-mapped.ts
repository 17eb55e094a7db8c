/**
 * Nothing leads to a frame that is free: no entry of a process, nothing that the CPU still knows of one, and no device. Not even
 * while an invalidation is in flight: whoever frees a page has seen to all of these before.
 */
import { frameOf, isPresent } from '../memory/entry.ts'
import { hasPage } from '../memory/normal-page.ts'
import { headOf } from '../memory/frames.ts'
import type { Memory, Mm } from '../memory/memory.ts'
import type { Table } from '../memory/table.ts'
import { devicesOf, type Oracle } from './oracle.ts'

/** The first page by which a table leads to a free frame, and the frame. */
function freed({ frames }: Memory, table: Table): readonly [page: number, frame: number] | undefined {
  for (const [first, count] of table.runs()) {
    for (let p = first; p < first + count; p++) {
      const entry = table.get(p)
      if (isPresent(entry) && hasPage(entry) && frames.refs.get(headOf(frames, frameOf(entry))) === 0) return [p, frameOf(entry)]
    }
  }
  return undefined
}

const tablesOf = ({ pte, tlb }: Mm): readonly (readonly [what: string, table: Table])[] => [
  ['an entry of', pte],
  ['what the CPU knows of', tlb],
]

export const noFreedFrameMapped: Oracle = view => {
  const { memory } = view.world
  for (const [name, mm] of Object.entries(memory.mms)) {
    for (const [what, table] of tablesOf(mm)) {
      const [page, frame] = freed(memory, table) ?? []
      if (page !== undefined) return `${what} page ${page} of ${name} leads to frame ${frame ?? 0}, which is free`
    }
  }
  for (const { name, table } of devicesOf(view)) {
    const [page, frame] = freed(memory, table) ?? []
    if (page !== undefined) return `${name} maps page ${page} to frame ${frame ?? 0}, which is free`
  }
  return undefined
}
