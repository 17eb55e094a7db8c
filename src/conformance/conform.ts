/** Recordings against the model: programs run, steps compared, and the sums of both by kernel, family and level. */
import { profileNamed } from '../kernel/profiles.ts'
import { differences, LEVELS, type Difference, type Level } from './compare.ts'
import { UnknownOp } from './ops.ts'
import { familyOf, type Program } from './recording.ts'
import { ProgramRun } from './run.ts'

/** The first difference of a program. */
export interface Failure extends Omit<Difference, 'level'> {
  readonly program: string
  readonly kernel: string
  readonly step: number
  readonly op: string
  readonly level: Level
}

export interface Sums {
  readonly programs: number
  readonly conforming: number
  readonly steps: number
  /** Steps before a program's first difference. */
  readonly agreeing: number
  /** Programs that agree at this level in every step. */
  readonly byLevel: Readonly<Record<Level, number>>
}

export interface KernelSums extends Sums {
  readonly byFamily: Readonly<Record<string, Sums>>
}

export interface Conformance {
  readonly programs: number
  readonly conforming: number
  readonly steps: number
  readonly agreeing: number
  readonly byKernel: Readonly<Record<string, KernelSums>>
  readonly failures: readonly Failure[]
}

/** How one program did. */
export interface ProgramResult {
  readonly program: Program
  readonly agreeing: number
  /** Levels at which some step differs. */
  readonly differing: ReadonlySet<Level>
  readonly failure: Failure | undefined
}

/** Runs one program and compares it at the given levels; it goes on behind a difference, to judge the other levels too. */
export function conformProgram(program: Program, levels: readonly Level[] = LEVELS): ProgramResult {
  const differing = new Set<Level>()
  let failure: Failure | undefined
  let agreeing = 0
  const fail = (step: number, op: string, difference: Difference): void => {
    failure ??= { program: program.program, kernel: program.kernel, step, op, ...difference }
  }
  const give = (step: number, op: string, expected: unknown, got: string): ProgramResult => {
    fail(step, op, { level: 'result', path: 'op', expected, got })
    return { program, agreeing, differing: new Set(levels), failure }
  }

  const profile = `v${program.kernel}`
  if (profileNamed(profile) === undefined)
    return give(0, program.steps[0]?.op ?? '', program.kernel, `there is no profile for kernel ${program.kernel} yet`)
  const run = new ProgramRun(
    program.steps.map(s => s.op),
    profile,
  )
  for (const [i, step] of program.steps.entries()) {
    let found
    try {
      found = differences(step, run.op(step.op), step.op.includes('dsnap '))
    } catch (error) {
      if (error instanceof UnknownOp) return give(i, step.op, step.res, error.message)
      return give(i, step.op, step.res, `a defect of the model: ${error instanceof Error ? error.message : String(error)}`)
    }
    for (const level of levels) {
      const difference = found.get(level)
      if (difference === undefined) continue
      differing.add(level)
      fail(i, step.op, difference)
    }
    if (failure === undefined) agreeing++
  }
  return { program, agreeing, differing, failure }
}

type Tally = { programs: number; conforming: number; steps: number; agreeing: number; byLevel: Record<Level, number> }
const noTally = (): Tally => ({
  programs: 0,
  conforming: 0,
  steps: 0,
  agreeing: 0,
  byLevel: { result: 0, pfns: 0, events: 0, tables: 0, bits: 0 },
})

function count(tally: Tally, { program, agreeing, differing, failure }: ProgramResult): void {
  tally.programs++
  tally.steps += program.steps.length
  tally.agreeing += agreeing
  if (failure === undefined) tally.conforming++
  for (const level of LEVELS) if (!differing.has(level)) tally.byLevel[level]++
}

/** Sums up results as they come. */
export class Tallies {
  readonly #all = noTally()
  readonly #kernels = new Map<string, { readonly sums: Tally; readonly families: Map<string, Tally> }>()
  readonly #failures: Failure[] = []

  add(result: ProgramResult): void {
    const { kernel } = result.program
    const family = familyOf(result.program)
    const known = this.#kernels.get(kernel) ?? { sums: noTally(), families: new Map<string, Tally>() }
    const sums = known.families.get(family) ?? noTally()
    this.#kernels.set(kernel, known)
    known.families.set(family, sums)
    for (const tally of [this.#all, known.sums, sums]) count(tally, result)
    if (result.failure !== undefined) this.#failures.push(result.failure)
  }

  sums(): Conformance {
    const { programs, conforming, steps, agreeing } = this.#all
    const byKernel = Object.fromEntries(
      [...this.#kernels].map(([kernel, { sums, families }]) => [kernel, { ...sums, byFamily: Object.fromEntries(families) }]),
    )
    return { programs, conforming, steps, agreeing, byKernel, failures: this.#failures }
  }
}
