/**
 * Once no invalidation is in flight, a device maps only what the CPU's page table maps there, or has lent to a device. A page
 * that is on its way is nobody's until it has arrived.
 */
import { frameOf, isMigration, isPresent, kindOf, type EntryKind } from '../memory/entry.ts'
import { deviceMappings, devicesOf, invalidationsInFlight, type DeviceView, type Oracle, type View } from './oracle.ts'

/** Entries of pages that a device has, and the CPU has not. */
const LENT: ReadonlySet<EntryKind> = new Set<EntryKind>(['!devpriv-r', '!devpriv-w', '!excl-r', '!excl-w', '!excl-m'])

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
      const leads = isPresent(entry) || LENT.has(kindOf(entry))
      if (isMigration(entry) || (leads && frameOf(entry) === frameOf(word))) continue
      const cpu = leads ? `frame ${frameOf(entry)}` : 'nothing'
      return `${device.name} still maps page ${page} to frame ${frameOf(word)}, where the process has ${cpu}`
    }
  }
  return undefined
}
