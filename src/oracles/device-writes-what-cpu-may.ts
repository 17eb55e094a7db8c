/** Once no invalidation is in flight, a device may write a page only where the CPU may. */
import { isPresent, isWritable } from '../memory/entry.ts'
import { HMM_PFN_WRITE } from '../walker/hmm.ts'
import { deviceMappings, devicesOf, invalidationsInFlight, type Oracle } from './oracle.ts'

export const deviceWritesWhatCpuMay: Oracle = view => {
  for (const device of devicesOf(view)) {
    if (invalidationsInFlight(view, device.mm) > 0) continue
    for (const { page, word, entry } of deviceMappings(view, device)) {
      const cpuWrites = isPresent(entry) && isWritable(entry)
      if ((word & HMM_PFN_WRITE) !== 0 && !cpuWrites) return `${device.name} may write page ${page}, which the CPU may not`
    }
  }
  return undefined
}
