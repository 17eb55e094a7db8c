/** Once no invalidation is in flight, a device may write a page only where the CPU may, or might if the page came back. */
import { isMigration, isPresent, isWritable, kindOf } from '../memory/entry.ts'
import { HMM_PFN_WRITE } from '../walker/hmm.ts'
import { deviceMappings, devicesOf, invalidationsInFlight, type Oracle } from './oracle.ts'

export const deviceWritesWhatCpuMay: Oracle = view => {
  for (const device of devicesOf(view)) {
    if (invalidationsInFlight(view, device.mm) > 0) continue
    for (const { page, word, entry } of deviceMappings(view, device)) {
      if (isMigration(entry)) continue
      const cpuWrites = isPresent(entry) ? isWritable(entry) : kindOf(entry).endsWith('-w')
      if ((word & HMM_PFN_WRITE) !== 0 && !cpuWrites) return `${device.name} may write page ${page}, which the CPU may not`
    }
  }
  return undefined
}
