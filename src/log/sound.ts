/**
 * What a record must be before anybody works with it: whoever knows how to seal one can write any JSON. It is plain data,
 * no deeper and no more than it needs to be, with the fields of its kind, and its numbers say what they can mean.
 */

import { digestOfText } from './records.ts'
import { areFacts, isCount, isFields, type Fields } from './shape.ts'
import { LONGEST_USUAL } from './usual.ts'

/** Values stand no deeper in each other: what walks through them is a function that calls itself. */
const DEEPEST = 200
/** What a shorter record can hold is not too deep for anybody. */
const SHORT = 1024
/**
 * Values in one record. A world in a million pieces, each in a run of its own, has no more; when they are parsed, each may take
 * a hundred bytes.
 */
const MOST = 1 << 22

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]

/** Why this JSON text is none that should be parsed, if there is a reason. */
export function unfit(text: Uint8Array): string | undefined {
  if (text.length < SHORT) return undefined
  let depth = 0
  let values = 0
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]
    if (byte === QUOTE) {
      for (i++; i < text.length && text[i] !== QUOTE; i++) if (text[i] === BACKSLASH) i++
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > DEEPEST) return 'this record is nested deeper than any can be'
      values++
    } else if (byte === 0x7d || byte === 0x5d) depth--
    else if (byte === COMMA) values++
  }
  return values > MOST ? 'this record has more values in it than any can have' : undefined
}

/** What a text says that is fit to be parsed; undefined if it is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const WORLD = ',"world":'
/** Is the world in the text of a checkpoint the one that its digest is of? */
export const isItsDigest = (text: string, digest: string): boolean =>
  digestOfText(text.slice(text.indexOf(WORLD) + WORLD.length, text.lastIndexOf(`,"digest":"${digest}"`))) === digest
export const NOT_ITS_DIGEST = 'the world in this checkpoint is not the one that its digest is of'

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
  return areFacts(facts) ? undefined : 'a step whose facts are none, or about more pages than there are'
}

const isSet = (x: unknown): boolean => Array.isArray(x) && x.length === 2 && (x[0] === 0 || typeof x[0] === 'string') && isFields(x[1])
