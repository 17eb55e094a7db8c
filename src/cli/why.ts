/** `mirrorwalk why` and `mirrorwalk last`: where what a log ends with, or had at a step, came from. */
import { handLines, searchingChange, type Changing } from '../inspect/changes.ts'
import type { LinuxWorld } from '../inspect/linux.ts'
import { pageOf, pathOf } from '../inspect/path.ts'
import { why } from '../inspect/provenance.ts'
import { cameTo, type Run } from '../inspect/recording.ts'
import { verdictOf } from '../inspect/verdict.ts'
import { changeLines, whyLines } from '../inspect/why-lines.ts'
import { hung } from '../inspect/wrap.ts'
import type { Damage } from '../log/reader.ts'
import { damageText } from './log-file.ts'
import { openRun } from './open.ts'
import { EXIT, harmless, lineWidth, print, printJson, styled, UsageError, Work, type ExitCode } from './output.ts'

export interface WhyFlags {
  readonly at?: number
  readonly next?: boolean
  readonly json?: boolean
}

interface Asked {
  readonly run: Run
  readonly n: number
  /** What is wrong with the log, where the answer may hang on what is missing. */
  readonly damage: Damage | undefined
}

/** `toEnd`: the answer hangs on all that comes. */
function opened(path: string, at: number | undefined, toEnd = false): Asked {
  const { run, damage } = openRun(path)
  const n = at ?? run.last
  if (n < run.first || n > run.last) throw new UsageError(`${path} has no step ${n}: there are ${run.first + 1} to ${run.last}`)
  return { run, n, damage: at === undefined || toEnd ? damage : undefined }
}

/** What was found holds as far as the log can be believed. */
function codeOf(path: string, damage: Damage | undefined, code: ExitCode): ExitCode {
  if (damage === undefined) return code
  process.stderr.write(`${harmless(`${styled('yellow', '?')} ${damageText(path, damage)}`)}\n`)
  return EXIT.unknown
}

export function whyCommand(path: string, address: string, { at, json }: WhyFlags): ExitCode {
  const of = pageOf(address)
  if (of === undefined) throw new UsageError(`expected a page, such as 16 or mm0:16, got '${address}'`)
  const { run, n, damage } = opened(path, at)
  const found = why(run, of.mm, of.page, n)
  if (json === true) printJson({ ...found, derived: found.derived.map(d => ({ ...d, verdict: verdictOf(found, d) })) })
  else for (const line of whyLines(run, found, lineWidth())) print(line)
  return codeOf(path, damage, EXIT.holds)
}

/** Exits 1 if nothing changed it. */
export async function lastCommand(path: string, text: string, { at, next, json }: WhyFlags): Promise<ExitCode> {
  const { run, n, damage } = opened(path, at, next)
  const of = pathOf(run.system, text)
  const found = await finished(searchingChange(run, of, next === true ? n + 1 : n, next !== true), run)
  if (found === 'stopped') {
    print('stopped: it may have been changed farther on')
    return EXIT.unknown
  }
  const [before, after] = found === undefined ? [run.world(n), run.world(n)] : worldsOf(run, found)
  if (json === true)
    printJson({
      path: of.text,
      step: found?.n ?? null,
      by: found === undefined || found.byHand ? null : run.record(found.n).by,
      ...(found?.byHand === true ? { byHand: true } : {}),
      before: of.show(before),
      after: of.show(after),
    })
  else if (found === undefined)
    print(`${of.text}: ${of.show(after)}, and no step ${next === true ? `after ${n}` : `up to ${n}`} changes it`)
  else {
    const lines = found.byHand ? handLines(run, found.n, of) : changeLines(run, found.n, of)
    for (const line of lines.flatMap(part => hung(part, lineWidth()))) print(line)
  }
  // A change that comes next is there whatever else is missing.
  const known = next === true && found !== undefined
  return codeOf(path, known ? undefined : damage, found === undefined ? EXIT.violated : EXIT.holds)
}

const worldsOf = (run: Run, { n, byHand }: Changing): readonly [LinuxWorld, LinuxWorld] =>
  byHand ? [cameTo(run, n), run.world(n)] : [run.world(n - 1), cameTo(run, n)]

/** Goes on to the end, or until Ctrl-C. */
async function finished<T>(searching: Generator<number, T, boolean>, { last }: Run): Promise<T> {
  const work = new Work()
  try {
    for (;;) {
      const { done, value } = searching.next(work.stopped)
      if (done === true) return value
      await work.breathe(() => `looks at step ${value.toLocaleString('en')} of ${last.toLocaleString('en')}`)
    }
  } finally {
    work.end()
  }
}
