/** The logs of branches beside a log: which there are, and writing them, so that none takes the place of one that it does not know. */
import { closeSync, existsSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Branch } from '../../inspect/branch.ts'
import { branchPath } from '../open.ts'
import { replaceFile, writeAll } from '../../log/files.ts'

/** A branch that could not be written, with the reason. */
export class NotKept extends Error {
  override readonly name = 'NotKept'
}

export class BranchFiles {
  readonly #log: string
  /** Files as they were when they were last read or written here. */
  readonly #known = new Map<string, string>()

  constructor(log: string) {
    this.#log = log
  }

  /** Names of the branches that have a file; none where nobody may look. */
  get names(): readonly string[] {
    const start = branchPath(basename(this.#log), '')
    return filesIn(dirname(this.#log)).flatMap(file =>
      file.startsWith(start) && /^[\w-]+$/.test(file.slice(start.length)) ? [file.slice(start.length)] : [],
    )
  }

  path(name: string): string {
    return branchPath(this.#log, name)
  }

  /** From here on the file of this name, as it is now, may be written over by the branch that was read from it. */
  read(name: string): void {
    this.#known.set(name, stampOf(this.path(name)))
  }

  /** Throws `NotKept`. */
  write(name: string, branch: Branch): void {
    const path = this.path(name)
    const known = this.#known.get(name)
    let isNew = false
    try {
      // A name that nobody has is taken at once.
      if (known === undefined || !existsSync(path)) {
        closeSync(openSync(path, 'wx'))
        isNew = true
      } else if (stampOf(path) !== known)
        throw new NotKept(`${path} was written meanwhile, by another session: it is left as it is, and this branch is here until you leave`)
      replaceFile(path, fd => branch.write(lines => writeAll(fd, Buffer.from(lines))))
      this.read(name)
    } catch (error) {
      if (isNew) rmSync(path, { force: true })
      if (!(error instanceof Error && 'syscall' in error)) throw error
      throw new NotKept(`${path} cannot be written: ${error.message}. The branch is here until you leave`)
    }
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function stampOf(path: string): string {
  const { ino, size, mtimeMs } = statSync(path)
  return `${ino} ${size} ${mtimeMs}`
}
