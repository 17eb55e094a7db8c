/** Once a page map is torn down, and nobody is about it any more, nobody has a page that it described. */
import { pfn } from '../memory/address.ts'
import { isDying, PAGEMAP_FRAMES, type PagemapName } from '../memory/dax.ts'
import { frameKind } from '../memory/frames.ts'
import { agendasOf, type Oracle, type View } from './oracle.ts'

/** Is somebody tearing it down still, or waiting for who has its pages? */
const isGoing = (view: View, pagemap: PagemapName): boolean =>
  agendasOf(view).some(agenda => agenda.some(item => 'pagemap' in item && item.pagemap === pagemap))

export const noPageWithoutPagemap: Oracle = view => {
  const { memory } = view.world
  const { refs, maps, hugeMaps } = memory.frames
  for (const [pagemap, { first, end, idle }] of Object.entries(PAGEMAP_FRAMES) as [PagemapName, (typeof PAGEMAP_FRAMES)[PagemapName]][]) {
    if (!isDying(memory, pagemap) || isGoing(view, pagemap)) continue
    for (const frame of refs.indices(first, end)) {
      if (refs.get(frame) > idle + maps.get(frame) + hugeMaps.get(frame))
        return `somebody has frame ${frame} (${frameKind(memory.frames, pfn(frame))}), and its page map ${pagemap} is gone`
    }
  }
  return undefined
}
