/** A world as expectations see it: by the names of a scenario. */
import { frameOf, isPresent, wordOf, type Entry } from '../memory/entry.ts'
import { mmOf } from '../memory/memory.ts'
import { isHuge, smallEntryAt } from '../memory/pagetable.ts'
import { devicesOf, type View as OracleView } from '../oracles/oracle.ts'
import type { Page, Pages } from '../memory/address.ts'

export interface View extends OracleView {
  /** Does the device map any of these pages? */
  maps(device: string, pages: Pages): boolean
  /** What the CPU's entry for a page says: `PWDA`, `!swap`, `none`. */
  entry(page: Page): string
  /** What the page contains, if it is mapped. */
  content(page: Page): number | undefined
  /** Does one entry of 2 MiB map it? */
  huge(page: Page): boolean
}

export function viewOf({ names, world }: OracleView): View {
  const entryOf = (p: Page): Entry => smallEntryAt(mmOf(world.memory, 'mm0'), p)
  return {
    names,
    world,
    maps: (device, { start, end }) => devicesOf({ names, world }).some(d => d.name === device && d.table.next(start, end) < end),
    entry: p => wordOf(entryOf(p)),
    content: p => (isPresent(entryOf(p)) ? world.memory.frames.content.get(frameOf(entryOf(p))) : undefined),
    huge: p => isHuge(mmOf(world.memory, 'mm0'), p),
  }
}
