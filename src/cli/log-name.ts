/** Where the log of a run goes: each has a file of its own, so that none takes the place of another. */
import { basename, join, parse } from 'node:path'

/** Logs go below this folder, if nothing else was asked for. */
export const LOGS = 'logs'

export interface OfRun {
  readonly profile: string
  readonly variant: string
}

/** What tells runs apart that one command makes. */
const endingOf = ({ profile, variant }: OfRun): string => `-${profile}${variant === '' ? '' : `-${variant}`}`

/** What `--log` names: for one run the file, for several one of its own beside it. */
export function ownLog(log: string | boolean | undefined, run: OfRun, several: boolean): string | boolean | undefined {
  if (typeof log !== 'string' || !several) return log
  const { dir, name, ext } = parse(log)
  return join(dir, `${name}${endingOf(run)}${ext}`)
}

/** The log of a run of a scenario; null: none is wanted. */
export function logPath(file: string, run: OfRun, log: string | boolean | undefined, ending: string): string | null {
  if (log === false) return null
  if (typeof log === 'string') return log
  return join(LOGS, `${basename(file).replace(/\.[cm]?[jt]s$/, '')}${endingOf(run)}${ending}.jsonl`)
}
