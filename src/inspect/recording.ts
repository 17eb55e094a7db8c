/**
 * A run as it was recorded, at any of its steps: the world there, folded from the last checkpoint, and the record of the
 * step. Nothing is decided again. A few blocks are kept, so that going back is as quick as going on.
 */
import { Extent } from '../log/extent.ts'
import { mayTouch, type Key } from '../log/keys.ts'
import { DamagedLog, type LogFile } from '../log/log-file.ts'
import { TOO_MUCH } from '../log/reader.ts'
import type { Header, Origin, StepRecord } from '../log/records.ts'
import { beginning, foldStep, worldOf } from '../log/records.ts'
import { parsed, unsound } from '../log/sound.ts'
import { stepOf } from '../log/upcast.ts'
import type { Usual } from '../log/usual.ts'
import type { LinuxSystem, LinuxWorld } from './linux.ts'

/** Steps of a run, numbered from `first + 1` to `last`; `first` is where it begins. */
export interface Run {
  readonly system: LinuxSystem
  readonly header: Header
  readonly first: number
  readonly last: number
  /** How it ended, if it did. */
  readonly ended: string | undefined
  /** Where it leaves another run, and that one another; the outermost first. Of what comes before `first` nothing is known. */
  readonly origins: readonly Origin[]
  /** The world after a step; after `first`, the one that it begins with. */
  world(n: number): LinuxWorld
  /** Where a branch begins with something changed by hand: the world that the step there came to by itself. */
  unchanged?(n: number): LinuxWorld | undefined
  record(n: number): StepRecord
  /** Of a branch with what it leaves: the run that a branch would leave there, which is what this one leaves before it begins. */
  owner?(n: number): Run
  /** The format in which it was written. */
  formatOf(n: number): number
  /**
   * Steps that may touch one of these keys, from `n` on (or, back, from `n` down), each with all others of its block: what is
   * left out does not touch them.
   */
  candidates(n: number, back: boolean, keys: readonly Key[] | undefined): Generator<number>
  /** Makes sure that a step back from here is quick. */
  ready?(n: number): void
}

/** The world that a step came to, whatever was changed there by hand. */
export const cameTo = (run: Run, n: number): LinuxWorld => run.unchanged?.(n) ?? run.world(n)

const OF_ANOTHER = 'if there is an index beside the log, it may be of another: remove it, and it is made anew'

/** Blocks that are kept in memory. */
const KEPT = 8
/** Of the worlds on the way to one that is asked for, every so many steps one is kept, and the last ones. */
const STRIDE = 16
const NEAR = 32
/** Steps of the block before that are folded for each step back: some tenths of a millisecond. */
const AHEAD = 32

/** A run that a log tells of. */
export class Recording implements Run {
  readonly system: LinuxSystem
  readonly log: LogFile
  readonly #kept = new Map<number, Folded>()

  constructor(system: LinuxSystem, log: LogFile) {
    this.system = system
    this.log = log
  }

  get header(): Header {
    return this.log.header
  }
  get origins(): readonly Origin[] {
    const { from } = this.log.header
    return from === undefined ? [] : [from]
  }
  get first(): number {
    return this.log.first
  }
  get last(): number {
    return this.log.last
  }
  get ended(): string | undefined {
    return this.log.end?.why
  }

