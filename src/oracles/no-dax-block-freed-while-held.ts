/** Blocks of files on DAX are memory: one that somebody has taken is not given back to the file system, which would give it to others. */
import { PAGEMAP_FRAMES } from '../memory/dax.ts'
import type { Oracle } from './oracle.ts'

export const noDaxBlockFreedWhileHeld: Oracle = ({ world: { memory } }) => {
  const { first, end } = PAGEMAP_FRAMES.pmem0
  const blocks = new Set<number>()
  for (const file of Object.values(memory.files)) {
    for (const [index, count] of file.blocks.runs()) for (let i = index; i < index + count; i++) blocks.add(file.blocks.get(i))
  }
  for (const [from, count] of memory.frames.refs.runs(first, end)) {
    for (let frame = from; frame < from + count; frame++)
      if (!blocks.has(frame)) return `somebody has frame ${frame}, which is no file's any more`
  }
  return undefined
}
