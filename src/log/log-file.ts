/**
 * A log as a file that is not read whole: its header, its blocks, and each block when it is asked for. The index beside it
 * (`LOG.idx`) says where blocks are; where it is missing or not of this log, it is made anew from the log.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { besideOf, readBeside, writeBeside } from './beside.ts'
import { Opener } from './chain.ts'
import { readAt } from './files.ts'
import { DamagedLog } from './damaged.ts'
import { BlockCollector, indexText, readIndex, type Block, type IndexEnd, type Span } from './index-file.ts'
import { LONGEST } from './lines.ts'
import { CUT_BEHIND, CUT_WITHIN, isCheckpoint, isStep, scanLog, type Damage, type Scan } from './reader.ts'
import type { CheckpointRecord, EndRecord, Header } from './records.ts'
import { isFields } from './shape.ts'
import { isItsDigest, NOT_ITS_DIGEST, parsed, unfit, unsound } from './sound.ts'
import { Told } from './told.ts'

export { DamagedLog }

export interface OpenOptions {
  /** Is told how far making the index has come. */
  readonly progress?: (done: number, all: number) => void
  /** Not to write an index that had to be made. */
  readonly keepIndex?: boolean
}

/** Logs up to this size have no index beside them: one is made in no time. */
const SMALL = 4 << 20

export class LogFile {
  readonly path: string
  readonly header: Header
  /** The format in which it was written. */
  readonly format: number
  /** The checksum of the header: it says which log this is. */
  readonly id: string
  readonly blocks: readonly Block[]
  readonly end: EndRecord | undefined
  readonly damage: Damage | undefined
  /** The last step, and the one that the log begins behind. */
  readonly last: number
  readonly first: number
  readonly #fd: number

  private constructor(path: string, fd: number, { header, format }: Scan, id: string, found: Found) {
    this.path = path
    this.#fd = fd
    this.header = header
    this.format = format
    this.id = id
    this.blocks = found.blocks
    this.end = found.end
    this.damage = found.damage
    this.first = header.from?.step ?? 0
    const block = found.blocks.at(-1)
    this.last = block === undefined ? this.first : block.from + block.steps
  }

