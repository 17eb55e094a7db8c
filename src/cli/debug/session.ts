/** A session of the debugger: which run it looks at and where, and what it keeps. Commands (commands.ts) act on it. */
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Branch } from '../../inspect/branch.ts'
import { changeLine, changesOf, changeText } from '../../inspect/changes.ts'
import { Cursor, type Stop } from '../../inspect/cursor.ts'
import { stepLine } from '../../inspect/draw.ts'
import type { LinuxSystem } from '../../inspect/linux.ts'
import { momentAt } from '../../inspect/moment.ts'
import { didYouMean } from '../../inspect/query/similar.ts'
import { Recording, type Run } from '../../inspect/recording.ts'
import { Whole } from '../../inspect/whole.ts'
import { LogFile } from '../../log/log-file.ts'
import { Notes } from '../../log/notes.ts'
import type { Origin } from '../../log/records.ts'
import { systemOf } from '../log-file.ts'
import { branchPath } from '../open.ts'

/** A mistake in a command: told, and the session goes on. */
export class Mistake extends Error {
  override readonly name = 'Mistake'
}

/** A run that is looked at: the trunk, or a branch. */
export interface Line {
  readonly name: string
  readonly run: Run
  readonly cursor: Cursor
  /** Of a branch that was begun in this session: it can go on. */
  readonly branch?: Branch
}

export const TRUNK = 'trunk'

export class Session {
  readonly path: string
  readonly log: LogFile
  readonly notes: Notes
  readonly #lines = new Map<string, Line>()
  #here: Line
  /** It is over. */
  over = false
  /** After each motion, what the step changed. */
  showsChanges = false

  constructor(path: string, log: LogFile) {
    this.path = path
    this.log = log
    this.notes = new Notes(`${path}.notes`, log.id)
    const system = systemOf(log.header, path)
    this.#here = this.#add(TRUNK, new Recording(system, log))
    this.#reopen()
  }

  get here(): Line {
    return this.#here
  }
  get lines(): readonly Line[] {
    return [...this.#lines.values()]
  }
  get cursor(): Cursor {
    return this.#here.cursor
  }
  get run(): Run {
    return this.#here.run
  }
  get system(): LinuxSystem {
    return this.run.system
  }

  /** An actor by its name. */
  actor(name: string): string {
    const names = [...this.system.index.keys()]
    if (!names.includes(name)) throw new Mistake(`expected an actor (${names.join(', ')}), got '${name}'${didYouMean(name, names)}`)
    return name
  }

  line(name: string): Line {
    const line = this.#lines.get(name)
    if (line === undefined) throw new Mistake(`no branch '${name}'; there are ${[...this.#lines.keys()].join(', ')}`)
    return line
  }

  switchTo(name: string): void {
    this.#here = this.line(name)
  }

  /** A new branch, which is looked at from now on; what was watched is watched there too. */
  branchOff(branch: Branch): void {
    const { watched } = this.cursor
    this.#here = this.#add(branch.name, new Whole(branch, branch.trunk), branch)
    this.cursor.goto(branch.first)
    for (const path of watched) this.cursor.watch(path)
  }

  /** The branch that is looked at, to go on with; throws if it is none of this session. */
  branch(): Branch {
    const { branch, name } = this.#here
    if (branch !== undefined) return branch
    throw new Mistake(
      name === TRUNK
        ? 'this is the run that was recorded: it stays as it is. branch NAME leaves it here.'
        : `branch '${name}' was recorded before: branch NAME leaves it here.`,
    )
  }

  /** Writes the branch that is looked at. */
  save(): void {
    const branch = this.branch()
    const chunks: Buffer[] = []
    branch.write(lines => void chunks.push(Buffer.from(lines)))
    // Beside its place first: whoever is stopped in the midst of it leaves what was there.
    const path = this.branchPath(branch.name)
    writeFileSync(`${path}.part`, Buffer.concat(chunks))
    renameSync(`${path}.part`, path)
  }

  branchPath(name: string): string {
    return branchPath(this.path, name)
  }

  #add(name: string, run: Run, branch?: Branch): Line {
    const line = { name, run, cursor: new Cursor(run), ...(branch === undefined ? {} : { branch }) }
    this.#lines.set(name, line)
    return line
  }

  /** Branches that were written beside the log. */
  #written(): readonly string[] {
    const folder = dirname(this.path)
    const start = branchPath(basename(this.path), '')
    if (!existsSync(folder)) return []
    return readdirSync(folder).flatMap(name =>
      name.startsWith(start) && /^[\w-]+$/.test(name.slice(start.length)) ? [name.slice(start.length)] : [],
    )
  }

  /** Branches of this log; each when the one that it leaves is there. */
  #reopen(): void {
    let left = this.#written().flatMap(name => this.#opened(name) ?? [])
    for (let before = Infinity; left.length > 0 && left.length < before;) {
      before = left.length
      left = left.filter(({ name, run }) => {
        const trunk = this.#lines.get(run.header.from?.of ?? TRUNK)
        if (trunk === undefined || trunk.run.last < run.first) return true
        this.#add(name, new Whole(run, trunk.run)).cursor.goto(run.first)
        return false
      })
    }
  }

  /** What is of another log, or cannot be read, is left alone. */
  #opened(name: string): { readonly name: string; readonly run: Run } | undefined {
    try {
      const path = this.branchPath(name)
      const log = LogFile.open(path)
      if (log.header.from?.trunk === this.log.id) return { name, run: new Recording(systemOf(log.header, path), log) }
      log.close()
    } catch {
      // Not a branch of this log.
    }
    return undefined
  }

  /** Where a branch comes from. */
  originOf({ run }: Line): Origin | undefined {
    return run.header.from
  }

  /** Where a motion ended, in lines. */
  told(stop: Stop): readonly string[] {
    const reason =
      stop.why === 'end'
        ? [this.#endLine()]
        : stop.why === 'beginning'
          ? ['the beginning']
          : stop.why === 'stopped'
            ? ['stopped here: what is asked for may come later']
            : stop.condition !== undefined
              ? [`${stop.condition.text}${afterColon(stop.condition.why(momentAt(this.run, stop.n)))}`]
              : []
    return [
      ...reason.map(text => `* ${text}`),
      ...stop.changes.map(change => `* ${changeLine(change)}`),
      stepLine(this.run, stop.n),
      ...(this.showsChanges ? changeText(changesOf(this.run, stop.n)) : []),
    ]
  }

  #endLine(): string {
    const { ended } = this.run
    return ended === undefined ? 'the end of what is here' : ended === 'at rest' ? 'the end: everybody is at rest' : `the end: ${ended}`
  }
}

const afterColon = (text: string | undefined): string => (text === undefined ? '' : `: ${text}`)
