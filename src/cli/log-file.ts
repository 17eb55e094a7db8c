/** A log from a file, and the system that it was written in. */
import { readFileSync } from 'node:fs'
import { readLog, type Damage, type ReadLog } from '../log/reader.ts'
import { linuxSystem, type LinuxSystem, type SystemSpec } from '../scenario/standard.ts'
import { plural, UsageError } from './output.ts'

export interface OpenedLog {
  readonly log: ReadLog
  readonly system: LinuxSystem
}

export function openLog(path: string): OpenedLog {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new UsageError(
      `${path}: cannot be read: ${error instanceof Error ? error.message : String(error)}. Expected an event log, as run writes it.`,
    )
  }
  const log = readLog(bytes, path)
  return { log, system: linuxSystem(log.header.system as SystemSpec) }
}

/** What is wrong with a log, and how far it can be believed. */
export const damageText = (path: string, { line, after, what }: Damage): string =>
  `${path}, line ${line}: ${what}. What stands before it is sound: ${after === 0 ? 'no step' : plural(after, 'step')}.`
