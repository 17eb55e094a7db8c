/** Logs of scenarios, written into memory: what the tests of the log work on. */
import { LogWriter, type WriterOptions } from '../../src/log/writer.ts'
import type { Built } from '../../src/scenario/api.ts'
import { linuxSystem, type LinuxSystem } from '../../src/scenario/standard.ts'
import type { Chooser } from '../../src/system/choosers/chooser.ts'
import { Live } from '../../src/system/live.ts'

export interface Logged {
  readonly system: LinuxSystem
  readonly bytes: Buffer
  readonly live: Live<LinuxSystem['memory'], Parameters<LinuxSystem['fold']>[1][number]>
}

/** Runs a scenario to its end, with its log. */
export function logged(
  built: Built,
  chooser: Chooser,
  options: WriterOptions & { readonly steps?: number; readonly model?: string } = {},
): Logged {
  const system = linuxSystem(built.system)
  const live = new Live(system)
  const chunks: Buffer[] = []
  const header = { model: options.model ?? 'test', system: built.system, chooser: 'a test', seed: null, title: built.title }
  const writer = new LogWriter(system, live.world, header, lines => void chunks.push(Buffer.from(lines)), options).follow(live.entries$)
  const { why } = live.run(chooser, options.steps)
  writer.end(why)
  return { system, bytes: Buffer.concat(chunks), live }
}
