/** Once a page map is torn down, and nobody is about it any more, nobody has a page that it described. */
import type { Item } from '../kernel/agenda.ts'
import { pfn } from '../memory/address.ts'
import { isDying, PAGEMAP_FRAMES, type PagemapName } from '../memory/dax.ts'
import { frameKind } from '../memory/frames.ts'
import type { Oracle, View } from './oracle.ts'

/** Is somebody tearing it down still, or waiting for who has its pages? */
const isGoing = ({ world }: View, pagemap: PagemapName): boolean =>
  world.actors.some(({ context: { agenda = [] } }: { readonly context: { readonly agenda?: readonly Item[] } }) =>
    agenda.some(item => 'pagemap' in item && item.pagemap === pagemap),
  )

export const noPageWithoutPagemap: Oracle = view => {
  const { memory } = view.world
  for (const [pagemap, { first, end, idle }] of Object.entries(PAGEMAP_FRAMES) as [PagemapName, (typeof PAGEMAP_FRAMES)[PagemapName]][]) {
    if (!isDying(memory, pagemap) || isGoing(view, pagemap)) continue
    for (const [from, count] of memory.frames.refs.runs(first, end)) {
      for (let frame = from; frame < from + count; frame++)
        if (memory.frames.refs.get(frame) > idle + memory.frames.maps.get(frame) + memory.frames.hugeMaps.get(frame))
          return `somebody has frame ${frame} (${frameKind(memory.frames, pfn(frame))}), and its page map ${pagemap} is gone`
    }
  }
  return undefined
}
