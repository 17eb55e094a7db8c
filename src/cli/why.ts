/** `mirrorwalk why` and `mirrorwalk last`: where what a log ends with, or had at a step, came from. */
import { pageOf, pathOf } from '../inspect/path.ts'
import { lastChange, nextChange } from '../inspect/last-change.ts'
import { why } from '../inspect/provenance.ts'
import type { Run } from '../inspect/recording.ts'
import { verdictOf } from '../inspect/verdict.ts'
import { changeLines, whyLines } from '../inspect/why-lines.ts'
import { hung } from '../inspect/wrap.ts'
import { openRun } from './open.ts'
import { EXIT, lineWidth, print, printJson, UsageError, type ExitCode } from './output.ts'

export interface WhyFlags {
  readonly at?: number
  readonly next?: boolean
  readonly json?: boolean
}

function opened(path: string, at: number | undefined): { readonly run: Run; readonly n: number } {
  const { run } = openRun(path)
  const n = at ?? run.last
  if (n < run.first || n > run.last) throw new UsageError(`${path} has no step ${n}: there are ${run.first + 1} to ${run.last}`)
  return { run, n }
}

export function whyCommand(path: string, address: string, { at, json }: WhyFlags): ExitCode {
  const of = pageOf(address)
  if (of === undefined) throw new UsageError(`expected a page, such as 16 or mm0:16, got '${address}'`)
  const { run, n } = opened(path, at)
  const found = why(run, of.mm, of.page, n)
  if (json === true) printJson({ ...found, derived: found.derived.map(d => ({ ...d, verdict: verdictOf(found, d) })) })
  else for (const line of whyLines(run, found, lineWidth())) print(line)
  return EXIT.holds
}

/** Exits 1 if nothing changed it. */
export function lastCommand(path: string, text: string, { at, next, json }: WhyFlags): ExitCode {
  const { run, n } = opened(path, at)
  const of = pathOf(run.system, text)
  const step = next === true ? nextChange(run, of, n + 1) : lastChange(run, of, n)
  const [before, after] =
    step === undefined ? [of.show(run.world(n)), of.show(run.world(n))] : [of.show(run.world(step - 1)), of.show(run.world(step))]
  if (json === true) printJson({ path: of.text, step: step ?? null, by: step === undefined ? null : run.record(step).by, before, after })
  else if (step === undefined) print(`${of.text}: ${after}, and no step ${next === true ? `after ${n}` : `up to ${n}`} changes it`)
  else for (const line of changeLines(run, step, of).flatMap(text => hung(text, lineWidth()))) print(line)
  return step === undefined ? EXIT.violated : EXIT.holds
}
