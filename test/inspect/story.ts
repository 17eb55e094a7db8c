/** Runs of shipped scenarios as stories: what the tests of inspection work on. */
import { storyOf, type Story } from '../../src/inspect.ts'
import { isEnd, isStep, readLog, type ReadLog } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import type { Scenario } from '../../src/scenario/api.ts'
import { prepare } from '../../src/scenario/run.ts'
import { linuxSystem, type SystemSpec } from '../../src/scenario/standard.ts'

export interface Told {
  readonly bytes: Buffer
  readonly log: ReadLog
  readonly story: Story
}

/** Runs a scenario as `run` does, with its log. */
export function told(scenario: Scenario, profile: string, seed?: number, variant?: string, steps = true): Told {
  const built = scenario.build(profile, variant)
  const run = prepare(built, seed === undefined ? {} : { seed })
  const chunks: Buffer[] = []
  const header = {
    model: 'test',
    system: built.system,
    chooser: seed === undefined ? 'as written' : 'random',
    seed: seed ?? null,
    title: built.title,
    plan: built.plan,
  }
  const writer = new LogWriter(run.system, run.live.world, header, lines => void chunks.push(Buffer.from(lines))).follow(run.entries$)
  let report = run.advance()
  while (report === undefined) report = run.advance()
  writer.end(report.ended.why)
  const bytes = Buffer.concat(chunks)
  return { bytes, ...read(bytes, steps) }
}

/** `steps`: a long story is told without. */
export function read(bytes: Buffer, steps = true): Pick<Told, 'log' | 'story'> {
  const log = readLog(bytes, 'log')
  const system = linuxSystem(log.header.system as SystemSpec)
  return { log, story: storyOf(log.header, system, steps ? log.records.filter(isStep) : [], log.records.find(isEnd)?.why) }
}
