/**
 * Logs of earlier formats, brought up to this one when they are read. A format has one entry here, which says what the
 * next one changed; a log that was written once is read for ever.
 *
 * - 1: as it began.
 * - 2: the header has the plan of the scenario, so that what was lost of a run can be decided again from its log alone; that
 *   of a branch says where it leaves its trunk.
 */
import { FORMAT, type Header } from './records.ts'

/** What a header of a format becomes in the next one. Records of steps have not changed so far. */
const UPCASTS: Readonly<Record<number, (header: Header) => Header>> = {
  1: header => ({ ...header, plan: null }),
}

/** A header as this format has it. */
export function upcastHeader(header: Header): Header {
  let now = header
  for (let version = header.mirrorwalk; version < FORMAT; version++) now = UPCASTS[version]?.(now) ?? now
  return { ...now, mirrorwalk: FORMAT }
}
