/**
 * Every read sees the last write, whoever reads and whoever wrote: what a device accesses, at the time it does, is the frame that the
 * process has there. CPUs go by the page table itself; so a device's read sees what they wrote last, and they see what it wrote.
 *
 * No invalidation in flight is an excuse: entries change only when every callback has returned.
 */
import { frameOf, wordOf } from '../memory/entry.ts'
import { mmOf } from '../memory/memory.ts'
import { smallEntryAt } from '../memory/pagetable.ts'
import { leads } from './device-entry.ts'
import { accessesInFlight } from './no-stale-device-access.ts'
import { devicesOf, type Oracle } from './oracle.ts'

export const deviceAccessesAreCurrent: Oracle = view => {
  const devices = devicesOf(view)
  for (const { device, page, word } of accessesInFlight(view)) {
    const mm = devices.find(({ name }) => name === device)?.mm
    if (mm === undefined) continue
    const entry = smallEntryAt(mmOf(view.world.memory, mm), page)
    if (leads(entry) && frameOf(entry) === frameOf(word)) continue
    const has = leads(entry) ? `frame ${frameOf(entry)}` : wordOf(entry) === 'none' ? 'nothing' : wordOf(entry)
    return `${device} accesses page ${page} by frame ${frameOf(word)}, where the process has ${has}`
  }
  return undefined
}
