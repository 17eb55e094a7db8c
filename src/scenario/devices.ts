/** What the devices of a scenario are told: to fault pages in, to look at them, to map them for DMA, and to access them. */
import type { DeviceAccess, DeviceStatement } from '../kernel/device-access.ts'
import type { Profile } from '../kernel/profiles.ts'
import type { DeviceFault } from '../kernel/range.ts'
import type { Pages } from '../memory/address.ts'
import { Table } from '../memory/table.ts'
import type { ActorName } from '../system/actor.ts'
import { HMM_PFN_VALID, HMM_PFN_WRITE } from '../walker/hmm.ts'
import { HMM_PFN_DEVICE_PRIVATE } from '../walker/hmm-5-2.ts'
import type { Command, Device, DeviceFaultOptions, StatementRef } from './api.ts'

/** How a driver hears of invalidations. */
export type Notifier = 'hmm_mirror' | 'mmu_interval_notifier'

/** What a device is to do, and what it has of the kernel. */
export interface Programmed {
  readonly program: DeviceStatement[]
  readonly notifier: Notifier
  readonly dmaRoom: number | null
  readonly dmaLimited: boolean
}

/** What a driver may choose from; what it has if it does not say comes first. */
export function notifiersOf({ rangeValidity }: Profile): readonly [Notifier, ...Notifier[]] {
  switch (rangeValidity) {
    case 'sequence':
      return ['mmu_interval_notifier']
    case 'valid flag or sequence':
      return ['mmu_interval_notifier', 'hmm_mirror']
    case 'valid flag':
    case 'valid flag at the end':
      return ['hmm_mirror']
  }
}

const wanted = ({ write = false, devicePrivate = false }: DeviceFaultOptions): number =>
  HMM_PFN_VALID | (write ? HMM_PFN_WRITE : 0) | (devicePrivate ? HMM_PFN_DEVICE_PRIVATE : 0)

/** `add` puts a statement at the end of the device's program. */
export function deviceOf(
  name: ActorName,
  add: (statement: DeviceStatement) => StatementRef,
  dmaWay: () => Exclude<Profile['mapsDma'], 'no'>,
): Device {
  const faulting = ({ start, end }: Pages, defaultFlags: number, { attempts, block }: DeviceFaultOptions): DeviceFault => {
    const common = { start, end, defaultFlags, pfnFlagsMask: 0, owned: null, requests: Table.empty, attempts: attempts ?? null }
    return { ...common, ...(block === undefined ? {} : { block }) }
  }
  const asked = (pages: Pages, defaultFlags: number, options: DeviceFaultOptions, rest: Partial<DeviceFault> = {}): Command => ({
    ...add({ ...faulting(pages, defaultFlags, options), ...rest }),
    start: pages.start,
    end: pages.end,
  })
  const accessing = (pages: Pages, access: DeviceAccess['access'], value: number): StatementRef =>
    add({ ...faulting(pages, wanted({ write: access === 'write' }), {}), access, at: pages.start, value })
  return {
    name,
    fault: (pages, options = {}) => asked(pages, wanted(options), options),
    snapshot: (pages, options = {}) => asked(pages, 0, options, { snapshot: true }),
    dmaMap: (pages, options = {}) => asked(pages, wanted(options), options, { dma: dmaWay() }),
    read: pages => accessing(pages, 'read', 0),
    write: (pages, value) => accessing(pages, 'write', value),
  }
}
