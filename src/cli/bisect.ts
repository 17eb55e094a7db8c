/** `mirrorwalk bisect`: the first step of a log at which a condition turns. */
import { closeSync } from 'node:fs'
import { Bisection, type Turn } from '../inspect/bisect.ts'
import { conditionOf, type Condition } from '../inspect/query/condition.ts'
import { Retracing } from '../inspect/retrace.ts'
import { timeline } from '../inspect/timeline.ts'
import { isStep, scanLog } from '../log/reader.ts'
import { firstOf } from '../log/records.ts'
import { damageOf, damageText, opened, stoppedText, systemOf } from './log-file.ts'
import { columns, EXIT, plural, print, printJson, styled, Work, type ExitCode } from './output.ts'

export interface BisectFlags {
  readonly all?: boolean
  readonly json?: boolean
}

/** Exits 1 if it turns, as who looks for a culprit expects, 0 if it never does. */
export async function bisectCommand(path: string, words: readonly string[], { all, json }: BisectFlags): Promise<ExitCode> {
  const fd = opened(path)
  const work = new Work()
  try {
    const scan = scanLog(fd, path)
    const system = systemOf(scan.header, path)
    const text = words.join(' ')
    const retracing = Retracing.of(system, scan.header)
    const condition = conditionOf(system, text)
    const bisection = new Bisection(condition, retracing.world)
    let found = false
    for (let next = scan.next(); next !== undefined && !work.stopped; next = scan.next()) {
      if (!isStep(next.record)) continue
      found = bisection.see(retracing.see(next.record)) || found
      if (found && all !== true) break
      await work.breathe(() => `${plural(scan.after, 'step')} asked`)
    }
    work.end()
    const { turns, atFirst } = bisection
    const complete = found && all !== true ? undefined : damageOf(scan, work)
    if (json === true)
      printJson({
        log: path,
        condition: text,
        atFirst,
        turns: turns.map(asJson),
        steps: scan.after,
        stopped: work.stopped,
        damage: complete ?? null,
      })
    else {
      for (const turn of turns) show(turn, condition)
      if (turns.length === 0)
        print(
          `${text}: ${isSo(condition, atFirst)} at the beginning, and never turns in ${plural(scan.after - firstOf(scan.header), 'step')}.`,
        )
      if (work.stopped) print(stoppedText(scan))
      if (complete !== undefined) print(`${styled('yellow', '?')} ${damageText(path, complete)}`)
    }
    return found ? EXIT.violated : complete !== undefined || work.stopped ? EXIT.unknown : EXIT.holds
  } finally {
    closeSync(fd)
  }
}

const asJson = ({ step: { record, calls, text }, holds, why }: Turn): object => ({
  step: record.n,
  by: record.by,
  do: record.do,
  text,
  holds,
  why: why ?? null,
  cause: record.cause,
  calls,
})

/** An oracle holds of what is as it should be; the condition that it finds something does not. */
function isSo({ isOracle }: Condition, holds: boolean): string {
  if (isOracle) return holds ? 'is violated' : 'is not violated'
  return holds ? 'holds' : 'does not hold'
}

function show({ step, holds, why }: Turn, condition: Condition): void {
  print(
    `${styled('bold', `step ${step.n}`)}: ${condition.text} ${isSo(condition, holds)} from here on${why === undefined ? '' : `: ${why}`}`,
  )
  for (const line of timeline([step], { width: columns(), styled })) print(line)
  print(styled('dim', `it follows from step ${step.cause}`))
}
