/** A branch together with the steps of the run that it leaves: one run, from the beginning on. */
import type { Key } from '../log/keys.ts'
import type { Header, Origin, StepRecord } from '../log/records.ts'
import type { LinuxSystem, LinuxWorld } from './linux.ts'
import type { Run } from './recording.ts'

export class Whole implements Run {
  readonly #branch: Run
  readonly #trunk: Run

  constructor(branch: Run, trunk: Run) {
    this.#branch = branch
    this.#trunk = trunk
  }

  get system(): LinuxSystem {
    return this.#branch.system
  }
  get header(): Header {
    return this.#branch.header
  }
  get origins(): readonly Origin[] {
    const { first, origins } = this.#branch
    // What it leaves may begin later than it leaves it: then it leaves what comes before that.
    return [...this.#trunk.origins.filter(({ step }) => step <= first), ...origins]
  }
  get first(): number {
    return this.#trunk.first
  }
  get last(): number {
    return this.#branch.last
  }
  get ended(): string | undefined {
    return this.#branch.ended
  }

  /** Where the branch begins, the world is as it was changed there. */
  world(n: number): LinuxWorld {
    return n < this.#branch.first ? this.#trunk.world(n) : this.#branch.world(n)
  }
  unchanged(n: number): LinuxWorld | undefined {
    const { first, origins } = this.#branch
    if (n > first) return undefined
    const before = this.#trunk.unchanged?.(n)
    return n < first || origins.every(({ changed }) => changed.length === 0) ? before : (before ?? this.#trunk.world(n))
  }
  record(n: number): StepRecord {
    return n <= this.#branch.first ? this.#trunk.record(n) : this.#branch.record(n)
  }
  formatOf(n: number): number {
    return n <= this.#branch.first ? this.#trunk.formatOf(n) : this.#branch.formatOf(n)
  }
  *candidates(n: number, back: boolean, keys: readonly Key[] | undefined): Generator<number> {
    const { first } = this.#branch
    if (back) {
      if (n > first) for (const at of this.#branch.candidates(n, true, keys)) if (at > first) yield at
      yield* this.#trunk.candidates(Math.min(n, first), true, keys)
      return
    }
    for (const at of n <= first ? this.#trunk.candidates(n, false, keys) : []) {
      if (at > first) break
      yield at
    }
    yield* this.#branch.candidates(Math.max(n, first + 1), false, keys)
  }
  ready(n: number): void {
    if (n <= this.#branch.first) this.#trunk.ready?.(n)
    else this.#branch.ready?.(n)
  }
}
