/** Blocks of files on DAX are memory: one that somebody has taken is not given back to the file system, which would give it to others. */
import { PAGEMAP_FRAMES } from '../memory/dax.ts'
import { agendasOf, type Oracle, type View } from './oracle.ts'

/**
 * How often lockless GUP has just taken a frame whose entry it has not looked at again: it does not keep what the entry no longer
 * leads to (see `dax_layout_busy_page()`, which counts on that).
 */
const lookedAtAgain = (view: View, frame: number): number =>
  agendasOf(view).filter(([item]) => item?.do === 'gup_fast_recheck' && item.frame === frame).length

export const noDaxBlockFreedWhileHeld: Oracle = view => {
  const { memory } = view.world
  const { first, end } = PAGEMAP_FRAMES.pmem0
  const blocks = new Set<number>()
  for (const file of Object.values(memory.files)) {
    for (const index of file.blocks.indices()) blocks.add(file.blocks.get(index))
  }
  const { refs } = memory.frames
  for (const frame of refs.indices(first, end)) {
    if (!blocks.has(frame) && refs.get(frame) > lookedAtAgain(view, frame))
      return `somebody has frame ${frame}, which is no file's any more`
  }
  return undefined
}
