/** Timing for the benches: CPU time of the main thread, best of several samples, so that ratios hold on a busy machine. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const WARM_UP_S = 1
const SAMPLE_S = 0.4

/** Seconds that this thread has had a CPU; where the system does not say, seconds by the clock. */
function cpu(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e9
  } catch {
    return performance.now() / 1e3
  }
}

/** Seconds of CPU time that one `run` takes: the best of `samples`, after a warm-up, each long enough to be measured. */
export const cpuSeconds = (run: () => void, samples = 5): number => cpuSecondsEach([run], samples)[0] ?? 0

/** The same of several that are to be compared: their samples are taken in turn, so that none has the quiet moments to itself. */
export function cpuSecondsEach(runs: readonly (() => void)[], samples = 5): readonly number[] {
  const repeats = runs.map(run => {
    let count = 0
    const warm = cpu()
    while (cpu() - warm < WARM_UP_S || count === 0) {
      run()
      count++
    }
    return Math.max(1, Math.round(SAMPLE_S / ((cpu() - warm) / count)))
  })
  const best = runs.map(() => Infinity)
  for (let i = 0; i < samples; i++) {
    for (const [at, run] of runs.entries()) {
      const repeat = repeats[at] ?? 1
      const before = cpu()
      for (let again = 0; again < repeat; again++) run()
      best[at] = Math.min(best[at] ?? Infinity, (cpu() - before) / repeat)
    }
  }
  return best
}

/** Seconds that one `run` takes by the clock, which is finer than CPU time; for what cannot be run again. */
export function secondsOnce(run: () => void): number {
  const before = performance.now()
  run()
  return (performance.now() - before) / 1e3
}

/** Seconds that each thread of this process has had a CPU, by its number; none where the system does not say. */
function cpuByThread(): ReadonlyMap<string, number> {
  try {
    const seconds = (id: string): number => Number(readFileSync(`/proc/self/task/${id}/schedstat`, 'latin1').split(' ')[0]) / 1e9
    return new Map(readdirSync('/proc/self/task').map(id => [id, seconds(id)]))
  } catch {
    return new Map()
  }
}

/** Seconds of CPU time that the busiest thread needs for a run: what it would take if each had a core of its own; else by the clock. */
export function busiestSeconds(run: () => void): number {
  const before = cpuByThread()
  const took = secondsOnce(run)
  const busy = [...cpuByThread()].map(([id, seconds]) => seconds - (before.get(id) ?? 0))
  return busy.length === 0 ? took : Math.max(...busy)
}

/** What a bench of its own, in a process of its own, has measured. */
export function elsewhere(script: string, ...args: readonly string[]): unknown {
  const child = spawnSync(process.execPath, ['--expose-gc', join(import.meta.dirname, script), ...args], { encoding: 'utf8' })
  if (child.status !== 0) throw new Error(`${script} ${args.join(' ')}: ${child.stderr}`)
  return JSON.parse(child.stdout)
}

export const thousands = (n: number): string => Math.round(n).toLocaleString('en')
