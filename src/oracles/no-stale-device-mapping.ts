/** Once no invalidation is in flight, a device maps only what the CPU's page table maps there, or has lent to a device. */
import { frameOf } from '../memory/entry.ts'
import { isStale, leads } from './device-entry.ts'
import { deviceMappings, devicesOf, invalidationsInFlight, type DeviceView, type Oracle, type View } from './oracle.ts'

export const noStaleDeviceMapping: Oracle = view => staleAmong(view, devicesOf(view))

/** The same of one device alone. */
export const noStaleMappingOn =
  (name: string): Oracle =>
  view =>
    staleAmong(
      view,
      devicesOf(view).filter(device => device.name === name),
    )

function staleAmong(view: View, devices: readonly DeviceView[]): string | undefined {
  for (const device of devices) {
    if (invalidationsInFlight(view, device.mm) > 0) continue
    for (const { page, word, entry } of deviceMappings(view, device)) {
      if (!isStale(word, entry)) continue
      const cpu = leads(entry) ? `frame ${frameOf(entry)}` : 'nothing'
      return `${device.name} still maps page ${page} to frame ${frameOf(word)}, where the process has ${cpu}`
    }
  }
  return undefined
}
