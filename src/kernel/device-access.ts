/**
 * A device's own loads and stores, each in the two parts that hardware makes of it. *Translate* looks a page up in the device's
 * TLB or table; *perform* reads or writes the frame that was found. What comes between them, an invalidation's callback has to
 * deal with before it returns: it flushes the TLB, and waits for what is in flight.
 *
 * A page that is written is dirty from then on. Drivers say so (`set_page_dirty()`) when they unmap it, in the callback: whoever
 * asks whether a page is dirty in order to drop it has invalidated it first, and so finds the same.
 */
import { page, type Page, type Pages } from '../memory/address.ts'
import { frameOf } from '../memory/entry.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { ActorName, Offer } from './offer.ts'
import { call } from './offer.ts'
import { Table } from '../memory/table.ts'
import { HMM_PFN_VALID, HMM_PFN_WRITE } from '../walker/hmm.ts'
import { contents, dirtied } from './pages/folio.ts'
import type { DeviceFault, RangeContext, RangeEvent } from './range.ts'

/** A statement of a device's program: read pages [at, end), or write `value`, `value + 1`, … into them, and fault in what is missing. */
export interface DeviceAccess extends DeviceFault {
  readonly access: 'read' | 'write'
  readonly at: Page
  readonly value: number
}
export type DeviceStatement = DeviceFault | DeviceAccess

export const isAccess = (statement: DeviceStatement | undefined): statement is DeviceAccess =>
  statement !== undefined && 'access' in statement

/** An access between its two parts: whose translation it goes by, and what that says (walker/hmm.ts has the word). */
export interface InFlight {
  readonly device: ActorName
  readonly page: Page
  readonly word: number
}

/** Looks the next page up on the device, which knows from then on of an access in flight; nothing there is a fault. */
export const translate = (device: ActorName, { at, access }: DeviceAccess): Offer<Fact> => ({
  do: 'translate',
  calls: [call(device, 'translate', { page: at, write: access === 'write' })],
  facts: [],
  event: ([word]) => (word === 0 ? { type: 'fault' } : ({ type: 'translated', word: word as number } satisfies RangeEvent)),
})

/** The access itself, wherever its translation leads. */
export function perform(memory: Memory, { device, program: [statement], inFlight }: RangeContext): readonly Offer<Fact>[] {
  if (!isAccess(statement) || inFlight === undefined || inFlight === null) return []
  const { at, end, access, value } = statement
  const frame = frameOf(inFlight.word)
  const left = at + 1 < end ? { ...statement, at: page(at + 1), value: value + 1 } : null
  return [
    {
      do: access === 'read' ? 'device_read' : 'device_write',
      calls: [call(device, 'performed', { page: at })],
      facts: access === 'read' ? [] : [...contents(memory.frames, [[frame, value]]), ...dirtied(memory, frame)],
      event: () => ({ type: 'accessed', values: access === 'read' ? [memory.frames.content.get(frame)] : [], left }) satisfies RangeEvent,
    },
  ]
}

/** What a device's context becomes by the events of an access. */
export function translated({ device, program: [statement] }: RangeContext, event: RangeEvent): Partial<RangeContext> {
  return event.type === 'translated' && isAccess(statement) ? { inFlight: { device, page: statement.at, word: event.word } } : {}
}
export const accessed = ({ program }: RangeContext, event: RangeEvent): Partial<RangeContext> =>
  event.type === 'accessed' ? { inFlight: null, program: event.left === null ? program.slice(1) : [event.left, ...program.slice(1)] } : {}

/** Pages that are wanted, each with these flags, as the statement that faults them in; for ever, if it has to begin again. */
export const faultOn = ({ start, end }: Pages, defaultFlags: number): DeviceFault => ({
  start,
  end,
  defaultFlags,
  pfnFlagsMask: 0,
  owned: null,
  requests: Table.empty,
  attempts: null,
})

/** What a device has asked for by a queue. */
export const requested = ({ start, end, write }: { readonly start: number; readonly end: number; readonly write: boolean }): DeviceFault =>
  faultOn({ start: page(start), end: page(end) }, HMM_PFN_VALID | (write ? HMM_PFN_WRITE : 0))
