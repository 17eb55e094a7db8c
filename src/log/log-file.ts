/**
 * A log as a file that is not read whole: its header, its blocks, and each block when it is asked for. The index beside it
 * (`LOG.idx`) says where blocks are; where it is missing or not of this log, it is made anew from the log.
 */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { Opener } from './chain.ts'
import { BlockCollector, indexText, readIndex, type Block, type Span } from './index-file.ts'
import { isCheckpoint, isStep, scanLog, type Damage, type Scan } from './reader.ts'
import type { CheckpointRecord, EndRecord, Header } from './records.ts'
import { unsound } from './sound.ts'
import { Told } from './told.ts'

export interface OpenOptions {
  /** Is told how far making the index has come. */
  readonly progress?: (done: number, all: number) => void
  /** Not to write an index that had to be made. */
  readonly keepIndex?: boolean
}

/** Something in a log that is not what was written, found when it was needed. */
export class DamagedLog extends Error {
  override readonly name = 'DamagedLog'
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
      const found = indexed(path, fd, id, size) ?? madeAnew(path, scan, size, id, options)
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
    const record: unknown = JSON.parse(text)
    const what = unsound(record, block.from)
    if (what !== undefined) throw new DamagedLog(`${this.path}: ${name}: ${what}`)
    return record as CheckpointRecord
  }

  *#texts({ at, end, after }: Span, what: string): Generator<string> {
    const bytes = readAt(this.#fd, at, end)
    const chain = new Opener(after)
    let record = 0
    for (let from = 0; from < bytes.length;) {
      const newline = bytes.indexOf(0x0a, from)
      const text = newline < 0 ? undefined : chain.open(bytes.subarray(from, newline))
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

/** What the index says, if it is of this log as it is now. */
function indexed(path: string, fd: number, id: string, size: number): Found | undefined {
  const beside = `${path}.idx`
  if (!existsSync(beside)) return undefined
  // The last line is the record that ends the log: `{"end":…,"k":"…"}`.
  const tail = readAt(fd, Math.max(0, size - 512), size)
    .toString('latin1')
    .trimEnd()
  const line = tail.slice(tail.lastIndexOf('\n') + 1)
  const last = /,"k":"([0-9a-f]{8})"\}$/.exec(line)?.[1]
  if (last === undefined || !line.startsWith('{"end":')) return undefined
  const blocks = readIndex(readFileSync(beside), id, size, last)
  return blocks === undefined ? undefined : { blocks, end: JSON.parse(line) as EndRecord, damage: undefined }
}

/** Reads the log from behind its header to its end. */
function madeAnew(path: string, scan: Scan, size: number, id: string, { progress, keepIndex = true }: OpenOptions): Found {
  const collector = new BlockCollector(scan.sound, id, scan.after)
  const told = new Told()
  const blocks: Block[] = []
  const close = (): void => {
    const block = collector.block()
    if (block !== undefined) blocks.push(block)
  }
  let end: EndRecord | undefined
  for (;;) {
    const [at, before] = [scan.sound, scan.sum]
    const next = scan.next()
    if (next === undefined) break
    const { record } = next
    if (isStep(record)) {
      collector.step(told.record(record), scan.sound - at)
    } else if (isCheckpoint(record)) {
      close()
      collector.checkpoint(scan.sound - at, before, scan.sum)
    } else end = record
    progress?.(scan.sound, size)
  }
  close()
  const { damage } = scan
  if (damage !== undefined) return { blocks, end: undefined, damage }
  if (keepIndex && size > SMALL) write(`${path}.idx`, indexText(id, blocks, { size, last: scan.sum }))
  return { blocks, end, damage: undefined }
}

/** An index can be made again: where it cannot be kept, nothing is lost. */
function write(path: string, bytes: Buffer): void {
  try {
    writeFileSync(path, bytes)
  } catch {
    // A folder that may not be written to.
  }
}

function readAt(fd: number, at: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(end - at)
  let have = 0
  while (have < bytes.length) {
    const got = readSync(fd, bytes, have, bytes.length - have, at + have)
    if (got === 0) break
    have += got
  }
  return bytes.subarray(0, have)
}