  world(n: number): LinuxWorld {
    const i = this.log.blockOf(n)
    // Where a block ends the next begins: its checkpoint is that world.
    const next = this.log.blocks[i + 1]?.from === n ? this.#kept.get(i + 1) : undefined
    return (next ?? this.#block(i)).world(n)
  }

  record(n: number): StepRecord {
    if (n <= this.first || n > this.last) throw new RangeError(`no step ${n}: there are ${this.first + 1} to ${this.last}`)
    return this.#block(this.log.blockOf(n)).record(n)
  }
  formatOf(): number {
    return this.log.format
  }

  *candidates(n: number, back: boolean, keys: readonly Key[] | undefined): Generator<number> {
    const { blocks } = this.log
    for (let i = this.log.blockOf(n); i >= 0 && i < blocks.length; i += back ? -1 : 1) {
      const block = blocks[i]
      if (block === undefined || (keys !== undefined && !keys.some(key => mayTouch(block.keys, key)))) continue
      const [low, high] = [block.from + 1, block.from + block.steps]
      if (back) for (let at = Math.min(n, high); at >= low; at--) yield at
      else for (let at = Math.max(n, low); at <= high; at++) yield at
    }
  }

  /**
   * The nearer the beginning of its block, the more of the block before is folded: so many of its steps for each that is
   * gone back that no single one has to fold it all.
   */
  ready(n: number): void {
    const i = this.log.blockOf(n)
    const before = this.log.blocks[i - 1]
    if (before === undefined) return
    const ahead = before.steps - AHEAD * (n - before.from - before.steps)
    if (ahead > 0) this.#block(i - 1).world(before.from + Math.min(before.steps, ahead))
  }

  #block(i: number): Folded {
    let folded = this.#kept.get(i)
    if (folded === undefined) folded = new Folded(this.system, this.log, i)
    // The one asked for last stands last.
    this.#kept.delete(i)
    this.#kept.set(i, folded)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break
      this.#kept.delete(oldest)
    }
    return folded
  }
}

/** A block, parsed and folded as far as it was asked for. */
class Folded {
  readonly #system: LinuxSystem
  readonly #format: number
  readonly #usual: Usual
  readonly #from: number
  readonly #texts: Iterator<string>
  readonly #read: string[] = []
  readonly #records: (StepRecord | undefined)[] = []
  readonly #extent = new Extent()
  /** By steps from the beginning of the block: those that were kept. */
  readonly #worlds: (LinuxWorld | undefined)[]
  /** Steps up to here leave memory no larger than any is. */
  #within = 0

  constructor(system: LinuxSystem, log: LogFile, i: number) {
    const block = log.blocks[i]
    const checkpoint = block === undefined ? undefined : log.checkpoint(block)
    this.#system = system
    this.#format = log.format
    this.#usual = checkpoint?.usual ?? {}
    this.#from = block?.from ?? log.first
    this.#texts = block === undefined ? [].values() : log.texts(block)
    if (checkpoint !== undefined && !this.#extent.takesWorld(checkpoint.world))
      throw new DamagedLog(`the checkpoint at step ${this.#from}: ${TOO_MUCH}`)
    this.#worlds = [
      checkpoint === undefined ? beginning(system, log.header) : worldOf(system, checkpoint.world, `the checkpoint at step ${this.#from}`),
    ]
  }

  record(n: number): StepRecord {
    const i = n - this.#from - 1
    return (this.#records[i] ??= this.#parsed(i))
  }

  #parsed(i: number): StepRecord {
    while (this.#read.length <= i) {
      const next = this.#texts.next()
      if (next.done === true) throw new DamagedLog(`step ${this.#from + i + 1} is not in its block: ${OF_ANOTHER}`)
      this.#read.push(next.value)
    }
    const record = stepOf(this.#format, parsed(this.#read[i] ?? ''), this.#usual)
    const what = unsound(record, this.#from + i)
    if (what !== undefined) throw new DamagedLog(`step ${this.#from + i + 1}: ${what}; ${OF_ANOTHER}`)
    const step = record as StepRecord
    if (!this.#system.index.has(step.by)) throw new DamagedLog(`step ${step.n} is of '${step.by}', and the log has no such actor`)
    return step
  }

  world(n: number): LinuxWorld {
    const at = n - this.#from
    let i = Math.min(at, this.#worlds.length - 1)
    while (i > 0 && this.#worlds[i] === undefined) i--
    let world = this.#worlds[i]
    if (world === undefined) throw new RangeError(`no step ${n} in this block`)
    while (i < at) {
      // Not kept, as most worlds are not: what stays is moved about by the garbage collector, which takes longer than the rest.
      const record = this.#records[i] ?? this.#parsed(i)
      i++
      if (i > this.#within) {
        if (!this.#extent.takes(record)) throw new DamagedLog(`step ${record.n}: ${TOO_MUCH}`)
        this.#within = i
      }
      world = foldStep(this.#system, world, record)
      if (i % STRIDE === 0 || at - i < NEAR) this.#worlds[i] = world
    }
    return world
  }
}
