/**
 * The file beside a log that has its index. It can be made again, and so nothing else is ever lost for it: what has its name and
 * is no index stays what it is, and what a link of its name leads to is not written to.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, rmSync } from 'node:fs'
import { readAt, replaceFile, writeAll } from './files.ts'
import { INDEX_BEGINS } from './index-file.ts'

export const besideOf = (log: string): string => `${log}.idx`

/** What stands there, if it is a file that can be read, and no larger than this. */
export function readBeside(path: string, most: number): Buffer | undefined {
  return reading(path, fd => {
    const { size } = fstatSync(fd)
    return size > most ? undefined : readAt(fd, 0, size)
  })
}

/** Puts this there, at once; what cannot be kept is not. */
export function writeBeside(path: string, bytes: Uint8Array): void {
  if (!isOurs(path)) return
  try {
    replaceFile(path, fd => writeAll(fd, bytes))
  } catch {
    // A folder that may not be written to, or a disk that is full.
  }
}

/** Takes away what is there; false if it is not ours. */
export function removeBeside(path: string): boolean {
  if (!isOurs(path)) return false
  rmSync(path, { force: true })
  return true
}

/** Is nothing there, or an index, or a link? */
function isOurs(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined || found.isSymbolicLink()) return true
  if (found.size === 0) return found.isFile()
  return reading(path, fd => readAt(fd, 0, INDEX_BEGINS.length).toString('latin1') === INDEX_BEGINS) === true
}

/** Does something with a file; undefined if it is none, or cannot be read. A pipe is not waited for. */
function reading<T>(path: string, read: (fd: number) => T): T | undefined {
  let fd: number | undefined
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    return fstatSync(fd).isFile() ? read(fd) : undefined
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
