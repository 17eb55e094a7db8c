/** `mirrorwalk run`: a scenario, one order of events, a verdict, a timeline, and the log of it. */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { timelineOf } from '../inspect/steps.ts'
import { timeline, type TimelineStep } from '../inspect/timeline.ts'
import { writeAll } from '../log/files.ts'
import { LogWriter } from '../log/writer.ts'
import { CHOOSERS } from '../scenario/redo.ts'
import { prepare, type LinuxEntry, type Report, type ScenarioRun, type Verdict } from '../scenario/run.ts'
import type { Built, Scenario } from '../scenario/api.ts'
import type { Values } from '../scenario/parameters.ts'
import { MODEL_VERSION } from '../version.ts'
import { keptText, replacing, type Replacing } from './kept-log.ts'
import { LazyIndex } from './lazy-index.ts'
import { logPath, ownLog } from './log-name.ts'
import { columns, EXIT, plural, print, printJson, styled, UsageError, Work, type ExitCode } from './output.ts'
import { parametersOf } from './explore/parameters.ts'
import { loadScenario, whereAndWhat } from './scenario-file.ts'

export interface RunFlags {
  readonly profile?: string
  readonly variant?: string
  readonly with?: readonly string[]
  readonly seed?: number
  readonly token?: string
  readonly steps?: number
  readonly log?: string | boolean
  readonly timeline?: 'auto' | 'all' | 'none'
  readonly sync?: boolean
  readonly json?: boolean
}

/** Longer runs are not printed unless asked for. */
const TIMELINE_STEPS = 300
/** Steps of a circle that are named. */
const CIRCLE_SHOWN = 8

export interface Ran {
  readonly report: Report
  readonly log: string | null
  /** Where the log is now that was there before, if it had notes or branches and this is another run. */
  readonly kept: string | undefined
  /** The steps, unless there are too many to print. */
  readonly timeline: readonly TimelineStep[]
}

export async function runCommand(file: string, flags: RunFlags): Promise<ExitCode> {
  const scenario = await loadScenario(file)
  const runs: Ran[] = []
  const profiles = flags.profile === undefined ? scenario.profiles : [flags.profile]
  const variants = flags.variant === undefined ? scenario.variants : [flags.variant]
  for (const profile of profiles) {
    for (const variant of variants) {
      const log = ownLog(flags.log, { profile, variant }, profiles.length * variants.length > 1)
      const asked = { ...flags, variant, ...(log === undefined ? {} : { log }) }
      const ran = await runProfile(file, scenario, profile, asked)
      runs.push(ran)
      if (flags.json !== true) showRun(ran, againCommand(file, profile, asked), flags.timeline ?? 'auto')
    }
  }
  if (flags.json === true) printJson({ scenario: scenario.title, runs: runs.map(({ report, log, kept }) => ({ ...report, log, kept })) })
  return worst(runs.map(r => r.report.verdict))
}

export const worst = (verdicts: readonly Report['verdict'][]): ExitCode =>
  verdicts.includes('violated') ? EXIT.violated : verdicts.includes('unknown') ? EXIT.unknown : EXIT.holds

/** A run under way, with the log that is written of it. */
export interface Running {
  readonly run: ScenarioRun
  readonly log: string | null
  /** As of a `Ran`, once it is over. */
  readonly kept: string | undefined
  /** Runs on for a while, or ends where it is; the report, once the run is over. */
  advance(): Report | undefined
  stop(): Report
}

export function startRun(file: string, scenario: Scenario, profile: string, flags: RunFlags): Running {
  const built = buildOf(file, scenario, profile, flags.variant, parametersOf(scenario, flags.with))
  const run = prepare(built, {
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    ...(flags.token === undefined ? {} : { token: flags.token }),
    ...(flags.steps === undefined ? {} : { steps: flags.steps }),
  })
  const { seed, variant = '' } = flags
  const path = logPath(file, { profile, variant }, flags.log, seed === undefined ? '' : `-seed${seed}`)
  const log = path === null ? undefined : openLog(path, built, flags, run)
  return {
    run,
    log: path,
    get kept() {
      return log?.kept
    },
    advance() {
      const report = run.advance()
      if (report !== undefined) log?.end(report.ended.why)
      return report
    },
    stop() {
      const report = run.stop()
      log?.end('interrupted')
      return report
    },
  }
}

/** Runs a scenario under one profile, and writes its log while it runs. */
export async function runProfile(file: string, scenario: Scenario, profile: string, flags: RunFlags): Promise<Ran> {
  // A log that has begun is ended, too: from here on, Ctrl-C is minded.
  const work = new Work()
  const running = startRun(file, scenario, profile, flags)
  const { run, log } = running
  const entries: LinuxEntry[] = []
  const kept = flags.timeline === 'all' ? Infinity : TIMELINE_STEPS
  run.entries$.subscribe(entry => void (entry.n <= kept && entries.push(entry)))
  let report = running.advance()
  while (report === undefined) {
    await work.breathe(() => `${scenario.title}: ${plural(run.live.n, 'step')}`)
    report = work.stopped ? running.stop() : running.advance()
  }
  work.end()
  return { report, log, kept: running.kept, timeline: withAlarms(timelineOf(run.system, entries), report.verdicts) }
}

