/** Once no invalidation is in flight, a device may write a page only where the CPU may, or might if the page came back. */
import { writesTooMuch } from './device-entry.ts'
import { deviceMappings, devicesOf, invalidationsInFlight, type Oracle } from './oracle.ts'

export const deviceWritesWhatCpuMay: Oracle = view => {
  for (const device of devicesOf(view)) {
    if (invalidationsInFlight(view, device.mm) > 0) continue
    for (const { page, word, entry } of deviceMappings(view, device)) {
      if (writesTooMuch(word, entry)) return `${device.name} may write page ${page}, which the CPU may not`
    }
  }
  return undefined
}
