/**
 * The index beside a log: where its blocks are, and what each of them touches (keys.ts). A block is what stands between two
 * checkpoints. The index says nothing that the log does not: it is made while the log is, or anew from it.
 */
import { ByteWriter } from './bytes.ts'
import { Opener, Sealer } from './chain.ts'
import { KeyCollector, type Keys } from './keys.ts'
import type { Sink } from './record-writer.ts'
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

/** The last line: the size of the log, and the checksum of its last record. */
interface IndexEnd {
  readonly size: number
  readonly last: string
}

const INDEX_FORMAT = 1

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

  end(size: number, last: string): void {
    // A log of one block needs no index.
    if (!this.#begun) return
    this.#block()
    this.#write({ size: this.#blocks.size + size, last } satisfies IndexEnd)
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

/**
 * The blocks that an index tells of, if it is one of this log, whole: `log` is the checksum of the log's header, `size` its
 * size, `last` the checksum of its last record.
 */
export function readIndex(bytes: Buffer, log: string, size: number, last: string): readonly Block[] | undefined {
  const chain = new Opener()
  const blocks: Block[] = []
  let begun = false
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(0x0a, at)
    const text = newline < 0 ? undefined : chain.open(bytes.subarray(at, newline))
    if (text === undefined) return undefined
    at = newline + 1
    const record = JSON.parse(text) as object
    if (!begun) {
      if (!('mirrorwalk-index' in record) || record['mirrorwalk-index'] !== INDEX_FORMAT || !('log' in record) || record.log !== log)
        return undefined
      begun = true
    } else if ('size' in record) {
      const end = record as IndexEnd
      return end.size === size && end.last === last && at === bytes.length ? blocks : undefined
    } else blocks.push(record as Block)
  }
  return undefined
}