  /** Throws what opening a file throws, and `NotALog`. */
  static open(path: string, options: OpenOptions = {}): LogFile {
    const fd = openSync(path, 'r')
    try {
      const { size } = fstatSync(fd)
      const scan = scanLog(fd, path)
      const id = scan.sum
      const found = indexed(path, fd, scan, size) ?? madeAnew(path, scan, size, options)
      return new LogFile(path, fd, scan, id, found)
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  close(): void {
    closeSync(this.#fd)
  }

  /** The block that has a step; the first one has the beginning. */
  blockOf(n: number): number {
    let [low, high] = [0, this.blocks.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.blocks[middle]?.from ?? 0) < n) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The records of a block, as text, each of them checked when it is asked for. */
  texts(block: Block): Generator<string> {
    return this.#texts(block, `steps ${block.from + 1} to ${block.from + block.steps}`)
  }

  /** The checkpoint that a block begins with; undefined for the first. */
  checkpoint(block: Block): CheckpointRecord | undefined {
    if (block.world === null) return undefined
    const name = `the checkpoint at step ${block.from}`
    const [text = ''] = [...this.#texts(block.world, name)]
    const record = parsed(text) as CheckpointRecord
    const what = unsound(record, block.from) ?? (isItsDigest(text, record.digest) ? undefined : NOT_ITS_DIGEST)
    if (what !== undefined) throw new DamagedLog(`${this.path}: ${name}: ${what}`)
    return record
  }

  *#texts({ at, end, after }: Span, what: string): Generator<string> {
    if (end - at > LONGEST) throw new DamagedLog(`${this.path}: ${what}: more than any block has`)
    const bytes = readAt(this.#fd, at, end)
    const chain = new Opener(after)
    let record = 0
    for (let from = 0; from < bytes.length;) {
      const newline = bytes.indexOf(0x0a, from)
      const line = newline < 0 ? undefined : bytes.subarray(from, newline)
      const text = line === undefined || unfit(line) !== undefined ? undefined : chain.open(line)
      if (text === undefined)
        throw new DamagedLog(`${this.path}: ${what}: record ${record + 1} of them is not what was written; mirrorwalk log says more`)
      yield text
      record++
      from = newline + 1
    }
  }
}

interface Found {
  readonly blocks: readonly Block[]
  readonly end: EndRecord | undefined
  readonly damage: Damage | undefined
}

/** No record that ends a log is longer. */
const LONGEST_END = 1 << 16

/** What the index says, if it is of this log as it is now. */
function indexed(path: string, fd: number, scan: Scan, size: number): Found | undefined {
  const bytes = readBeside(besideOf(path), size)
  const index = bytes === undefined ? undefined : readIndex(bytes, { log: scan.sum, at: scan.sound, from: scan.after, size })
  if (index === undefined) return undefined
  const { blocks, end } = index
  const block = blocks.at(-1)
  const after = block === undefined ? scan.after : block.from + block.steps
  if (end.cut !== undefined) {
    if (!isCutAt(fd, end)) return undefined
    return { blocks, end: undefined, damage: { line: end.cut, after, what: end.at < size ? CUT_WITHIN : CUT_BEHIND, cut: true } }
  }
  const record = endAt(fd, end, after)
  return record === undefined ? undefined : { blocks, end: record, damage: undefined }
}

/** The record that ends a log, if it is what was written. */
function endAt(fd: number, { at, size, after, last }: IndexEnd, step: number): EndRecord | undefined {
  if (size - at > LONGEST_END) return undefined
  const line = readAt(fd, at, size)
  const chain = new Opener(after)
  const text = line.indexOf(0x0a) === line.length - 1 ? chain.open(line.subarray(0, -1)) : undefined
  const record = text === undefined || chain.last !== last ? undefined : parsed(text)
  return isFields(record) && 'end' in record && unsound(record, step) === undefined ? (record as unknown as EndRecord) : undefined
}

/** Does the last whole record end there, and none behind it? */
function isCutAt(fd: number, { at, size, last }: IndexEnd): boolean {
  if (size - at > LONGEST) return false
  const end = `"k":"${last}"}\n`
  return readAt(fd, Math.max(0, at - end.length), at).toString('latin1') === end && !readAt(fd, at, size).includes(0x0a)
}

/** Reads the log from behind its header to its end. */
function madeAnew(path: string, scan: Scan, size: number, { progress, keepIndex = true }: OpenOptions): Found {
  const log = scan.sum
  const collector = new BlockCollector(scan.sound, log, scan.after)
  const told = new Told()
  const blocks: Block[] = []
  const close = (): void => {
    const block = collector.block()
    if (block !== undefined) blocks.push(block)
  }
  let end: EndRecord | undefined
  let [at, after] = [scan.sound, log]
  for (let next = scan.next(); next !== undefined; next = scan.next()) {
    const { record } = next
    if (isStep(record)) {
      collector.step(told.record(record), scan.sound - at)
    } else if (isCheckpoint(record)) {
      close()
      collector.checkpoint(scan.sound - at, after, scan.sum)
    } else {
      end = record
      break
    }
    at = scan.sound
    after = scan.sum
    progress?.(at, size)
  }
  // Nothing may stand behind the end.
  if (end !== undefined) scan.next()
  close()
  const { damage } = scan
  // What was changed may be changed again, and nobody could tell by the index.
  const isKept = keepIndex && size > SMALL && (damage === undefined || damage.cut === true)
  const known: IndexEnd = { size, at, last: scan.sum, after, ...(damage === undefined ? {} : { cut: damage.line }) }
  if (isKept) writeBeside(besideOf(path), indexText(log, blocks, known))
  return { blocks, end: damage === undefined ? end : undefined, damage }
}
