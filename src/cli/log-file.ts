/** A log from a file, and the system that it was written in. */
import { openSync } from 'node:fs'
import { NotALog, type Damage } from '../log/reader.ts'
import type { Header } from '../log/records.ts'
import { linuxSystem, type LinuxSystem, type SystemSpec } from '../scenario/standard.ts'
import { plural, UsageError } from './output.ts'

const unreadable = (path: string, error: unknown): UsageError =>
  new UsageError(
    `${path}: cannot be read: ${error instanceof Error ? error.message : String(error)}. Expected an event log, as run writes it.`,
  )

/** A file, open for reading. */
export function opened(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** The system that a header tells of. */
export function systemOf({ system }: Header, path: string): LinuxSystem {
  if (!isSpec(system)) throw new NotALog(`${path}: the header tells of no system that can be built: expected { profile, mms, actors }`)
  return linuxSystem(system)
}

const isName = (x: unknown): x is string => typeof x === 'string' && !(x in Object.prototype)
const isSpec = (x: unknown): x is SystemSpec => {
  const { profile, mms, actors } = (x ?? {}) as Readonly<Record<string, unknown>>
  const isActor = (a: unknown): boolean => {
    const { name, machine, input } = (a ?? {}) as Readonly<Record<string, unknown>>
    return isName(name) && isName(machine) && typeof input === 'object' && input !== null
  }
  return isName(profile) && Array.isArray(mms) && mms.every(isName) && Array.isArray(actors) && actors.every(isActor)
}

/** What is wrong with a log, and how far it can be believed. */
export const damageText = (path: string, { line, after, what }: Damage): string =>
  `${path}, line ${line}: ${what}. What stands before it is sound: ${after === 0 ? 'no step' : plural(after, 'step')}.`
