/** Two runs of 100,000 steps each, read from their logs and compared: runs that part early, and the same run twice. */
import { compareRuns, readLog } from '../../src/inspect.ts'
import { isStep } from '../../src/log/reader.ts'
import type { StepRecord } from '../../src/log/records.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { scenario } from '../../src/index.ts'
import { prepare } from '../../src/scenario/run.ts'
import { linuxSystem } from '../../src/scenario/standard.ts'
import { secondsOnce } from './measure.ts'

const STEPS = 100_000

const built = scenario('two threads', ({ linux }) => {
  const m = linux('v6.12')
  const threads = [m.thread(), m.thread()].map(thread => ({ thread, buffer: thread.mmap({ pages: 64 }) }))
  m.race(
    ...Array.from({ length: 1200 }, (_, i) =>
      threads.flatMap(({ thread, buffer }) => [thread.write(buffer, i), thread.madvise(buffer, 'dontneed')]),
    ),
  )
}).build()

function logOf(seed: number): Buffer {
  const run = prepare(built, { seed, steps: STEPS })
  const chunks: Buffer[] = []
  const header = { model: 'bench', system: built.system, chooser: 'random', seed, title: built.title, plan: built.plan }
  const writer = new LogWriter(run.system, run.live.world, header, lines => void chunks.push(Buffer.from(lines))).follow(run.entries$)
  while (run.advance() === undefined);
  writer.end('limit')
  return Buffer.concat(chunks)
}

export interface DiffFigures {
  /** Seconds to read both and compare them. */
  readonly parting: number
  readonly same: number
  readonly steps: number
}

export function diffFigures(): DiffFigures {
  const system = linuxSystem(built.system)
  const [a, b] = [logOf(1), logOf(2)]
  const steps = (bytes: Buffer): { readonly steps: readonly StepRecord[] } => ({ steps: readLog(bytes, 'log').records.filter(isStep) })
  const compare = (x: Buffer, y: Buffer): number => secondsOnce(() => void compareRuns(system, steps(x), steps(y)))
  return { parting: compare(a, b), same: compare(a, a), steps: STEPS }
}
