/** `mirrorwalk replay`: a log decided again, or folded, and compared with itself. */
import { closeSync } from 'node:fs'
import { scanLog } from '../log/reader.ts'
import { deciding, folding, type Replayed, type Replaying } from '../log/replay.ts'
import { MODEL_VERSION } from '../version.ts'
import { damageText, opened, systemOf } from './log-file.ts'
import { EXIT, plural, print, printJson, styled, Work, type ExitCode } from './output.ts'

export interface ReplayFlags {
  readonly fold?: boolean
  readonly json?: boolean
}

export async function replayCommand(path: string, { fold, json }: ReplayFlags): Promise<ExitCode> {
  const file = opened(path)
  try {
    return await replay(path, file, fold === true, json === true)
  } finally {
    closeSync(file)
  }
}

async function replay(path: string, file: number, fold: boolean, json: boolean): Promise<ExitCode> {
  const log = scanLog(file, path)
  const system = systemOf(log.header, path)
  const { replayed, stopped } = await finished(fold ? folding(system, log) : deciding(system, log, MODEL_VERSION))
  const { difference, steps, end } = replayed
  // Nothing may stand behind the end.
  if (end !== undefined) log.next()
  const damage = difference === undefined && !stopped ? log.damage : undefined
  const code = difference !== undefined ? EXIT.violated : damage !== undefined || stopped ? EXIT.unknown : EXIT.holds
  if (json) {
    printJson({
      log: path,
      way: fold ? 'fold' : 'decide',
      same: code === EXIT.holds,
      steps,
      end: end ?? null,
      difference: difference ?? null,
      damage: damage ?? null,
    })
    return code
  }
  print(`${styled('bold', log.header.title)}  ${styled('dim', `${plural(steps, 'step')} ${fold ? 'folded' : 'decided again'}`)}`)
  showOutcome(replayed, fold)
  if (damage !== undefined) print(`  ${styled('yellow', '?')} ${damageText(path, damage)}`)
  if (stopped) print(`  ${styled('yellow', '?')} stopped there: of what comes later, nothing is said`)
  return code
}

/** Goes on until it is over, or until Ctrl-C. */
async function finished<M>(replaying: Replaying<M>): Promise<{ readonly replayed: Replayed<M>; readonly stopped: boolean }> {
  const work = new Work()
  try {
    for (;;) {
      const { done, value } = replaying.next(work.stopped)
      if (done === true) return { replayed: value, stopped: work.stopped && value.end === undefined }
      await work.breathe(() => `${plural(value, 'step')} agree`)
    }
  } finally {
    work.end()
  }
}

function showOutcome({ difference, end, steps }: Replayed<unknown>, fold: boolean): void {
  if (difference === undefined) {
    const same = fold ? 'the facts lead to the recorded world' : 'every record is the same, and so is the world they lead to'
    if (end !== undefined) print(`  ${styled('green', '✔')} ${same}; the run ended ${end === 'at rest' ? 'with everybody at rest' : end}`)
    else print(`  ${styled('green', '✔')} ${plural(steps, 'step')} agree, as far as the log goes`)
    return
  }
  print(`  ${styled('red', '✘')} first difference at step ${difference.step}, in ${difference.path}`)
  print(`      logged  ${short(difference.logged)}`)
  print(`      now     ${short(difference.got)}`)
  print(`      likely: ${difference.likely}`)
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 160 ? `${text.slice(0, 157)}…` : text
}
