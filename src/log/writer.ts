/** Writing a log while a system runs: a subscriber of its entries. */
import type { Observable, Subscription } from 'rxjs'
import type { Entry } from '../system/live.ts'
import type { System, World } from '../system/world.ts'
import { Chain } from './chain.ts'
import { digestOf, FORMAT, stepText, worldJson, type EndRecord, type Header } from './records.ts'

/** Where a log goes: called with whole lines. */
export type Sink = (text: string) => void

export interface WriterOptions {
  /** Each record is written at once rather than in batches of 32: nothing is lost if the process dies, at twice the cost. */
  readonly sync?: boolean
}

const BATCH = 32
/** Steps between two checkpoints at least; further apart while the last checkpoint was larger than what followed it. */
const CHECKPOINT_STEPS = 512

export class LogWriter<M, F> {
  readonly #system: System<M, F>
  readonly #sink: Sink
  readonly #batch: number
  readonly #chain = new Chain()
  #lines: string[] = []
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
    this.#write(JSON.stringify({ mirrorwalk: FORMAT, ...header } satisfies Header))
    this.flush()
  }

  follow(entries$: Observable<Entry<M, F>>): this {
    this.#subscription = entries$.subscribe(entry => this.step(entry))
    return this
  }

  step(entry: Entry<M, F>): void {
    const size = this.#write(stepText(this.#system, entry))
    this.#n = entry.n
    this.#world = entry.world
    this.#sinceCheckpoint += size
    if (entry.n % CHECKPOINT_STEPS === 0 && this.#sinceCheckpoint >= this.#checkpointSize) this.#checkpoint()
  }

  /** Closes the log: without its last record, a log counts as cut off. */
  end(why: EndRecord['why']): void {
    this.#subscription?.unsubscribe()
    this.#write(JSON.stringify({ end: this.#n, why, digest: digestOf(this.#system, this.#world) } satisfies EndRecord))
    this.flush()
  }

  /** Writes what is still held back. */
  flush(): void {
    if (this.#lines.length === 0) return
    this.#sink(this.#lines.join(''))
    this.#lines = []
  }

  #checkpoint(): void {
    const text = JSON.stringify({ checkpoint: this.#n, world: worldJson(this.#system, this.#world), digest: digestOf(this.#system, this.#world) })
    this.#checkpointSize = this.#write(text)
    this.#sinceCheckpoint = 0
  }

  #write(text: string): number {
    const line = `${this.#chain.seal(text)}\n`
    this.#lines.push(line)
    if (this.#lines.length >= this.#batch) this.flush()
    return line.length
  }
}
