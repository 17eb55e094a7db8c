/** Writing a log while a system runs: a subscriber of its entries. */
import type { Observable, Subscription } from 'rxjs'
import type { Entry } from '../system/live.ts'
import type { System, World } from '../system/world.ts'
import { IndexWriter } from './index-file.ts'
import { RecordWriter, type Sink } from './record-writer.ts'
import { digestOf, toldWorld, type EndRecord, type Header } from './records.ts'
import { Told } from './told.ts'

export type { Sink } from './record-writer.ts'

export interface WriterOptions {
  /** Each record is written at once rather than in batches of 32: nothing is lost if the process dies, at twice the cost. */
  readonly sync?: boolean
  /** Where the index goes; nothing does as long as the log has no checkpoint. */
  readonly index?: Sink
}

const BATCH = 32
/** Steps between two checkpoints at least; more while what followed the last one is no longer than it is. */
const CHECKPOINT_STEPS = 512

export class LogWriter<M, F> {
  readonly #system: System<M, F>
  readonly #told = new Told()
  readonly #records: RecordWriter
  readonly #index: IndexWriter | undefined
  #steps = 0
  #bytes = 0
  #checkpointSize = 0
  #n = 0
  #world: World<M>
  #subscription: Subscription | undefined

  /** Writes the header. `world`: where the run begins. */
  constructor(system: System<M, F>, world: World<M>, header: Omit<Header, 'mirrorwalk'>, sink: Sink, options: WriterOptions = {}) {
    this.#system = system
    this.#world = world
    this.#n = header.from?.step ?? 0
    this.#records = new RecordWriter(header, sink, options.sync === true ? 1 : BATCH)
    const { size, sum } = this.#records
    this.#index = options.index === undefined ? undefined : new IndexWriter(size, sum, this.#n, options.index)
  }

  follow(entries$: Observable<Entry<M, F>>): this {
    this.#subscription = entries$.subscribe(entry => this.step(entry))
    return this
  }

  step(entry: Entry<M, F>): void {
    const told = this.#told.entry(this.#system, entry)
    const size = this.#records.step(told)
    this.#index?.step(told, size)
    this.#n = entry.n
    this.#world = entry.world
    this.#bytes += size
    if (++this.#steps >= CHECKPOINT_STEPS && this.#bytes > this.#checkpointSize) this.#checkpoint()
  }

  /** Closes the log: without its last record, a log counts as cut off. */
  end(why: EndRecord['why']): void {
    this.#subscription?.unsubscribe()
    const before = this.#records.sum
    const size = this.#records.end({ end: this.#n, why, digest: digestOf(this.#system, this.#world) })
    this.#index?.end(size, before, this.#records.sum)
  }

  /** Writes what is still held back. */
  flush(): void {
    this.#records.flush()
  }

  #checkpoint(): void {
    const before = this.#records.sum
    this.#checkpointSize = this.#records.checkpoint(this.#n, toldWorld(this.#system, this.#world))
    this.#steps = this.#bytes = 0
    this.#index?.checkpoint(this.#checkpointSize, before, this.#records.sum)
  }
}
