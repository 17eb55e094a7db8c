/** A log that is looked at here and there: opened by its index, or while one is made; a branch with the run that it leaves. */
import { existsSync } from 'node:fs'
import { Recording, type Run } from '../inspect/recording.ts'
import { comesTo, Whole } from '../inspect/whole.ts'
import { LogFile } from '../log/log-file.ts'
import type { Damage } from '../log/reader.ts'
import { checkFile, systemOf } from './log-file.ts'
import { UsageError } from './output.ts'

/** Smaller logs are read before anybody could wait. */
const LARGE = 16 << 20

const EXPECTED = 'Expected an event log, or a scenario.'

/** Opens a log; shows on a terminal how far making its index has come. */
export function openLogFile(path: string): LogFile {
  let shown = false
  const progress = (done: number, all: number): void => {
    if (!process.stderr.isTTY || all < LARGE || performance.now() - last < 100) return
    last = performance.now()
    shown = true
    process.stderr.write(`\r\u001b[K${path}: making its index, ${Math.floor((done / all) * 100)} %`)
  }
  let last = performance.now()
  try {
    checkFile(path, EXPECTED)
    return LogFile.open(path, { progress })
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw new UsageError(`${path}: cannot be read: ${error.message}. ${EXPECTED}`)
    throw error
  } finally {
    if (shown) process.stderr.write('\r\u001b[K')
  }
}

/** What the run is called that branches leave, among them. */
export const TRUNK = 'trunk'

/** What a log is called that has a branch of another. */
export const branchPath = (trunk: string, name: string): string => `${trunk}.branch-${name}`

/** A run that a log tells of; `trunk`: the checksum of the log that it leaves, or its own. */
export interface OpenedRun {
  readonly path: string
  readonly log: LogFile
  readonly run: Run
  readonly trunk: string
  readonly damage: Damage | undefined
}

/** Why a branch cannot be put behind what it leaves, of which the log is not damaged so far; `of`: what that is called. */
export function whyNotOf(trunk: Run, branch: Run, of = TRUNK): string | undefined {
  if (trunk.last < branch.first) return `it leaves ${of} at step ${branch.first}, which that does not have`
  // By its header, a log that was run is known; of a branch, more can be chosen than that has.
  if (trunk.header.from === undefined || comesTo(trunk, branch)) return undefined
  return `${of === TRUNK ? of : `branch '${of}'`} does not come to where it leaves it any more`
}

/** The run of a log; that of a branch from the beginning on, if what it leaves stands beside it. */
export function openRun(path: string): OpenedRun {
  const log = openLogFile(path)
  const run = new Recording(systemOf(log.header, path), log)
  const { from } = log.header
  if (from === undefined) return { path, log, run, trunk: log.id, damage: log.damage }
  const { trunk } = from
  const end = branchPath('', from.name)
  const beside = path.endsWith(end) ? path.slice(0, -end.length) : undefined
  const left = beside === undefined || from.of === undefined ? beside : branchPath(beside, from.of)
  const before = left === undefined || !existsSync(left) ? undefined : openRun(left)
  // A branch of a branch's own log, which is a trunk to it, leaves that.
  const isOfIt = before !== undefined && (before.trunk === trunk || before.log.id === trunk) && whyNotOf(before.run, run) === undefined
  const at = { path, log, damage: log.damage }
  return isOfIt ? { ...at, run: new Whole(run, before.run), trunk: before.trunk } : { ...at, run, trunk }
}
