/** A log from a file, and the system that it was written in. */
import { openSync, statSync } from 'node:fs'
import { NotALog, type Damage, type Scan } from '../log/reader.ts'
import type { Header } from '../log/records.ts'
import { linuxSystem, type LinuxSystem, type SystemSpec } from '../scenario/standard.ts'
import { plural, styled, UsageError, type Work } from './output.ts'

const EXPECTED = 'Expected an event log, as run writes it.'

/** Says so of what is no file: a log is read here and there, and a pipe would be waited for. */
export function checkFile(path: string, expected = EXPECTED): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined || found.isFile()) return
  const what = found.isDirectory()
    ? 'a folder'
    : found.isFIFO()
      ? 'a pipe, which can be read only once: write it to a file first'
      : 'no file'
  throw new UsageError(`${path}: cannot be read: it is ${what}. ${expected}`)
}

/** A file, open for reading. */
export function opened(path: string, expected = EXPECTED): number {
  try {
    checkFile(path, expected)
    return openSync(path, 'r')
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${path}: cannot be read: ${error instanceof Error ? error.message : String(error)}. ${expected}`)
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

/** What is wrong with a log that was read as far as its reader let it: where nobody read on, nothing is known to be missing. */
export const damageOf = (scan: Scan, { stopped }: Work): Damage | undefined =>
  stopped && scan.damage?.cut === true ? undefined : scan.damage

export const stoppedText = (scan: Scan): string => `${styled('yellow', '?')} stopped behind step ${scan.after}: what follows was not read`
