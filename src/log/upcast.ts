/**
 * Logs of earlier formats, brought up to this one when they are read. A format has one entry here, which says what the
 * next one changed; a log that was written once is read for ever.
 *
 * - 1: as it began.
 * - 2: the header has the plan of the scenario, so that what was lost of a run can be decided again from its log alone; that
 *   of a branch says where it leaves its trunk.
 * - 3: steps leave out what is as it mostly is (terse.ts), and checkpoints say what that is. Before, they stood as `StepRecord`
 *   has them.
 */
import { FORMAT, type Header } from './records.ts'
import { whole } from './terse.ts'
import type { Usual } from './usual.ts'

/** A step of a log of a format, as it was parsed, with all that it leaves out. */
export const stepOf = (format: number, json: unknown, usual: Usual): unknown => (format < 3 ? json : whole(json, usual))

/** What a header of a format becomes in the next one. */
const UPCASTS: Readonly<Record<number, (header: Header) => Header>> = {
  1: header => ({ ...header, plan: null }),
}

/** A header as this format has it. */
export function upcastHeader(header: Header): Header {
  let now = header
  for (let version = header.mirrorwalk; version < FORMAT; version++) now = UPCASTS[version]?.(now) ?? now
  return { ...now, mirrorwalk: FORMAT }
}
