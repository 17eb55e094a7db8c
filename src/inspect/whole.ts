/** A branch together with the steps of the run that it leaves: one run, from the beginning on. */
import type { Key } from '../log/keys.ts'
import { toldWorld, type Header, type Origin, type StepRecord } from '../log/records.ts'
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
  owner(n: number): Run {
    return n < this.#branch.first ? (this.#trunk.owner?.(n) ?? this.#trunk) : this
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

/**
 * Does a run come to where this branch of it begins? Another one may have its name by now. By hand, statements are put into
 * programs there, and the kernel may be another; all else is as it was.
 */
export function comesTo(trunk: Run, branch: Run): boolean {
  const { first } = branch
  if (first < trunk.first || first > trunk.last) return false
  const [before, begun] = [programsApart(trunk, first), programsApart(branch, first)]
  const put = begun.programs.flat().length - before.programs.flat().length
  return (
    before.rest === begun.rest &&
    put <= (branch.header.from?.changed.length ?? 0) &&
    before.programs.every((program, i) => isWithin(program, begun.programs[i] ?? []))
  )
}

/** A world as text but for the programs of its actors, and those. */
function programsApart(run: Run, n: number): { readonly rest: string; readonly programs: readonly (readonly string[])[] } {
  const programs: string[][] = []
  const { memory, actors } = run.world(n)
  const others = actors.map(({ value, context }) => {
    const { program, ...rest } = context as { readonly program?: unknown }
    programs.push(Array.isArray(program) ? program.map(statement => JSON.stringify(statement)) : [])
    return { value, context: rest }
  })
  return { rest: JSON.stringify(toldWorld(run.system, { memory, actors: others })), programs }
}

/** Are these among those, in this order? */
function isWithin(some: readonly string[], all: readonly string[]): boolean {
  let found = 0
  for (const one of all) if (one === some[found]) found++
  return found === some.length
}
