/** Blocks of files on DAX are memory: one that somebody has taken is not given back to the file system, which would give it to others. */
import type { Item } from '../kernel/agenda.ts'
import { PAGEMAP_FRAMES } from '../memory/dax.ts'
import type { Oracle, View } from './oracle.ts'

/**
 * How often lockless GUP has just taken a frame whose entry it has not looked at again: it does not keep what the entry no longer
 * leads to (see `dax_layout_busy_page()`, which counts on that).
 */
const lookedAtAgain = ({ world }: View, frame: number): number =>
  world.actors.reduce((sum, { context: { agenda = [] } }: { readonly context: { readonly agenda?: readonly Item[] } }) => {
    const [item] = agenda
    return sum + (item?.do === 'gup_fast_recheck' && item.frame === frame ? 1 : 0)
  }, 0)

export const noDaxBlockFreedWhileHeld: Oracle = view => {
  const { memory } = view.world
  const { first, end } = PAGEMAP_FRAMES.pmem0
  const blocks = new Set<number>()
  for (const file of Object.values(memory.files)) {
    for (const [index, count] of file.blocks.runs()) for (let i = index; i < index + count; i++) blocks.add(file.blocks.get(i))
  }
  for (const [from, count] of memory.frames.refs.runs(first, end)) {
    for (let frame = from; frame < from + count; frame++)
      if (!blocks.has(frame) && memory.frames.refs.get(frame) > lookedAtAgain(view, frame))
        return `somebody has frame ${frame}, which is no file's any more`
  }
  return undefined
}
