/**
 * Bookmarks and notes of a log, in a file beside it (`LOG.notes`): a log that is closed is never changed, or nobody could
 * tell a note from a forgery. The file says which log it is of, and its records are chained as those of a log.
 *
 * Several sessions may keep notes of one log: each change is made to what the file has then. Where it cannot be read or
 * written, changes are kept here, and made to it as soon as it can.
 */
import { readFileSync, statSync } from 'node:fs'
import { ByteWriter } from './bytes.ts'
import { Opener, Sealer } from './chain.ts'
import { replaceFile, writeAll } from './files.ts'
import { isCount, isFields } from './shape.ts'
import { parsed, unfit } from './sound.ts'

export interface Note {
  readonly name: string
  readonly step: number
  readonly text: string
  /** The branch that the step is in; absent: the log itself. */
  readonly branch?: string
}

const NOTES_FORMAT = 1

/** Notes that are not of this log, or were altered. */
export class BadNotes extends Error {
  override readonly name = 'BadNotes'
}

type List = readonly Note[]

export class Notes {
  readonly #path: string
  readonly #log: string
  #notes: List = []
  /** Changes that the file does not have yet. */
  #changes: ((notes: List) => List)[] = []
  #trouble: string | undefined

  /** `log`: which log they are of (`LogFile.id`). */
  constructor(path: string, log: string) {
    this.#path = path
    this.#log = log
    this.#trouble = this.#attempt(() => void (this.#notes = fromFile(path, log)), isOfFiles)
  }

  /** In the order of their steps. */
  get list(): List {
    return this.#notes.toSorted((a, b) => a.step - b.step)
  }

  /** Why the file cannot be read or written: what is noted is only here then. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  get(name: string): Note | undefined {
    return this.#notes.find(note => note.name === name)
  }

  /** What another session has noted meanwhile is there, too. */
  read(): void {
    const trouble = this.#attempt(() => void (this.#notes = this.#changed(fromFile(this.#path, this.#log))))
    if (trouble !== undefined || this.#changes.length === 0) this.#trouble = trouble
  }
  #changed(notes: List): List {
    return this.#changes.reduce((now, change) => change(now), notes)
  }

  /** A note of this name takes the place of an older one. Without a name, it gets one with a number. */
  add(step: number, text: string, name?: string, branch?: string): Note {
    const of = branch === undefined ? {} : { branch }
    let made: Note = { name: name ?? '', step, text, ...of }
    this.#change(notes => {
      made = { name: name ?? freeName(notes), step, text, ...of }
      return [...notes.filter(note => note.name !== made.name), made]
    })
    return made
  }

  /** Was there one? */
  remove(name: string): boolean {
    let found = false
    this.#change(notes => {
      found = notes.some(note => note.name === name)
      return notes.filter(note => note.name !== name)
    })
    return found
  }

  #change(change: (notes: List) => List): void {
    this.#changes.push(change)
    let wasRead = false
    this.#trouble = this.#attempt(() => {
      this.#notes = this.#changed(fromFile(this.#path, this.#log))
      wasRead = true
      write(this.#path, this.#log, this.#notes)
      this.#changes = []
    })
    if (!wasRead) this.#notes = change(this.#notes)
  }

  /** What is wrong with the file, if something is that can be lived with. */
  #attempt(
    what: () => void,
    isBearable = (error: unknown): error is Error => isOfFiles(error) || error instanceof BadNotes,
  ): string | undefined {
    try {
      what()
      return undefined
    } catch (error) {
      if (isBearable(error)) return error instanceof BadNotes ? error.message : `${this.#path}: ${error.message}`
      throw error
    }
  }
}

const isOfFiles = (error: unknown): error is Error => error instanceof Error && 'syscall' in error

function freeName(notes: List): string {
  for (let i = 1; ; i++) if (notes.every(({ name }) => name !== `note-${i}`)) return `note-${i}`
}

/** Writes the notes of the log with one checksum as those of the log with another. */
export const carryNotes = (from: string, of: string, to: string, now: string): void => write(to, now, fromFile(from, of))

/** At once or not at all. */
function write(path: string, log: string, notes: List): void {
  const bytes = new ByteWriter()
  const sealer = new Sealer()
  for (const record of [{ 'mirrorwalk-notes': NOTES_FORMAT, log }, ...notes]) {
    const start = bytes.at
    bytes.value(record)
    sealer.seal(bytes, start)
  }
  replaceFile(path, fd => writeAll(fd, bytes.taken()))
}

function fromFile(path: string, log: string): List {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return []
  // A pipe would be waited for.
  if (!found.isFile() && !found.isDirectory()) throw new BadNotes(`${path}: this is no file. ${MOVE}`)
  const bytes = readFileSync(path)
  const chain = new Opener()
  const records: unknown[] = []
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(0x0a, at)
    const line = bytes.subarray(at, newline < 0 ? undefined : newline)
    const text = newline < 0 || unfit(line) !== undefined ? undefined : chain.open(line)
    const record = text === undefined ? undefined : parsed(text)
    if (record === undefined || (records.length > 0 && !isNote(record)))
      throw new BadNotes(`${path}: record ${records.length + 1} is not what was written. ${MOVE}`)
    records.push(record)
    at = newline + 1
  }
  const [header, ...notes] = records
  if (!isFields(header) || header['log'] !== log) throw new BadNotes(`${path}: these are notes of another log. ${MOVE}`)
  return notes.filter(isNote)
}

const MOVE = 'Move it away to begin new notes.'

/** Whoever knows how to seal a record can write any JSON. */
const isNote = (x: unknown): x is Note =>
  isFields(x) &&
  typeof x['name'] === 'string' &&
  typeof x['text'] === 'string' &&
  isCount(x['step']) &&
  (x['branch'] === undefined || typeof x['branch'] === 'string')
