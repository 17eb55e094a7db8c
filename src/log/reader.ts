/** Reading a log: its header, its records as far as they are what was written, and what is wrong behind them. */
import { Opener } from './chain.ts'
import { FORMAT, type CheckpointRecord, type EndRecord, type Header, type StepRecord } from './records.ts'
import { revived } from './values.ts'

export type LogRecord = StepRecord | CheckpointRecord | EndRecord
export const isStep = (record: LogRecord): record is StepRecord => 'n' in record
export const isCheckpoint = (record: LogRecord): record is CheckpointRecord => 'checkpoint' in record
export const isEnd = (record: LogRecord): record is EndRecord => 'end' in record

/** What is wrong with a log, from a line on. */
export interface Damage {
  /** Counted from 1. */
  readonly line: number
  /** The last step that can be believed. */
  readonly after: number
  readonly what: string
}

export interface ReadLog {
  readonly header: Header
  /** What can be believed, in order. */
  readonly records: readonly LogRecord[]
  /** The text of each record, without its checksum, as it was written. */
  readonly texts: readonly string[]
  readonly damage: Damage | undefined
}

/** A file that is no log of ours at all; the message says what was expected, and what to do. */
export class NotALog extends Error {
  override readonly name = 'NotALog'
}

/** Reads a log from its bytes; `name` is for messages. Throws `NotALog`; damage behind a good header is reported, not thrown. */
export function readLog(bytes: Buffer, name: string): ReadLog {
  const lines = new Lines(bytes)
  const first = lines.next()
  if (first === undefined)
    throw new NotALog(`${name}: empty. Expected an event log, which begins with a header line; was the run that wrote it stopped at once?`)
  const chain = new Opener()
  const header = headerOf(first, chain, name)
  const records: LogRecord[] = []
  const texts: string[] = []
  let after = 0
  const damaged = (what: string): ReadLog => ({ header, records, texts, damage: { line: lines.line, after, what } })
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const last = records.at(-1)
    if (last !== undefined && isEnd(last)) return damaged('there is more behind the record that ends the log')
    if (!line.whole) return damaged('the log was cut off in the middle of this record')
    const text = chain.open(line.bytes)
    if (text === undefined) return damaged('this record is not what was written: its checksum does not follow from the record before it')
    const record = JSON.parse(text) as LogRecord
    records.push(record)
    texts.push(text)
    if (isStep(record)) after = record.n
  }
  const last = records.at(-1)
  if (last === undefined || !isEnd(last)) return damaged('the log was cut off behind this record: the one that ends a log is missing')
  return { header, records, texts, damage: undefined }
}

function headerOf(line: Line, chain: Opener, name: string): Header {
  const start = line.bytes.subarray(0, 80).toString('utf8')
  if (!start.startsWith('{"mirrorwalk":')) {
    throw new NotALog(
      `${name}: not an event log. Expected a first line {"mirrorwalk":${FORMAT},…}, got ${JSON.stringify(start.slice(0, 40))}`,
    )
  }
  const version = /^\{"mirrorwalk":(\d+)/.exec(start)?.[1]
  if (version !== undefined && Number(version) > FORMAT) {
    throw new NotALog(
      `${name}: format ${version}; this version reads logs up to format ${FORMAT}. Read it with the version that wrote it, or a newer one.`,
    )
  }
  const text = line.whole ? chain.open(line.bytes) : undefined
  if (text === undefined)
    throw new NotALog(`${name}: the header, its first line, is cut off or was changed; without it nothing that follows can be believed`)
  const header = JSON.parse(text) as Header
  return { ...header, system: revived(header.system) }
}

interface Line {
  readonly bytes: Buffer
  /** It ends in a newline. */
  readonly whole: boolean
}

class Lines {
  readonly #bytes: Buffer
  #at = 0
  line = 0
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }
  next(): Line | undefined {
    if (this.#at >= this.#bytes.length) return undefined
    this.line++
    const newline = this.#bytes.indexOf(0x0a, this.#at)
    const whole = newline >= 0
    const bytes = this.#bytes.subarray(this.#at, whole ? newline : undefined)
    this.#at = whole ? newline + 1 : this.#bytes.length
    return { bytes, whole }
  }
}
