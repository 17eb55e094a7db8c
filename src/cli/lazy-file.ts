/** A file that is made when there is something to write to it: most logs are too short for an index. */
import { closeSync, openSync, rmSync } from 'node:fs'
import { writeAll } from './target.ts'

export class LazyFile {
  readonly #path: string
  #fd: number | undefined

  /** What is there of an earlier run goes. */
  constructor(path: string) {
    this.#path = path
    rmSync(path, { force: true })
  }

  write(bytes: Buffer): void {
    this.#fd ??= openSync(this.#path, 'w')
    writeAll(this.#fd, bytes)
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
  }
}
