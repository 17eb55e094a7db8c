/**
 * What a record must be before anybody works with it: whoever knows how to seal one can write any JSON. It is plain data,
 * no deeper than it needs to be, with the fields of its kind, and its numbers say what they can mean.
 */

import { LONGEST_USUAL } from './usual.ts'

/** Values stand no deeper in each other: what walks through them is a function that calls itself. */
const DEEPEST = 200
/** What a shorter record can hold is not too deep for anybody. */
const SHORT = 1024
/** Pages or frames that one fact or run speaks of: 64 GiB. */
const WIDEST = 1 << 24

const [QUOTE, BACKSLASH] = [0x22, 0x5c]

/** Are values of this JSON text nested deeper than they may be? */
export function isTooDeep(text: Buffer): boolean {
  if (text.length < SHORT) return false
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]
    if (byte === QUOTE) {
      for (i++; i < text.length && text[i] !== QUOTE; i++) if (text[i] === BACKSLASH) i++
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > DEEPEST) return true
    } else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return false
}

export type Fields = Readonly<Record<string, unknown>>
export const isFields = (x: unknown): x is Fields => typeof x === 'object' && x !== null && !Array.isArray(x)
const isCount = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0

/** Where a fact says how many pages or frames it speaks of. */
const COUNT_AT: Readonly<Record<string, number>> = {
  ...Object.fromEntries(['pte', 'pmd', 'pud', 'pgd', 'tlb', 'blocks', 'promised', 'dax'].map(kind => [kind, 3])),
  ...Object.fromEntries(['refs', 'maps', 'hugeMaps', 'state', 'content', 'anonVma', 'index', 'lru'].map(kind => [kind, 2])),
}

/** What is wrong with a record that follows step `after`, if anything. */
export function unsound(record: unknown, after: number): string | undefined {
  if (!isFields(record)) return 'this record is no object'
  if ('n' in record) return unsoundStep(record, after)
  if ('checkpoint' in record) return unsoundMark(record, record['checkpoint'], after) ?? unsoundCheckpoint(record)
  if ('end' in record)
    return unsoundMark(record, record['end'], after) ?? (typeof record['why'] === 'string' ? undefined : 'an end without a reason')
  return 'this record is neither a step nor a checkpoint nor an end'
}

function unsoundMark(record: Fields, n: unknown, after: number): string | undefined {
  if (n !== after)
    return `this record says that it follows step ${typeof n === 'number' ? n : 'of no number'}, and it follows step ${after}`
  return typeof record['digest'] === 'string' ? undefined : 'this record has no digest'
}

function unsoundCheckpoint({ world, usual = {} }: Fields): string | undefined {
  if (!isFields(world)) return 'a checkpoint without a world'
  const kinds = isFields(usual) ? Object.values(usual).flatMap(of => (isFields(of) ? Object.values(of) : [undefined])) : [undefined]
  const isShort = (field: unknown): boolean => JSON.stringify(field).length <= LONGEST_USUAL
  return kinds.every(kind => isFields(kind) && Object.values(kind).every(isShort))
    ? undefined
    : 'a checkpoint that says not what is usual, or too much'
}

function unsoundStep({ n, by, do: what, offer, budget, cause, event, set, facts }: Fields, after: number): string | undefined {
  if (n !== after + 1) return `this record says that it is step ${typeof n === 'number' ? n : 'of no number'}, and it follows step ${after}`
  if (typeof by !== 'string' || typeof what !== 'string') return 'a step that says not who does what'
  if (!isCount(cause) || cause >= n) return 'a step that does not follow from an earlier one'
  if ((offer !== undefined && !isCount(offer)) || (budget !== undefined && !isCount(budget))) return 'a step whose choice is none'
  if (!isFields(event) || typeof event['type'] !== 'string') return 'a step without an event'
  if (!isFields(set) || !Object.values(set).every(isSet)) return 'a step that says not what became of its actors'
  if (!Array.isArray(facts) || !facts.every(fact => Array.isArray(fact) && typeof fact[0] === 'string'))
    return 'a step whose facts are none'
  return facts.every(isNarrow) ? undefined : 'a fact about more pages than there are'
}

const isSet = (x: unknown): boolean => Array.isArray(x) && x.length === 2 && (x[0] === 0 || typeof x[0] === 'string') && isFields(x[1])

function isNarrow(fact: readonly unknown[]): boolean {
  const at = COUNT_AT[String(fact[0])]
  return at === undefined || (isCount(fact[at]) && fact[at] <= WIDEST)
}

/** Runs of a table that was written down: none is wider than it can be, nor are all of them. */
export const areNarrow = (runs: readonly unknown[]): boolean =>
  runs.every(
    run => Array.isArray(run) && run.length === 4 && run.every(n => typeof n === 'number') && isCount(run[0]) && isCount(run[1]),
  ) && runs.reduce<number>((sum, run) => sum + Number((run as readonly number[])[1]), 0) <= WIDEST
