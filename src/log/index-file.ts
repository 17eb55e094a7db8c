/**
 * The index beside a log: where its blocks are, and what each of them touches (keys.ts). A block is what stands between two
 * checkpoints. The index says nothing that the log does not: it is made while the log is, or anew from it.
 */
import { ByteWriter } from './bytes.ts'
import { Opener, Sealer } from './chain.ts'
import { KeyCollector, type Keys } from './keys.ts'
import type { Sink } from './record-writer.ts'
import { isCount, isFields, type Fields } from './shape.ts'
import { parsed, unfit } from './sound.ts'
import type { Told } from './told.ts'

/** Records [at, end) of a log, by offset, of which the first follows from the one with checksum `after`. */
export interface Span {
  readonly at: number
  readonly end: number
  readonly after: string
}

export interface Block extends Span {
  /** The last step before it. */
  readonly from: number
  readonly steps: number
  /** The checkpoint that it begins with; null: the beginning of the log. */
  readonly world: Span | null
  readonly keys: Keys
}

/** The last line. */
export interface IndexEnd {
  /** The size of the log. */
  readonly size: number
  /** Where the record stands that ends the log; of one that was cut off, where what is whole of it ends. */
  readonly at: number
  /** The checksum of the last record, and the one that it follows from. */
  readonly last: string
  readonly after: string
  /** The log was cut off: in this line, or behind it. */
  readonly cut?: number
}

const INDEX_FORMAT = 2
/** How the file of an index begins, of whatever format. */
export const INDEX_BEGINS = '{"mirrorwalk-index":'

/** Collects blocks while a log is written or read. */
export class BlockCollector {
  readonly #keys = new KeyCollector()
  #at: number
  #end: number
  #after: string
  #from: number
  #steps = 0
  #world: Span | null = null

  /** `at`: the size of the header, and `after` its checksum. */
  constructor(at: number, after: string, from: number) {
    this.#at = at
    this.#end = at
    this.#after = after
    this.#from = from
  }

  step(told: Told, size: number): void {
    this.#keys.step(told)
    this.#end += size
    this.#steps++
  }

  /** The block that is over, with the record that follows; undefined if nothing is in it. */
  block(): Block | undefined {
    if (this.#steps === 0) return undefined
    return {
      from: this.#from,
      steps: this.#steps,
      at: this.#at,
      end: this.#end,
      after: this.#after,
      world: this.#world,
      keys: this.#keys.take(),
    }
  }

  /** A checkpoint of this size, between these two checksums, begins the next block. */
  checkpoint(size: number, after: string, own: string): void {
    this.#world = { at: this.#end, end: this.#end + size, after }
    this.#end += size
    this.#at = this.#end
    this.#after = own
    this.#from += this.#steps
    this.#steps = 0
  }

  get size(): number {
    return this.#end
  }
}

/** Writes the index of a log, a line a block. */
export class IndexWriter {
  readonly #blocks: BlockCollector
  readonly #bytes = new ByteWriter()
  readonly #sealer = new Sealer()
  readonly #sink: Sink
  readonly #log: string
  #begun = false

  constructor(headerSize: number, headerSum: string, from: number, sink: Sink) {
    this.#blocks = new BlockCollector(headerSize, headerSum, from)
    this.#log = headerSum
    this.#sink = sink
  }

  step(told: Told, size: number): void {
    this.#blocks.step(told, size)
  }

  checkpoint(size: number, after: string, own: string): void {
    this.#block()
    this.#blocks.checkpoint(size, after, own)
  }

  /** The log is over, with a record of this size between these checksums. */
  end(size: number, after: string, last: string): void {
    // A log of one block needs no index.
    if (!this.#begun) return
    this.#block()
    const at = this.#blocks.size
    this.#write({ size: at + size, at, last, after } satisfies IndexEnd)
  }

  #block(): void {
    const block = this.#blocks.block()
    if (block !== undefined) this.#write(block)
  }

