/** The index of a log that is being written: made when there is something to write to it, as most logs are too short for one. */
import { closeSync, openSync } from 'node:fs'
import { besideOf, removeBeside } from '../log/beside.ts'
import { writeAll } from '../log/files.ts'

export class LazyIndex {
  readonly #path: string
  /** What has its name and is no index stays, and the log is without one. */
  readonly #isFree: boolean
  #fd: number | undefined

  /** The index of an earlier run goes. */
  constructor(log: string) {
    this.#path = besideOf(log)
    this.#isFree = removeBeside(this.#path)
  }

  write(bytes: Buffer): void {
    if (!this.#isFree) return
    this.#fd ??= openSync(this.#path, 'wx')
    writeAll(this.#fd, bytes)
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
  }
}
