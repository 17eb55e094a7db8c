/**
 * Bookmarks and notes of a log, in a file beside it (`LOG.notes`): a log that is closed is never changed, or nobody could
 * tell a note from a forgery. The file says which log it is of, and its records are chained as those of a log.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { ByteWriter } from './bytes.ts'
import { Opener, Sealer } from './chain.ts'

export interface Note {
  readonly name: string
  readonly step: number
  readonly text: string
}

const NOTES_FORMAT = 1

/** Notes that are not of this log, or were altered. */
export class BadNotes extends Error {
  override readonly name = 'BadNotes'
}

export class Notes {
  readonly #path: string
  readonly #log: string
  #notes: readonly Note[]

  /** `log`: which log they are of (`LogFile.id`). */
  constructor(path: string, log: string) {
    this.#path = path
    this.#log = log
    this.#notes = existsSync(path) ? read(path, log) : []
  }

  /** In the order of their steps. */
  get list(): readonly Note[] {
    return this.#notes.toSorted((a, b) => a.step - b.step)
  }

  get(name: string): Note | undefined {
    return this.#notes.find(note => note.name === name)
  }

  /** A note of this name takes the place of an older one. Without a name, it gets a number. */
  add(step: number, text: string, name = this.#number()): Note {
    const note = { name, step, text }
    this.#notes = [...this.#notes.filter(n => n.name !== name), note]
    this.#write()
    return note
  }

  /** Was there one? */
  remove(name: string): boolean {
    const { length } = this.#notes
    this.#notes = this.#notes.filter(note => note.name !== name)
    this.#write()
    return this.#notes.length < length
  }

  #number(): string {
    for (let i = 1; ; i++) if (this.get(String(i)) === undefined) return String(i)
  }

  /** At once or not at all. */
  #write(): void {
    const bytes = new ByteWriter()
    const sealer = new Sealer()
    for (const record of [{ 'mirrorwalk-notes': NOTES_FORMAT, log: this.#log }, ...this.#notes]) {
      const start = bytes.at
      bytes.value(record)
      sealer.seal(bytes, start)
    }
    writeFileSync(`${this.#path}.new`, bytes.taken())
    renameSync(`${this.#path}.new`, this.#path)
  }
}

function read(path: string, log: string): readonly Note[] {
  const bytes = readFileSync(path)
  const chain = new Opener()
  const records: object[] = []
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(0x0a, at)
    const text = newline < 0 ? undefined : chain.open(bytes.subarray(at, newline))
    if (text === undefined)
      throw new BadNotes(`${path}: record ${records.length + 1} is not what was written. Move the file away to begin new notes.`)
    records.push(JSON.parse(text) as object)
    at = newline + 1
  }
  const [header, ...notes] = records
  if (header === undefined || !('log' in header) || header.log !== log)
    throw new BadNotes(`${path}: these are notes of another log. Move the file away to begin new ones.`)
  return notes as Note[]
}
