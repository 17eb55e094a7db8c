/**
 * Entries of neighbouring pages that go on evenly: the flags stay, and the frame (or slot) stays too, or is the next one each
 * time, or the one before. What a table tells as a run need not be: any two entries make one.
 */
import { PMD_PAGES } from '../memory/address.ts'
import { frameOf, isPresent, NEXT_FRAME } from '../memory/entry.ts'
import { HUGE_ZERO_PFN, ZERO_PFN } from '../memory/memory.ts'
import type { Run, Table } from '../memory/table.ts'

export type Step = -1 | 0 | 1

/** Pages [from, end), or indices; `entry` is that of the first. */
export interface Even {
  readonly from: number
  readonly end: number
  readonly entry: number
  /** From one frame to the next. */
  readonly step: Step
}

/** The zero page, or one of the 512 of the large one. */
export const isZero = (frame: number): boolean => frame === ZERO_PFN || (frame >= HUGE_ZERO_PFN && frame < HUGE_ZERO_PFN + PMD_PAGES)
/** Is it mapped there? The CPU's entries and a device's words say so in the same bits. */
export const isZeroPage = (entry: number): boolean => isPresent(entry) && isZero(frameOf(entry))

const isStep = (step: number): step is Step => step === -1 || step === 0 || step === 1
const lastOf = ({ from, end, entry, step }: Even, unit: number): number => entry + (end - 1 - from) * step * unit

/** Both as one, if the second goes on where the first ends; the zero page is never one of a row of frames. */
export const joined = (a: Even, b: Even): Even | undefined =>
  isZeroPage(a.entry) === isZeroPage(b.entry) ? joinedBy(NEXT_FRAME, a, b) : undefined

/** The same of numbers, which go up or down by one. */
export const joinedNumbers = (a: Even, b: Even): Even | undefined => joinedBy(1, a, b)

function joinedBy(unit: number, a: Even, b: Even): Even | undefined {
  if (a.end !== b.from) return undefined
  const step = (b.entry - lastOf(a, unit)) / unit
  const goesOn = ({ from, end, step: own }: Even): boolean => end - from === 1 || own === step
  return isStep(step) && goesOn(a) && goesOn(b) ? { from: a.from, end: b.end, entry: a.entry, step } : undefined
}

/** What a table has at indices [from, end), without those where it has nothing. */
export function* evenRuns(table: Table, from?: number, end?: number): Generator<Even> {
  let last: Even | undefined
  for (const run of table.runs(from, end)) {
    for (const next of split(run)) {
      const both: Even | undefined = last === undefined ? undefined : joined(last, next)
      if (last !== undefined && both === undefined) yield last
      last = both ?? next
    }
  }
  if (last !== undefined) yield last
}

/** A run of any stride in parts that are even. */
function* split([from, count, entry, stride]: Run): Generator<Even> {
  const step = stride / NEXT_FRAME
  const even: Even | undefined = isStep(step) ? { from, end: from + count, entry, step } : undefined
  if (even !== undefined && (step === 0 || isZeroPage(entry) === isZeroPage(lastOf(even, NEXT_FRAME)))) yield even
  else for (let i = 0; i < count; i++) yield { from: from + i, end: from + i + 1, entry: entry + i * stride, step: 0 }
}