  #write(record: object): void {
    if (!this.#begun) {
      this.#begun = true
      this.#write({ 'mirrorwalk-index': INDEX_FORMAT, log: this.#log })
    }
    const start = this.#bytes.at
    this.#bytes.value(record)
    this.#sealer.seal(this.#bytes, start)
    this.#sink(this.#bytes.taken())
  }
}

/** The lines of an index as they are written at once. */
export function indexText(log: string, blocks: readonly Block[], end: IndexEnd): Buffer {
  const bytes = new ByteWriter()
  const sealer = new Sealer()
  for (const record of [{ 'mirrorwalk-index': INDEX_FORMAT, log }, ...blocks, end]) {
    const start = bytes.at
    bytes.value(record)
    sealer.seal(bytes, start)
  }
  return Buffer.from(bytes.taken())
}

/** What is known of a log before its index is read: the checksum of its header, where that ends, the last step before the log, and its size. */
export interface Indexed {
  readonly log: string
  readonly at: number
  readonly from: number
  readonly size: number
}

export interface Index {
  readonly blocks: readonly Block[]
  readonly end: IndexEnd
}

/**
 * What an index tells, if it is one of this log as it is now, and whole: its blocks lie in the log one behind the other. What
 * they touch is believed: to know better, one would have to read the log. Whoever can seal an index that hides a block from a
 * search can also write a log in which nothing is to be found; an index that is stale, or of another log, is not believed.
 */
export function readIndex(bytes: Buffer, log: Indexed): Index | undefined {
  const chain = new Opener()
  const blocks: Block[] = []
  let begun = false
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(0x0a, at)
    if (newline < 0) return undefined
    const line = bytes.subarray(at, newline)
    const text = line.length > SHORT && unfit(line) !== undefined ? undefined : chain.open(line)
    const record = text === undefined ? undefined : parsed(text)
    at = newline + 1
    if (!isFields(record)) return undefined
    if (!begun) {
      if (record['mirrorwalk-index'] !== INDEX_FORMAT || record['log'] !== log.log) return undefined
      begun = true
    } else if ('size' in record) {
      return isEnd(record) && record.size === log.size && record.at >= endOf(blocks, log) && at === bytes.length
        ? { blocks, end: record }
        : undefined
    } else if (isBlock(record) && isNext(record, blocks.at(-1), log)) blocks.push(record)
    else return undefined
  }
  return undefined
}

const endOf = (blocks: readonly Block[], log: Indexed): number => blocks.at(-1)?.end ?? log.at

/** Does a block begin where the one before it ends? */
function isNext({ from, at, end, world, after }: Block, before: Block | undefined, log: Indexed): boolean {
  if (end > log.size) return false
  if (before === undefined) return world === null && at === log.at && from === log.from && after === log.log
  return world !== null && world.at === before.end && world.end === at && from === before.from + before.steps
}

/** What a shorter line can hold is no burden. */
const SHORT = 1 << 16
/** The shortest step is longer. */
const SHORTEST_STEP = 30

const isBlock = (x: Fields): x is Fields & Block => {
  const { from, steps, world, keys } = x
  if (!isSpan(x) || !isCount(from) || !isCount(steps) || steps === 0 || steps * SHORTEST_STEP > x.end - x.at) return false
  return (world === null || isSpan(world)) && isFields(keys)
}
const isSpan = (x: unknown): x is Span => isFields(x) && isCount(x['at']) && isCount(x['end']) && x['at'] < x['end'] && isSum(x['after'])
const isSum = (x: unknown): x is string => typeof x === 'string' && /^[0-9a-f]{8}$/.test(x)
const isEnd = (x: Fields): x is Fields & IndexEnd => {
  const { size, at, last, after, cut } = x
  return isCount(size) && isCount(at) && at <= size && isSum(last) && isSum(after) && (cut === undefined || isCount(cut))
}
