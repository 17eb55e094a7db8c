/** A world as expectations see it: by the names of a scenario. */
import type { DeviceContext } from '../../machines/device.ts'
import type { DmaContext } from '../../machines/dma.ts'
import { isDmaMapped } from '../kernel/dma-map.ts'
import { dmaOf } from '../kernel/names.ts'
import { frameOf, isPresent, NONE, wordOf, type Entry } from '../memory/entry.ts'
import { isDying } from '../memory/dax.ts'
import { headOf } from '../memory/frames.ts'
import { mmOf, type MmName } from '../memory/memory.ts'
import { isHuge, smallEntryAt } from '../memory/pagetable.ts'
import { devicesOf, type View as OracleView } from '../oracles/oracle.ts'
import type { Page, Pages } from '../memory/address.ts'

export interface View extends OracleView {
  /** Does the device map any of these pages? */
  maps(device: string, pages: Pages): boolean
  /** What the CPU's entry for a page says: `PWDA`, `!swap`, `none`; of a child process, if that is named. */
  entry(page: Page, mm?: MmName): string
  /** What the page contains, if it is mapped. */
  content(page: Page): number | undefined
  /** How a device has mapped it for DMA: to the device alone, both ways, or not at all. */
  dma(device: string, page: Page): 'DMA_TO_DEVICE' | 'DMA_BIDIRECTIONAL' | undefined
  /** Does one entry of 2 MiB map it? */
  huge(page: Page): boolean
  /** The references to the page that is mapped there, or to the large folio that it is part of; undefined if none is mapped. */
  refs(page: Page): number | undefined
  /** The references that calls have to a page map (`struct dev_pagemap`): of `pmem0`, where files on DAX are, or of the device `dax1.0`. */
  pagemap(name: 'pmem0' | 'dax1.0'): number
  /** Is the page map dying, or gone? */
  killed(name: 'pmem0' | 'dax1.0'): boolean
}

export function viewOf({ names, world }: OracleView): View {
  const { frames, pagemaps } = world.memory
  const entryOf = (p: Page, mm = 'mm0'): Entry => (world.memory.mms[mm] === undefined ? NONE : smallEntryAt(mmOf(world.memory, mm), p))
  return {
    names,
    world,
    maps: (device, { start, end }) => devicesOf({ names, world }).some(d => d.name === device && d.table.next(start, end) < end),
    entry: (p, mm) => wordOf(entryOf(p, mm)),
    content: p => (isPresent(entryOf(p)) ? frames.content.get(frameOf(entryOf(p))) : undefined),
    refs: p => (isPresent(entryOf(p)) ? frames.refs.get(headOf(frames, frameOf(entryOf(p)))) : undefined),
    dma: (device, p) => {
      const { dma } = (world.actors[names.indexOf(device)]?.context ?? {}) as Partial<DeviceContext>
      if (dma !== undefined) return isDmaMapped(dma, p) ? 'DMA_BIDIRECTIONAL' : undefined
      const { daddrs } = (world.actors[names.indexOf(dmaOf(device))]?.context ?? {}) as Partial<DmaContext>
      return daddrs === undefined ? undefined : ([undefined, 'DMA_TO_DEVICE', 'DMA_BIDIRECTIONAL'] as const)[daddrs.get(p)]
    },
    pagemap: name => pagemaps[name] ?? 0,
    killed: name => isDying(world.memory, name),
    huge: p => isHuge(mmOf(world.memory, 'mm0'), p),
  }
}