export function buildOf(file: string, scenario: Scenario, profile: string, variant: string | undefined, parameters?: Values): Built {
  try {
    return scenario.build(profile, variant, parameters)
  } catch (error) {
    throw new UsageError(`${file}: ${whereAndWhat(error, file)}`)
  }
}

function openLog(
  path: string,
  built: Built,
  flags: RunFlags,
  run: ReturnType<typeof prepare>,
): { readonly kept: string | undefined; end(why: Parameters<LogWriter<unknown, unknown>['end']>[0]): void } {
  let fd: number
  let log: Replacing
  try {
    mkdirSync(dirname(path), { recursive: true })
    log = replacing(path)
    fd = openSync(log.path, 'w')
  } catch (error) {
    throw new UsageError(`${path}: the log cannot be written there: ${error instanceof Error ? error.message : String(error)}`)
  }
  const token = flags.seed === undefined ? (flags.token ?? built.order) : undefined
  const header = {
    model: MODEL_VERSION,
    system: built.system,
    chooser: flags.seed !== undefined ? CHOOSERS.random : token === undefined ? CHOOSERS.written : CHOOSERS.token,
    seed: flags.seed ?? null,
    title: built.title,
    plan: built.plan,
    ...(token === undefined ? {} : { token }),
  }
  const index = new LazyIndex(log.path)
  const writer = new LogWriter(run.system, run.live.world, header, lines => writeAll(fd, lines), {
    sync: flags.sync === true,
    index: lines => index.write(lines),
  }).follow(run.entries$)
  let kept: string | undefined
  const done = (): string | undefined => {
    try {
      return log.done()
    } catch (error) {
      throw new UsageError(
        `${log.path}: the new log; it cannot be put in the place of ${path}: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
  return {
    get kept() {
      return kept
    },
    end: why => {
      writer.end(why)
      closeSync(fd)
      index.close()
      kept = done()
    },
  }
}

const withAlarms = (lines: readonly TimelineStep[], verdicts: readonly Verdict[]): readonly TimelineStep[] =>
  lines.map(line => {
    const alarm = verdicts.find(v => v.step === line.n)?.why
    return alarm === undefined ? line : { ...line, alarm }
  })

export const againCommand = (file: string, profile: string, { seed, token, steps, variant = '', with: made = [] }: RunFlags): string =>
  `npx mirrorwalk run ${file} --profile ${profile}${variant === '' ? '' : ` --variant ${variant}`}${made.map(pair => ` --with ${pair}`).join('')}${seed === undefined ? '' : ` --seed ${seed}`}${token === undefined ? '' : ` --token ${token}`}${steps === undefined ? '' : ` --steps ${steps}`}`

/** Verdicts first, then the timeline, then where the log went and how to do it again. */
export function showRun({ report, log, kept, timeline: steps }: Ran, again: string, show: 'auto' | 'all' | 'none'): void {
  showVerdicts(report)
  print()
  if (show === 'all' || (show === 'auto' && report.steps <= TIMELINE_STEPS)) {
    for (const line of timeline(steps, { width: columns(), styled })) print(line)
    print()
  } else if (show === 'auto' && log !== null) print(`${plural(report.steps, 'step')}; to see them: npx mirrorwalk log ${log}`, '')
  showEnd(report, log)
  if (kept !== undefined) print(keptText(kept))
  print(styled('dim', `again: ${again}`))
  print()
}

/** What a run came to. */
export function showVerdicts(report: Report): void {
  print(`${styled('bold', report.title)}  ${styled('dim', `kernel profile ${report.profile}`)}`)
  for (const verdict of report.verdicts) print(`  ${verdictLine(verdict)}`)
  if (report.ended.why === 'livelock') {
    const { from, to, circle } = report.ended
    const does = circle.slice(0, CIRCLE_SHOWN).map(({ by, do: what }) => `${by} ${what.replaceAll('_', ' ')}`)
    const more = circle.length > CIRCLE_SHOWN ? `, … ${circle.length} steps in all` : ''
    print(`  ${styled('yellow', '∞')} steps ${from + 1} to ${to}, again and again: ${does.join(', ')}${more}`)
  }
  if (report.ended.why === 'blocked') {
    for (const refused of report.ended.waiting) {
      if (refused.kind === 'blocked')
        print(
          `  ${styled('yellow', '?')} ${refused.by} waits for ${refused.on.to}, to ${refused.do.replaceAll('_', ' ')}; nobody can go on`,
        )
    }
  }
}

export function showEnd(report: Report, log: string | null): void {
  const end =
    report.died !== undefined
      ? 'and the kernel is dead'
      : report.ended.why === 'at rest'
        ? 'all done'
        : report.ended.why === 'blocked'
          ? 'nobody can go on'
          : report.ended.why === 'livelock'
            ? 'and so on for ever'
            : 'cut short'
  print(`${plural(report.steps, 'step')}, ${end}.${log === null ? '' : ` Log: ${log}`}`)
}

function verdictLine({ expectation, holds, step, why }: Verdict): string {
  const mark = holds === true ? styled('green', '✔') : holds === false ? styled('red', '✘') : styled('yellow', '?')
  const place = step === undefined ? '' : ` at step ${step}`
  const more = why === undefined ? '' : `: ${why}`
  return `${mark} ${expectation}${place === '' && more === '' ? '' : styled('dim', ` —${place}${more}`.replace('—:', '—'))}`
}
