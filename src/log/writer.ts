/** Writing a log while a system runs: a subscriber of its entries. */
import type { Observable, Subscription } from 'rxjs'
import type { Entry } from '../system/live.ts'
import type { System, World } from '../system/world.ts'
import { ByteWriter } from './bytes.ts'
import { Sealer } from './chain.ts'
import { IndexWriter } from './index-file.ts'
import { digestOf, digestOfText, FORMAT, worldText, writeStep, type EndRecord, type Header } from './records.ts'

/** Where a log goes: called with whole lines; the bytes are good until it returns. */
export type Sink = (lines: Buffer) => void

export interface WriterOptions {
  /** Each record is written at once rather than in batches of 32: nothing is lost if the process dies, at twice the cost. */
  readonly sync?: boolean
  /** Where the index goes; nothing does as long as the log has no checkpoint. */
  readonly index?: Sink
}

const BATCH = 32
/** Steps between two checkpoints at least; further apart while the last checkpoint was larger than what followed it. */
const CHECKPOINT_STEPS = 512

export class LogWriter<M, F> {
  readonly #system: System<M, F>
  readonly #sink: Sink
  readonly #batch: number
  readonly #bytes = new ByteWriter()
  readonly #sealer = new Sealer()
  readonly #index: IndexWriter | undefined
  #held = 0
  #sinceCheckpoint = 0
  #checkpointSize = 0
  #n = 0
  #world: World<M>
  #subscription: Subscription | undefined

  /** Writes the header. `world`: where the run begins. */
  constructor(system: System<M, F>, world: World<M>, header: Omit<Header, 'mirrorwalk'>, sink: Sink, options: WriterOptions = {}) {
    this.#system = system
    this.#world = world
    this.#sink = sink
    this.#batch = options.sync === true ? 1 : BATCH
    this.#n = header.from?.step ?? 0
    const size = this.#write(to => to.value({ mirrorwalk: FORMAT, ...header } satisfies Header))
    this.#index = options.index === undefined ? undefined : new IndexWriter(size, this.#sealer.last, this.#n, options.index)
    this.flush()
  }

  follow(entries$: Observable<Entry<M, F>>): this {
    this.#subscription = entries$.subscribe(entry => this.step(entry))
    return this
  }

  step(entry: Entry<M, F>): void {
    const index = this.#index
    index?.keys.step(entry.choice.by, entry.do)
    const size = this.#write(to => writeStep(to, this.#system, entry, index?.keys.actor))
    index?.step(entry.facts, size)
    this.#n = entry.n
    this.#world = entry.world
    this.#sinceCheckpoint += size
    if (entry.n % CHECKPOINT_STEPS === 0 && this.#sinceCheckpoint >= this.#checkpointSize) this.#checkpoint()
  }

  /** Closes the log: without its last record, a log counts as cut off. */
  end(why: EndRecord['why']): void {
    this.#subscription?.unsubscribe()
    const size = this.#write(to => to.value({ end: this.#n, why, digest: digestOf(this.#system, this.#world) } satisfies EndRecord))
    this.flush()
    this.#index?.end(size, this.#sealer.last)
  }

  /** Writes what is still held back. */
  flush(): void {
    if (this.#held === 0) return
    this.#held = 0
    this.#sink(this.#bytes.taken())
  }

  #checkpoint(): void {
    const world = worldText(this.#system, this.#world)
    const before = this.#sealer.last
    this.#checkpointSize = this.#write(to => {
      to.raw(`{"checkpoint":${this.#n},"world":`)
      to.utf8(world)
      to.raw(`,"digest":"${digestOfText(world)}"}`)
    })
    this.#sinceCheckpoint = 0
    this.#index?.checkpoint(this.#checkpointSize, before, this.#sealer.last)
  }

  #write(record: (to: ByteWriter) => void): number {
    const start = this.#bytes.at
    record(this.#bytes)
    this.#sealer.seal(this.#bytes, start)
    const size = this.#bytes.at - start
    if (++this.#held >= this.#batch) this.flush()
    return size
  }
}
