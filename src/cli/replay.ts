/** `mirrorwalk replay`: a log decided again, or folded, and compared with itself. */
import { decideAgain, foldLog, type Replayed } from '../log/replay.ts'
import { MODEL_VERSION } from '../version.ts'
import { damageText, openLog } from './log-file.ts'
import { EXIT, plural, print, printJson, styled, type ExitCode } from './output.ts'

export interface ReplayFlags {
  readonly fold?: boolean
  readonly json?: boolean
}

export function replayCommand(path: string, { fold, json }: ReplayFlags): ExitCode {
  const { log, system } = openLog(path)
  const replayed = fold === true ? foldLog(system, log) : decideAgain(system, log, MODEL_VERSION)
  const { difference, steps, end } = replayed
  const code = difference !== undefined ? EXIT.violated : log.damage !== undefined ? EXIT.unknown : EXIT.holds
  if (json === true) {
    printJson({
      log: path,
      way: fold === true ? 'fold' : 'decide',
      same: code === EXIT.holds,
      steps,
      end: end ?? null,
      difference: difference ?? null,
      damage: log.damage ?? null,
    })
    return code
  }
  print(`${styled('bold', log.header.title)}  ${styled('dim', `${plural(steps, 'step')} ${fold === true ? 'folded' : 'decided again'}`)}`)
  showOutcome(replayed, fold === true)
  if (log.damage !== undefined) print(`  ${styled('yellow', '?')} ${damageText(path, log.damage)}`)
  return code
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
