/** Threads that explore a scenario, and how each makes its own model of it. */
import { resolve } from 'node:path'
import type { Port } from '../../explore/workers/port.ts'
import { threads } from '../../explore/workers/threads.ts'
import { modelOf, type LinuxModel } from '../../scenario/explored.ts'
import type { Values } from '../../scenario/parameters.ts'
import type { ExploreFlags } from './explore-flags.ts'
import { buildOf } from '../run.ts'
import { loadScenario } from '../scenario-file.ts'

/** What a thread makes. */
export async function modelOfFile(file: string, profile: string, variant: string, parameters: Values): Promise<LinuxModel> {
  return modelOf(buildOf(file, await loadScenario(file), profile, variant, parameters))
}

/** Runs something with the threads that were asked for, if any were. */
export async function withWorkers<T>(
  { workers = 1 }: ExploreFlags,
  file: string,
  profile: string,
  variant: string,
  parameters: Values,
  run: (workers: Port | undefined) => Promise<T>,
): Promise<T> {
  if (workers <= 1) return run(undefined)
  const port = await threads(workers, {
    module: import.meta.url,
    export: modelOfFile.name,
    args: [resolve(file), profile, variant, parameters],
  })
  try {
    return await run(port)
  } finally {
    await port.stop()
  }
}
