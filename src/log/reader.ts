/** Reading a log: its header, its records as far as they are what was written, and what is wrong behind them. */
import { Opener } from './chain.ts'
import { NotALog } from './damaged.ts'
import { Extent } from './extent.ts'
import { linesOf, linesOfFile, type GrowingLines, type Line } from './lines.ts'
import { FORMAT, type CheckpointRecord, type EndRecord, type Header, type StepRecord } from './records.ts'
import { isCount, isFields } from './shape.ts'
import { isItsDigest, NOT_ITS_DIGEST, parsed, unfit, unsound } from './sound.ts'
import { inLine } from './unseen.ts'
import { stepOf, upcastHeader } from './upcast.ts'
import type { Usual } from './usual.ts'
import { revived } from './values.ts'

export { NotALog } from './damaged.ts'
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
  /** Nothing was changed, as far as one can see: the run that wrote it was stopped. */
  readonly cut?: true
}

export interface ReadLog {
  readonly header: Header
  /** What can be believed, in order. */
  readonly records: readonly LogRecord[]
  /** The text of each record, without its checksum, as it was written. */
  readonly texts: readonly string[]
  /** The format in which they were. */
  readonly format: number
  readonly damage: Damage | undefined
}

/** Reads a log from its bytes; `name` is for messages. Throws `NotALog`; damage behind a good header is reported, not thrown. */
export function readLog(bytes: Buffer, name: string): ReadLog {
  const scan = new Scan(linesOf(bytes), name)
  const records: LogRecord[] = []
  const texts: string[] = []
  for (let next = scan.next(); next !== undefined; next = scan.next()) {
    records.push(next.record)
    texts.push(next.text)
  }
  return { header: scan.header, format: scan.format, records, texts, damage: scan.damage }
}

/** Reads the log in an open file record by record: none is kept. */
export const scanLog = (fd: number, name: string): Scan => new Scan(linesOfFile(fd), name)
/** The same, of a file that may still grow: there may be a next record later. Its first line must be there: `lines.ready`. */
export const followLog = (lines: GrowingLines, name: string): Scan => new Scan(lines, name)

export interface Scanned {
  readonly record: LogRecord
  readonly text: string
}

/** What is wrong with a log that was cut off: behind a record, or in one. */
export const CUT_BEHIND = 'the log was cut off behind this record: the one that ends a log is missing'
export const CUT_WITHIN = 'the log was cut off in the middle of this record'
/** What is wrong with a record behind which memory would be larger than any. */
export const TOO_MUCH = 'this record says of memory what none has room for'

/** A log that is being read. */
export class Scan {
  readonly header: Header
  /** The format in which it was written. */
  readonly format: number
  /** Bytes of the lines that can be believed. */
  sound: number
  readonly #lines: Iterator<Line>
  readonly #chain = new Opener()
  #usual: Usual = {}
  #extent = new Extent()
  #line = 1
  #after = 0
  #ended = false
  #found: Damage | undefined

