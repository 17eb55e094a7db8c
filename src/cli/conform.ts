/** `mirrorwalk conform`: recordings of real kernels against the model. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { conformProgram, Tallies, type Conformance, type Failure, type Sums } from '../conformance/conform.ts'
import { LEVELS, type Level } from '../conformance/compare.ts'
import { familyOf, readRecording, recordingFiles } from '../conformance/recording.ts'
import { EXIT, plural, print, printJson, styled, table, UsageError, Work, type ExitCode } from './output.ts'

export interface ConformFlags {
  readonly kernel?: readonly string[]
  readonly family?: readonly string[]
  readonly level?: readonly string[]
  /** Every so many-th program of each file alone. */
  readonly sample?: number
  readonly json?: boolean
}

/** Failures that are printed; the rest is counted. */
const SHOWN = 10

/** The recordings that come with the checkout. */
export function ownRecordings(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const recordings = join(folder, 'test/fixtures/recordings')
    if (existsSync(recordings)) return recordings
  }
  throw new UsageError('no recordings found beside this package: name a file or a folder of them')
}

export async function conformCommand(paths: readonly string[], flags: ConformFlags): Promise<ExitCode> {
  const { sums, stopped } = await conform(paths.length === 0 ? [ownRecordings()] : paths, flags)
  if (sums.programs === 0 && !stopped) throw new UsageError('no program matches: look at --kernel and --family')
  if (flags.json === true) printJson(sums)
  else {
    showSums(sums)
    showFailures(sums.failures)
    if (stopped) print(`${styled('yellow', '?')} stopped: what is said above is of the programs that were run`)
  }
  return sums.failures.length > 0 ? EXIT.violated : stopped ? EXIT.unknown : EXIT.holds
}

export async function conform(
  paths: readonly string[],
  flags: ConformFlags,
): Promise<{ readonly sums: Conformance; readonly stopped: boolean }> {
  const levels = levelsOf(flags.level)
  const tallies = new Tallies()
  const work = new Work()
  let done = 0
  for (const file of paths.flatMap(recordingFiles)) {
    for (const [i, program] of readRecording(file).entries()) {
      if (i % Math.max(1, flags.sample ?? 1) !== 0) continue
      if (flags.kernel !== undefined && !flags.kernel.includes(program.kernel)) continue
      if (flags.family !== undefined && !flags.family.includes(familyOf(program))) continue
      tallies.add(conformProgram(program, levels))
      done++
      await work.breathe(() => `${plural(done, 'program')} run, at ${program.program} of ${file}`)
      if (work.stopped) break
    }
    if (work.stopped) break
  }
  work.end()
  return { sums: tallies.sums(), stopped: work.stopped }
}

function levelsOf(words: readonly string[] | undefined): readonly Level[] {
  if (words === undefined) return LEVELS
  return words.map(word => {
    const level = LEVELS.find(l => l === word)
    if (level === undefined) throw new UsageError(`no level '${word}'; there are ${LEVELS.join(', ')}`)
    return level
  })
}

/** Sums by kernel, or also by family. */
export function showSums(sums: Conformance, by: 'kernels' | 'families' = 'families'): void {
  const row = (kernel: string, family: string, s: Sums): readonly string[] => [
    kernel,
    family,
    `${s.programs}`,
    `${s.conforming}`,
    s.programs === 0 ? '–' : `${Math.floor((100 * s.conforming) / s.programs)}%`,
    s.steps.toLocaleString('en'),
    s.agreeing.toLocaleString('en'),
    ...LEVELS.map(level => `${s.byLevel[level]}`),
  ]
  const rows = Object.entries(sums.byKernel).flatMap(([kernel, of]) => [
    ...(by === 'kernels' ? [] : Object.entries(of.byFamily).map(([family, s]) => row(kernel, family, s))),
    ...(by === 'kernels' || Object.keys(of.byFamily).length > 1 ? [row(kernel, 'all', of)] : []),
  ])
  for (const line of table([['kernel', 'family', 'programs', 'conform', '', 'steps', 'agree', ...LEVELS], ...rows])) print(line)
  const mark = sums.failures.length === 0 ? styled('green', '✔') : styled('red', '✘')
  print(
    '',
    `${mark} ${sums.conforming.toLocaleString('en')} of ${plural(sums.programs, 'program')} conform; ${sums.agreeing.toLocaleString('en')} of ${plural(sums.steps, 'step')} agree before a first difference`,
  )
}

export function showFailures(failures: readonly Failure[]): void {
  for (const { program, kernel, step, op, level, path, expected, got } of failures.slice(0, SHOWN)) {
    print('', `${styled('red', '✘')} ${program} on ${kernel}, step ${step}: ${styled('bold', op)}`)
    print(`    ${level}: ${path}`)
    print(`    kernel  ${JSON.stringify(expected)}`)
    print(`    model   ${JSON.stringify(got)}`)
  }
  if (failures.length > SHOWN)
    print('', `… and ${plural(failures.length - SHOWN, 'program')} more that do not conform; --json lists them all`)
}
