/** Records, sealed one behind the other: the one way in which logs are written, while a run goes on or from another log. */
import { ByteWriter } from './bytes.ts'
import { Sealer } from './chain.ts'
import { digestOfText, FORMAT, type EndRecord, type Header } from './records.ts'
import { writeStep } from './terse.ts'
import type { Told } from './told.ts'
import { Learned } from './usual.ts'

/** Where a log goes: called with whole lines; the bytes are good until it returns. */
export type Sink = (lines: Buffer) => void

export class RecordWriter {
  readonly #sink: Sink
  readonly #batch: number
  readonly #bytes = new ByteWriter()
  readonly #sealer = new Sealer()
  readonly #learned = new Learned()
  #held = 0
  /** The size of the header. */
  readonly size: number

  /** Writes the header. So many records go to the sink at once. */
  constructor(header: Omit<Header, 'mirrorwalk'>, sink: Sink, batch: number) {
    this.#sink = sink
    this.#batch = batch
    this.#bytes.value({ mirrorwalk: FORMAT, ...header } satisfies Header)
    this.size = this.#sealed(0)
    this.flush()
  }

  /** The checksum of the last record. */
  get sum(): string {
    return this.#sealer.last
  }

  /** Each answers the size of its record. */
  step(told: Told): number {
    const start = this.#bytes.at
    writeStep(this.#bytes, told, this.#learned)
    return this.#sealed(start)
  }

  /** `world`: as `toldWorld` has it. */
  checkpoint(n: number, world: unknown): number {
    const to = this.#bytes
    const start = to.at
    to.raw(`{"checkpoint":${n},"world":`)
    const from = to.at
    to.value(world)
    to.raw(`,"digest":"${digestOfText(to.since(from))}","usual":`)
    this.#learned.settle(to)
    to.raw('}')
    return this.#sealed(start)
  }

  end(record: EndRecord): number {
    const start = this.#bytes.at
    this.#bytes.value(record)
    const size = this.#sealed(start)
    this.flush()
    return size
  }

  /** Writes what is still held back. */
  flush(): void {
    if (this.#held === 0) return
    this.#held = 0
    this.#sink(this.#bytes.taken())
  }

  #sealed(start: number): number {
    this.#sealer.seal(this.#bytes, start)
    const size = this.#bytes.at - start
    if (++this.#held >= this.#batch) this.flush()
    return size
  }
}
