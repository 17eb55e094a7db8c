/** `mirrorwalk verify` and `repair`: is a log what was written, and what can be done about it if not. */
import { closeSync } from 'node:fs'
import { isCheckpoint, isStep, scanLog, type Scan } from '../log/reader.ts'
import { digestOf } from '../log/records.ts'
import { stepDifference } from '../log/replay.ts'
import { repairLog, verifyLog } from '../log/verify.ts'
import { LogWriter } from '../log/writer.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import { beginAgain } from '../scenario/redo.ts'
import type { LinuxSystem } from '../scenario/standard.ts'
import type { Entry } from '../system/live.ts'
import { damageText, opened, systemOf } from './log-file.ts'
import { EXIT, plural, print, printJson, styled, UsageError, Work, type ExitCode } from './output.ts'
import { loadScenario } from './scenario-file.ts'
import { insteadOf } from './target.ts'

export interface VerifyFlags {
  readonly json?: boolean
}

export async function verifyCommand(path: string, { json }: VerifyFlags): Promise<ExitCode> {
  const work = new Work()
  const verified = await withLog(path, scan => verifyLog(scan, told(work, 'verified')))
  work.end()
  const { format, steps, checkpoints, bytes, end, damage, stopped } = verified
  const code = damage === undefined ? (stopped ? EXIT.unknown : EXIT.holds) : damage.cut === true ? EXIT.unknown : EXIT.violated
  if (json === true)
    printJson({
      log: path,
      format,
      steps,
      checkpoints,
      bytes,
      end: end?.why ?? null,
      damage: damage ?? null,
      stopped,
      sound: code === EXIT.holds,
    })
  else if (damage !== undefined) {
    print(`${styled(damage.cut === true ? 'yellow' : 'red', damage.cut === true ? '?' : '✘')} ${damageText(path, damage)}`)
    print(`  The last whole step is ${damage.after}. To keep what is sound: npx mirrorwalk repair ${path}`)
  } else if (stopped) print(`${styled('yellow', '?')} stopped after ${plural(steps, 'step')}, which are as they were written`)
  else
    print(
      `${styled('green', '✔')} ${path}: format ${format}, ${plural(steps, 'step')}, ${plural(checkpoints, 'checkpoint')}: every record is as it was written`,
    )
  return code
}

export const told =
  (work: Work, what: string) =>
  async (step: number): Promise<boolean> => {
    await work.breathe(() => `${plural(step, 'step')} ${what}`)
    return !work.stopped
  }

export interface RepairFlags {
  readonly output?: string
  readonly redo?: boolean
  readonly scenario?: string
  readonly steps?: number
  readonly json?: boolean
}

export async function repairCommand(path: string, flags: RepairFlags): Promise<ExitCode> {
  const work = new Work()
  const { damage, stopped } = await withLog(path, scan => verifyLog(scan, told(work, 'read')))
  if (stopped) throw nothingWritten(path, work)
  if (damage === undefined) {
    work.end()
    if (flags.json === true) printJson({ log: path, damage: null, written: null })
    else print(`${styled('green', '✔')} ${path} is sound: nothing to repair`)
    return EXIT.holds
  }
  const target = flags.output ?? path
  const { kept, result } = await insteadOf(path, target, 'damaged', sink =>
    flags.redo === true
      ? redone(path, flags, sink, work)
      : withLog(path, async scan => {
          const repaired = await repairLog(systemOf(scan.header, path), scan, sink, told(work, 'kept'))
          if (repaired === undefined) throw nothingWritten(path, work)
          return repaired
        }),
  )
  work.end()
  const { steps } = result
  if (flags.json === true)
    printJson({ log: path, damage, lastWhole: damage.after, steps, redone: steps - damage.after, written: target, kept })
  else {
    print(`${styled('yellow', '!')} ${damageText(path, damage)}`)
    print(`  The last whole step is ${damage.after}.`)
    if (flags.redo === true)
      print(`  ${plural(steps - damage.after, 'step')} behind it decided again: ${plural(steps, 'step')} in all, to the end of the run.`)
    print(`  Written: ${target}${kept === null ? '' : `; what was there is in ${kept}`}`)
    if (flags.redo !== true)
      print(styled('dim', `  What was lost can be decided again: npx mirrorwalk repair ${kept ?? path} --redo --output ${target}`))
  }
  return EXIT.holds
}

export function nothingWritten(path: string, work: Work): UsageError {
  work.end()
  return new UsageError(`${path}: stopped; nothing was written`)
}

/** The whole run again, from the header; throws if what is left of the log is not how it begins. */
async function redone(path: string, flags: RepairFlags, sink: (lines: Buffer) => void, work: Work): Promise<{ readonly steps: number }> {
  const scenario = flags.scenario === undefined ? undefined : await loadScenario(flags.scenario)
  return withLog(path, async scan => {
    const { mirrorwalk: _, ...header } = scan.header
    systemOf(scan.header, path)
    const run = beginAgain(scan.header, {
      ...(scenario === undefined ? {} : { scenario }),
      ...(flags.steps === undefined ? {} : { steps: flags.steps }),
    })
    let differs: number | undefined
    run.entries$.subscribe(entry => (differs ??= isNext(scan, run.system, entry) ? undefined : entry.n))
    const writer = new LogWriter(run.system, run.live.world, header, sink).follow(run.entries$)
    for (let report = run.advance(); ; report = run.advance()) {
      if (report !== undefined) {
        writer.end(report.ended.why)
        break
      }
      if (differs !== undefined || work.stopped) break
      await work.breathe(() => `${plural(run.live.n, 'step')} decided again`)
    }
    if (work.stopped) throw nothingWritten(path, work)
    for (let next = scan.next(); next !== undefined && differs === undefined; next = scan.next())
      if (isStep(next.record)) differs = next.record.n
    if (differs !== undefined)
      throw new UsageError(
        `${path}: decided again, step ${differs} is not what the log has, so that what followed cannot be known. Was the model changed since version ${scan.header.model}, or a run with --steps?`,
      )
    return { steps: run.live.n }
  })
}

/** Is a step the next one of a log, and the world before it the one that is told? Behind what can be believed, each is. */
function isNext(scan: Scan, system: LinuxSystem, entry: Entry<Memory, Fact>): boolean {
  let next = scan.next()
  if (next !== undefined && isCheckpoint(next.record)) {
    if (next.record.digest !== digestOf(system, entry.before)) return false
    next = scan.next()
  }
  if (next === undefined) return true
  return isStep(next.record) && stepDifference(system, entry, next.record, scan.format) === undefined
}

/** Reads a log that is open as long as it is read. */
export async function withLog<T>(path: string, use: (scan: Scan) => Promise<T> | T): Promise<T> {
  const fd = opened(path)
  try {
    return await use(scanLog(fd, path))
  } finally {
    closeSync(fd)
  }
}
