/** What the devices of a scenario are told: to fault pages in, to look at them, to map them for DMA, and to access them. */
import { faultOn, isAccess, type DeviceAccess, type DeviceStatement } from '../kernel/device-access.ts'
import { dmaOf, handlerOf, timeoutOf, workerOf } from '../kernel/names.ts'
import type { Profile } from '../kernel/profiles.ts'
import type { DeviceFault } from '../kernel/range.ts'
import { page, PAGE_LIMIT, type Pages } from '../memory/address.ts'
import type { MmName } from '../memory/memory.ts'
import type { ActorName } from '../system/actor.ts'
import { HMM_PFN_VALID, HMM_PFN_WRITE } from '../walker/hmm.ts'
import { HMM_PFN_DEVICE_PRIVATE } from '../walker/hmm-5-2.ts'
import type { Command, Device, DeviceFaultOptions, DeviceOptions, StatementRef } from './api.ts'
import { machinesOf, type Driver, type Hearing } from './drivers.ts'
import { RANGE_MACHINES, type ActorSpec } from './standard.ts'

/** How a driver hears of invalidations. */
type Notifier = 'hmm_mirror' | Hearing

/** What a device is to do, and what it has of the kernel. */
export interface Programmed {
  readonly program: DeviceStatement[]
  readonly notifier: Notifier
  readonly dmaRoom: number | null
  readonly dmaLimited: boolean
  /** Its driver gives up when its time is over. */
  readonly timeout: boolean
  /** Of the user's own. */
  readonly driver: Driver | undefined
  /** What its interval notifiers cover, one each. */
  readonly covers: readonly Pages[]
}

const EVERYTHING: Pages = { start: page(0), end: page(PAGE_LIMIT) }

/** What a device is programmed as; why it cannot be, if it cannot. */
export function programmed(
  profile: Profile,
  { driver, buffers, notifier, dmaRoom, dmaLimited = false, timeout = false }: DeviceOptions,
): Programmed | string {
  const common = { program: [], dmaRoom: dmaRoom ?? null, dmaLimited, timeout, driver, covers: buffers ?? [EVERYTHING] }
  const ways = notifiersOf(profile)
  if (timeout && driver !== undefined) return "timeout is for our driver; one of one's own has its own way of giving up"
  if (driver !== undefined) {
    const able = ways.includes('mmu_interval_notifier')
    return able
      ? { ...common, notifier: driver.hears }
      : `drivers of one's own are for kernels with interval notifiers, v5.5 on; this is ${profile.name}`
  }
  if (buffers !== undefined) return "buffers are for a driver of one's own"
  const chosen = notifier ?? ways[0]
  if (timeout && chosen !== 'mmu_interval_notifier')
    return `timeout is for ranges with a sequence; on ${profile.name} this one has an ${chosen}`
  return ways.includes(chosen)
    ? { ...common, notifier: chosen }
    : `${profile.name} has no ${chosen}; a device there has an ${ways.join(' or an ')}`
}

/** Who is called when pages are invalidated: the tree of interval notifiers, and plain notifiers. */
export const subscribers = (
  devices: ReadonlyMap<ActorName, Programmed>,
): { readonly itree: readonly object[]; readonly plain: readonly ActorName[] } => ({
  itree: [...devices].flatMap(([who, { notifier, driver, covers }]) =>
    notifier === 'mmu_interval_notifier'
      ? covers.map(({ start, end }, sub) => ({ who, start, end, ...(driver === undefined ? {} : { sub }) }))
      : [],
  ),
  plain: [...devices].flatMap(([who, { notifier }]) => (notifier === 'mmu_notifier' ? [who] : [])),
})

/** The actors of a device: itself, who handles its faults, and what else belongs to it. */
export function deviceActors(mm: MmName, name: ActorName, device: Programmed, profile: Profile): readonly ActorSpec[] {
  const { program, notifier, dmaRoom, dmaLimited, timeout, driver, covers } = device
  const { range } = notifier === 'hmm_mirror' ? RANGE_MACHINES[profile.rangeValidity] : RANGE_MACHINES.sequence
  const machines = driver === undefined ? { device: 'device', handler: range } : machinesOf(driver)
  const acting = { name: handlerOf(name), mm, device: name, program }
  const input = {
    mm,
    ...EVERYTHING,
    ...(mapsDma(program, 'page by page') ? { dma: { room: dmaRoom, limited: dmaLimited } } : {}),
    ...(program.some(isAccess) ? { accesses: true } : {}),
    ...(driver === undefined ? {} : { buffers: covers }),
  }
  return [
    { name, machine: machines.device, input },
    { name: handlerOf(name), machine: machines.handler, input: acting },
    ...(timeout ? [{ name: timeoutOf(name), machine: 'timeout', input: {} }] : []),
    ...(mapsDma(program, 'by range') ? [{ name: dmaOf(name), machine: 'dma', input: { room: dmaRoom } }] : []),
    ...(driver?.hasWorker === true
      ? [{ name: workerOf(name), machine: machinesOf(driver).worker, input: { ...acting, name: workerOf(name), program: [] } }]
      : []),
  ]
}

const mapsDma = (program: readonly DeviceStatement[], way: DeviceFault['dma']): boolean => program.some(({ dma }) => dma === way)

/** What a driver may choose from; what it has if it does not say comes first. */
function notifiersOf({ rangeValidity }: Profile): readonly ['mmu_interval_notifier' | 'hmm_mirror', ...Notifier[]] {
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
  timeout: boolean,
  add: (statement: DeviceStatement) => StatementRef,
  dmaWay: () => Exclude<Profile['mapsDma'], 'no'>,
): Device {
  const faulting = (pages: Pages, defaultFlags: number, { attempts, block }: DeviceFaultOptions): DeviceFault => ({
    ...faultOn(pages, defaultFlags),
    attempts: attempts ?? null,
    ...(block === undefined ? {} : { block }),
  })
  const asked = (pages: Pages, defaultFlags: number, options: DeviceFaultOptions, rest: Partial<DeviceFault> = {}): Command => ({
    ...add({ ...faulting(pages, defaultFlags, options), ...(timeout ? { timeout } : {}), ...rest }),
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
