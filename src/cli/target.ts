/** Files that a command writes for its user: put in their place once they are whole, and never over what was read. */
import { closeSync, existsSync, openSync, realpathSync, renameSync, rmSync, statSync, type Stats } from 'node:fs'
import { partOf, writeAll } from '../log/files.ts'
import { UsageError } from './output.ts'

const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false })

/** Do two names lead to one file? */
export function isSameFile(a: string, b: string): boolean {
  const [one, other] = [statOf(a), statOf(b)]
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev
}

/** Writes what is given to it; the file is what was there before until `write` is done, and for good if that throws. */
export async function toFile<T>(target: string, write: (sink: (bytes: Buffer) => void) => Promise<T> | T, keep?: string): Promise<T> {
  try {
    const found = statOf(target)
    if (found?.isDirectory() === true) throw new UsageError(`${target}: a folder. Expected the name of a file to write`)
    // A pipe or a terminal is written to as it is; of a link, what it leads to.
    return found === undefined || found.isFile()
      ? await beside(found === undefined ? target : realpathSync(target), write, keep)
      : await into(openSync(target, 'w'), write)
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw new UsageError(`${target}: cannot be written: ${error.message}`)
    throw error
  }
}

async function beside<T>(path: string, write: (sink: (bytes: Buffer) => void) => Promise<T> | T, keep: string | undefined): Promise<T> {
  const part = partOf(path)
  const fd = openSync(part, 'wx')
  try {
    const result = await into(fd, write)
    if (keep !== undefined) renameSync(path, keep)
    renameSync(part, path)
    return result
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}

async function into<T>(fd: number, write: (sink: (bytes: Buffer) => void) => Promise<T> | T): Promise<T> {
  try {
    return await write(bytes => writeAll(fd, bytes))
  } finally {
    closeSync(fd)
  }
}

/** Writes a file that is made from another one, which it must not be. */
export function fromFile<T>(source: string, target: string, write: (sink: (bytes: Buffer) => void) => Promise<T> | T): Promise<T> {
  if (isSameFile(source, target)) throw new UsageError(`${target} is what is read: writing it would destroy it. Expected another file`)
  return toFile(target, write)
}

/** Writes a file in the place of the one that it is made from, or of another: what is replaced of the first keeps a name, which is told. */
export async function insteadOf<T>(
  source: string,
  target: string,
  suffix: string,
  write: (sink: (bytes: Buffer) => void) => Promise<T> | T,
): Promise<{ readonly kept: string | null; readonly result: T }> {
  const kept = isSameFile(source, target) ? free(`${source}.${suffix}`) : null
  return { kept, result: await toFile(target, write, kept ?? undefined) }
}

/** A name that no file has. */
const free = (name: string, n = 1): string => {
  const candidate = n === 1 ? name : `${name}-${n}`
  return existsSync(candidate) ? free(name, n + 1) : candidate
}
