/** A branch that an earlier session, or another one, has left beside the log: opened, if it can be one of this log. */
import { Recording } from '../../inspect/recording.ts'
import { LogFile } from '../../log/log-file.ts'
import type { SystemSpec } from '../../scenario/standard.ts'
import { checkFile, damageText, systemOf } from '../log-file.ts'
import type { BranchFiles } from './branch-files.ts'
import { misfitIn } from './statements.ts'

/** A branch as its log has it. */
export interface Recorded {
  readonly run: Recording
  /** What is wrong with its log. */
  readonly damage: string | undefined
}

/** The branch of this name; or why it cannot be opened. `trunk`: the checksum of the log beside which it stands. */
export function recordedIn(files: BranchFiles, name: string, trunk: string): Recorded | string {
  const path = files.path(name)
  let log: LogFile | undefined
  let why: string | undefined
  try {
    checkFile(path)
    files.read(name)
    log = LogFile.open(path)
    const run = new Recording(systemOf(log.header, path), log)
    why = whyNot(run, trunk)
    if (why === undefined) return { run, damage: log.damage && damageText(path, log.damage) }
  } catch (error) {
    // Whatever is wrong with a file that anybody may have written, it is left alone.
    why = error instanceof Error ? error.message : String(error)
  }
  log?.close()
  return why
}

function whyNot(run: Recording, trunk: string): string | undefined {
  const { from, system: spec } = run.header
  if (from === undefined) return 'it is no branch'
  if (from.trunk !== trunk) return 'it is a branch of another log, or of this one as it was before'
  const { actors } = run.world(run.first)
  return misfitIn(
    spec as SystemSpec,
    run.system.actors.map(({ name }, i) => [name, actors[i]]),
  )
}
