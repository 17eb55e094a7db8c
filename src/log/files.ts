/** Files beside logs, and logs: all of what is to be read or written, which one call of the system need not do; and one file in the place of another. */
import { closeSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'

/** Bytes [at, end) of a file, or as many of them as there are. */
export function readAt(fd: number, at: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(end - at)
  let have = 0
  while (have < bytes.length) {
    const got = readSync(fd, bytes, have, bytes.length - have, at + have)
    if (got === 0) break
    have += got
  }
  return bytes.subarray(0, have)
}

/** All of it: a disk that is getting full takes a part first, and says so only then. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at)
}

/** Where a file is written that takes the place of another once it is whole. */
export const partOf = (path: string): string => `${path}.${process.pid}.part`

/** Puts a file there, at once or not at all; whatever happens meanwhile, the old one or the new one is whole. */
export function replaceFile(path: string, write: (fd: number) => void): void {
  const part = partOf(path)
  const fd = openSync(part, 'wx')
  try {
    try {
      write(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(part, path)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}
