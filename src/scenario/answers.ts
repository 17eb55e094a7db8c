/** What statements answered, and what of it is not as it is wanted. */
import type { RangeEvent } from '../kernel/range.ts'
import type { ThreadEvent } from '../kernel/thread.ts'
import type { Table } from '../memory/table.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID, HMM_PFN_WRITE } from '../walker/hmm.ts'
import { HMM_PFN_SPECIAL } from '../walker/hmm-5-2.ts'
import type { Answer, Command, StatementRef, Wanted } from './api.ts'
import { difference, inBrief } from './brief.ts'

/** What a statement answered, as its actor was told it. */
export interface Told {
  /** What `expect.returns` looks at. */
  readonly short: unknown
  readonly ret: number
  readonly err: Answer['err']
  readonly out?: Readonly<Record<string, number>>
  readonly array?: Table
  /** Words of a range, of which flags are told. */
  readonly words?: Table
  readonly values?: readonly number[]
}

/** What an event tells of the statement that its actor runs. A load or store may go on: it tells part by part. */
export function toldBy(event: ThreadEvent | RangeEvent): Told | undefined {
  switch (event.type) {
    case 'ended':
      return { short: event.err ?? event.ret, ret: event.ret, err: event.err, words: event.array }
    case 'returned':
      return { short: event.err ?? event.ret, ret: event.ret, err: event.err, out: event.out, array: event.array }
    case 'exited':
      return { short: 0, ret: 0, err: null }
    case 'oops':
      return { short: `oops: ${event.where}`, ret: -1, err: `oops: ${event.where}` }
    case 'signal':
      return { short: event.sig, ret: -1, err: event.sig }
    case 'accessed':
      return { short: event.values, ret: 0, err: null, values: event.values }
    default:
      return undefined
  }
}

/** The flags of a word; SPECIAL is a value of its own. */
const flagsOf = (word: number): number => (word === HMM_PFN_SPECIAL ? word : word & (HMM_PFN_VALID | HMM_PFN_WRITE | HMM_PFN_ERROR))

/** Of a command, the array is what it read, by page. */
export function answerOf({ ret, err, out = {}, array, words, values }: Told, statement: StatementRef | Command): Answer {
  const { cpages = 0, faults = 0 } = out
  const of = 'start' in statement ? Array.from({ length: statement.end - statement.start }, (_, i) => statement.start + i) : []
  const read = of.flatMap(p => (array !== undefined ? [array.get(p)] : words !== undefined ? [flagsOf(words.get(p))] : []))
  return { ret, err, cpages, faults, values: values ?? read }
}

/** What of an answer is not as it is wanted, if anything. */
export function unlike(answer: Answer, wanted: Wanted): string | undefined {
  if (typeof wanted === 'function') return wanted(answer) ? undefined : `it answers ${inBrief(answer)}`
  const wrong = Object.entries(wanted).find(([key, value]) => JSON.stringify(answer[key as keyof Answer]) !== JSON.stringify(value))
  if (wrong === undefined) return undefined
  if (answer.err !== null) return `it answers ${answer.err}`
  return `its ${wrong[0]}: ${difference(wrong[1], answer[wrong[0] as keyof Answer])}`
}
