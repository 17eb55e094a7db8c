/** Once no invalidation is in flight, a device maps only what the CPU's page table maps there. */
import { frameOf, isPresent } from '../memory/entry.ts'
import { deviceMappings, devicesOf, invalidationsInFlight, type Oracle } from './oracle.ts'

export const noStaleDeviceMapping: Oracle = view => {
  for (const device of devicesOf(view)) {
    if (invalidationsInFlight(view, device.mm) > 0) continue
    for (const { page, word, entry } of deviceMappings(view, device)) {
      if (isPresent(entry) && frameOf(entry) === frameOf(word)) continue
      const cpu = isPresent(entry) ? `frame ${frameOf(entry)}` : 'nothing'
      return `${device.name} still maps page ${page} to frame ${frameOf(word)}, where the CPU maps ${cpu}`
    }
  }
  return undefined
}
