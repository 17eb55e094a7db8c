/** Timing for the benches: CPU time of the main thread, best of several samples, so that ratios hold on a busy machine. */
import { readdirSync, readFileSync } from 'node:fs'

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
export function cpuSeconds(run: () => void, samples = 5): number {
  let runs = 0
  const warm = cpu()
  while (cpu() - warm < WARM_UP_S || runs === 0) {
    run()
    runs++
  }
  const repeat = Math.max(1, Math.round(SAMPLE_S / ((cpu() - warm) / runs)))
  let best = Infinity
  for (let i = 0; i < samples; i++) {
    const before = cpu()
    for (let again = 0; again < repeat; again++) run()
    best = Math.min(best, (cpu() - before) / repeat)
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

export const thousands = (n: number): string => Math.round(n).toLocaleString('en')
