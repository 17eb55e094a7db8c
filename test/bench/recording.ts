/**
 * What recording adds to a run, in a process of its own, as runs are recorded: where another kind of run came before, all is
 * slower. Figures as one line of JSON.
 */
import { cpuSecondsEach } from './measure.ts'
import { longRun } from './long-log.ts'

/** Seconds of CPU time a step. */
export interface RecordingFigures {
  readonly bare: number
  /** With the log; with the log and its index. */
  readonly log: number
  readonly index: number
}

const STEPS = 100_000

export function recording(): RecordingFigures {
  const gone = (): void => {}
  const [bare = 0, log = 0, index = 0] = cpuSecondsEach([
    () => longRun(STEPS),
    () => longRun(STEPS, gone),
    () => longRun(STEPS, gone, { index: gone }),
  ]).map(seconds => seconds / STEPS)
  return { bare, log, index }
}

if (import.meta.filename === process.argv[1]) console.log(JSON.stringify(recording()))
