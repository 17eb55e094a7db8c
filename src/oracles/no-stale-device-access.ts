/**
 * No device access goes by an old translation once the invalidate callback that ended it has returned. Whatever such an access
 * reads or writes is not the process's any more.
 */
import type { Item } from '../kernel/agenda.ts'
import type { InFlight } from '../kernel/device-access.ts'
import { frameOf } from '../memory/entry.ts'
import { devicesOf, type Oracle, type View } from './oracle.ts'

/** Anything that accesses memory by a device's translation: an actor whose context has `inFlight`. */
export const accessesInFlight = ({ world }: View): readonly InFlight[] =>
  world.actors.flatMap(({ context }) => {
    const { inFlight: access }: { readonly inFlight?: InFlight | null } = context
    return access === undefined || access === null ? [] : [access]
  })

/** Is a callback about this page under way, which may wait for the access still? */
const isTold = ({ world }: View, { device, page }: InFlight): boolean =>
  world.actors.some(({ context }) => {
    const { agenda: [next] = [] }: { readonly agenda?: readonly Item[] } = context
    return next?.do === 'invalidate_wait' && next.who === device && next.range.start <= page && page < next.range.end
  })

export const noStaleDeviceAccess: Oracle = view => {
  for (const access of accessesInFlight(view)) {
    const { device, page, word } = access
    const table = devicesOf(view).find(({ name }) => name === device)?.table
    if (table === undefined || frameOf(table.get(page)) === frameOf(word) || isTold(view, access)) continue
    return `${device} accesses page ${page} by frame ${frameOf(word)}, which its driver was told to give up`
  }
  return undefined
}
