/** A world as expectations see it: by the names of a scenario. */
import { frameOf, isPresent, wordOf, type Entry } from '../memory/entry.ts'
import { headOf } from '../memory/frames.ts'
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
  /** The references to the page that is mapped there, or to the large folio that it is part of; undefined if none is mapped. */
  refs(page: Page): number | undefined
  /** The references that calls have to a page map (`struct dev_pagemap`): of `pmem0`, where files on DAX are, or of the device `dax1.0`. */
  pagemap(name: 'pmem0' | 'dax1.0'): number
}

export function viewOf({ names, world }: OracleView): View {
  const { frames, pagemaps } = world.memory
  const entryOf = (p: Page): Entry => smallEntryAt(mmOf(world.memory, 'mm0'), p)
  return {
    names,
    world,
    maps: (device, { start, end }) => devicesOf({ names, world }).some(d => d.name === device && d.table.next(start, end) < end),
    entry: p => wordOf(entryOf(p)),
    content: p => (isPresent(entryOf(p)) ? frames.content.get(frameOf(entryOf(p))) : undefined),
    refs: p => (isPresent(entryOf(p)) ? frames.refs.get(headOf(frames, frameOf(entryOf(p)))) : undefined),
    pagemap: name => pagemaps[name] ?? 0,
    huge: p => isHuge(mmOf(world.memory, 'mm0'), p),
  }
}