  constructor(lines: Iterable<Line>, name: string) {
    this.#lines = lines[Symbol.iterator]()
    const first = this.#lines.next()
    if (first.done === true)
      throw new NotALog(
        `${name}: empty. Expected an event log, which begins with a header line; was the run that wrote it stopped at once?`,
      )
    const header = headerOf(first.value, this.#chain, name)
    this.format = header.mirrorwalk
    this.header = upcastHeader(header)
    this.sound = first.value.bytes.length + 1
    this.#after = header.from?.step ?? 0
  }

  /** The checksum of the last record that was read. */
  get sum(): string {
    return this.#chain.last
  }

  /** The last step that was read. */
  get after(): number {
    return this.#after
  }

  /** The record that ends the log was read. */
  get ended(): boolean {
    return this.#ended
  }

  /** What is wrong with the log, if it ends where it was read to. */
  get damage(): Damage | undefined {
    if (this.#found !== undefined || this.#ended) return this.#found
    return {
      line: this.#line,
      after: this.#after,
      what: CUT_BEHIND,
      cut: true,
    }
  }

  /** The records that are left, as they are read. */
  get records(): Iterable<LogRecord> {
    return this.#left()
  }
  *#left(): Generator<LogRecord> {
    for (let next = this.next(); next !== undefined; next = this.next()) yield next.record
  }

  /** The next record; undefined if there is none that can be believed. */
  next(): Scanned | undefined {
    if (this.#found !== undefined) return undefined
    const next = this.#lines.next()
    if (next.done === true) return undefined
    this.#line++
    const line = next.value
    if (this.#ended) return this.#damaged('there is more behind the record that ends the log')
    if (line.long === true) return this.#damaged('this record is longer than any can be')
    if (!line.whole) return this.#damaged(CUT_WITHIN, { cut: true })
    const unfitting = unfit(line.bytes)
    if (unfitting !== undefined) return this.#damaged(unfitting)
    const text = this.#chain.open(line.bytes)
    if (text === undefined)
      return this.#damaged('this record is not what was written: its checksum does not follow from the record before it')
    const record = this.#whole(parsed(text))
    const what = unsound(record, this.#after)
    if (what !== undefined) return this.#damaged(what)
    if (!this.#isWithinMemory(record as LogRecord)) return this.#damaged(TOO_MUCH)
    if (isCheckpoint(record as LogRecord) && !isItsDigest(text, (record as CheckpointRecord).digest)) return this.#damaged(NOT_ITS_DIGEST)
    return this.#believed(record as LogRecord, text, line.bytes.length + 1)
  }

  /** A record with all that it leaves out. */
  #whole(json: unknown): unknown {
    return isFields(json) && 'n' in json ? stepOf(this.format, json, this.#usual) : json
  }

  #isWithinMemory(record: LogRecord): boolean {
    if (isStep(record)) return this.#extent.takes(record)
    if (!isCheckpoint(record)) return true
    // What is filled from here on comes to what the checkpoint has.
    this.#extent = new Extent()
    return this.#extent.takesWorld(record.world)
  }

  #believed(record: LogRecord, text: string, size: number): Scanned {
    this.sound += size
    if (isStep(record)) this.#after = record.n
    if (isCheckpoint(record)) this.#usual = record.usual ?? {}
    this.#ended = isEnd(record)
    return { record, text }
  }

  #damaged(what: string, how: { readonly cut?: true } = {}): undefined {
    this.#found = { line: this.#line, after: this.#after, what, ...how }
  }
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
  const text = line.whole && unfit(line.bytes) === undefined ? chain.open(line.bytes) : undefined
  const header = text === undefined ? undefined : parsed(text)
  if (header === undefined)
    throw new NotALog(`${name}: the header, its first line, is cut off or was changed; without it nothing that follows can be believed`)
  if (!isHeader(header) || !new Extent().takesWorld(header))
    throw new NotALog(`${name}: the header, its first line, is sealed, and is none; without it nothing that follows can be believed`)
  return told({ ...header, system: revived(header.system) })
}

/** What a header says to people stays on its line, wherever it is shown. */
function told(header: Header): Header {
  const { model, chooser, title, from } = header
  const words = { model: inLine(model), chooser: inLine(chooser), title: inLine(title) }
  if (from === undefined) return { ...header, ...words }
  return { ...header, ...words, from: { ...from, name: inLine(from.name), changed: from.changed.map(inLine) } }
}

const isText = (x: unknown): x is string => typeof x === 'string'

const isHeader = (x: unknown): x is Header => {
  if (!isFields(x)) return false
  const { mirrorwalk, model, chooser, title, seed, token, from } = x
  return (
    Number.isSafeInteger(mirrorwalk) &&
    Number(mirrorwalk) > 0 &&
    [model, chooser, title].every(isText) &&
    (seed === null || Number.isSafeInteger(seed)) &&
    (token === undefined || isText(token)) &&
    (from === undefined || isOrigin(from))
  )
}

const isOrigin = (x: unknown): boolean => {
  if (!isFields(x)) return false
  const { name, of, trunk, step, changed } = x
  return (
    isText(name) && (of === undefined || isText(of)) && isText(trunk) && isCount(step) && Array.isArray(changed) && changed.every(isText)
  )
}
