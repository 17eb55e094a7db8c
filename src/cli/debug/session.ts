/** A session of the debugger: which run it looks at and where, and what it keeps. Commands (commands.ts) act on it. */
import { Branch, CannotTake } from '../../inspect/branch.ts'
import { changedByHand, changeLine, changesOf, changeText, whereByHand } from '../../inspect/changes.ts'
import { Cursor, type Stop, type Where } from '../../inspect/cursor.ts'
import { stepLine } from '../../inspect/draw.ts'
import type { LinuxSystem } from '../../inspect/linux.ts'
import { momentAt } from '../../inspect/moment.ts'
import { Places } from '../../inspect/places.ts'
import { didYouMean } from '../../inspect/query/similar.ts'
import type { Run } from '../../inspect/recording.ts'
import { Whole } from '../../inspect/whole.ts'
import type { LogFile } from '../../log/log-file.ts'
import { Notes, type Note } from '../../log/notes.ts'
import type { Origin } from '../../log/records.ts'
import type { SystemSpec } from '../../scenario/standard.ts'
import { TRUNK, whyNotOf, type OpenedRun } from '../open.ts'
import { BranchFiles, NotKept } from './branch-files.ts'
import { Mistake } from './mistake.ts'
import { recordedIn, type Recorded } from './recorded.ts'

/** A run that is looked at: the trunk, or a branch. */
export interface Line {
  readonly name: string
  readonly run: Run
  readonly cursor: Cursor
  /** Of a branch that was begun, or gone on with, in this session. */
  readonly branch?: Branch
  /** Of one that was recorded before. */
  readonly recorded?: Recorded
}

/** A step of a line. */
interface Place {
  readonly line: string
  readonly n: number
}
const isSamePlace = (a: Place, b: Place): boolean => a.line === b.line && a.n === b.n

export class Session {
  readonly log: LogFile
  readonly notes: Notes
  readonly #files: BranchFiles
  readonly #lines = new Map<string, Line>()
  /** Branches that have a file, and could not be opened: why. */
  readonly #closed = new Map<string, string>()
  /** Branches of which no file has what they are here. */
  readonly #unkept = new Set<string>()
  readonly #places: Places<Place>
  #here: Line
  /** It is over. */
  over = false
  /** After each motion, what the step changed. */
  showsChanges = false

  constructor({ path, log, run }: OpenedRun) {
    this.log = log
    this.notes = new Notes(`${path}.notes`, log.id)
    this.#files = new BranchFiles(path)
    this.#here = this.#add({ name: TRUNK, run, cursor: new Cursor(run, log.first) })
    this.#places = new Places(this.#place, isSamePlace)
    this.lookBeside()
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
  get spec(): SystemSpec {
    return this.run.header.system as SystemSpec
  }

  /** An actor by its name. */
  actor(name: string): string {
    const names = [...this.system.index.keys()]
    if (!names.includes(name)) throw new Mistake(`expected an actor (${names.join(', ')}), got '${name}'${didYouMean(name, names)}`)
    return name
  }

  line(name: string): Line {
    if (!this.#lines.has(name)) this.lookBeside()
    const line = this.#lines.get(name)
    if (line !== undefined) return line
    const why = this.#closed.get(name)
    throw new Mistake(
      why === undefined
        ? `no branch '${name}'; there are ${[...this.#lines.keys()].join(', ')}`
        : `branch '${name}' cannot be opened: ${why}`,
    )
  }

  /** What a branch would leave that is made here: before a branch begins, what that leaves. */
  get left(): Line {
    let line = this.#here
    for (let from = this.originOf(line); from !== undefined && this.cursor.n < from.step; from = this.originOf(line))
      line = this.line(from.of ?? TRUNK)
    return line
  }

  switchTo(name: string): void {
    this.#here = this.line(name)
  }

  /** A name that a new branch may have: it takes the place of no other, whether that could be opened or not. */
  freeName(name: string): string {
    if (name === TRUNK || !/^[\w-]+$/.test(name))
      throw new Mistake(`expected the name of a branch (letters, digits, _ and -), got '${name}'`)
    this.lookBeside()
    if (this.#lines.has(name)) throw new Mistake(`there is a branch '${name}' already: switch ${name} goes there, run goes on in it`)
    const why = this.#closed.get(name)
    if (why !== undefined)
      throw new Mistake(
        `there is a file ${this.#files.path(name)} already, which is left as it is (${why}): take another name, or move it away`,
      )
    return name
  }

  /** A new branch, which is looked at from now on; what was watched is watched there too. What has to be said of it. */
  branchOff(name: string, branch: Branch): readonly string[] {
    this.#goOnIn({ name, run: new Whole(branch, branch.trunk), cursor: this.cursor, branch }, branch.first)
    return [...this.save(), ...this.#unkeptBefore()]
  }

  /** A branch of one that is not kept is of no use to a later session. */
  #unkeptBefore(): readonly string[] {
    const { name } = this.#here
    for (let of = this.originOf(this.#here)?.of; of !== undefined; of = this.originOf(this.line(of))?.of)
      if (this.#unkept.has(of)) return [`* branch ${of} is not kept as it is here: a later session cannot open ${name}, which leaves it`]
    return []
  }

  #goOnIn(line: Line, n: number): void {
    const { watched } = line.cursor
    const cursor = new Cursor(line.run, n)
    for (const path of watched) cursor.watch(path)
    this.#here = this.#add({ ...line, cursor })
  }

  /** The branch that is looked at, to go on with. One that was recorded before is decided again; yields how far that is. */
  *goingOn(): Generator<string, Branch, boolean> {
    const { branch, recorded, name, cursor, run } = this.#here
    if (branch !== undefined) return branch
    if (recorded === undefined) throw new Mistake('this is the run that was recorded: it stays as it is. branch NAME leaves it here.')
    if (recorded.damage !== undefined) throw new Mistake(`${recorded.damage} mirrorwalk repair makes it whole; branch NAME leaves it here.`)
    const trunk = this.line(this.originOf(this.#here)?.of ?? TRUNK).run
    const deciding = Branch.again(trunk, recorded.run)
    for (let stop = false; ;) {
      const { done, value } = beganAgain(() => deciding.next(stop), name)
      if (done === true) {
        if (value === undefined) throw new Mistake(`stopped before branch '${name}' was decided again up to its end`)
        this.#goOnIn({ name, run: new Whole(value, trunk), cursor, branch: value }, Math.min(cursor.n, run.last))
        return value
      }
      stop = yield `decides branch ${name} again: step ${value.toLocaleString('en')} of ${recorded.run.last.toLocaleString('en')}`
    }
  }

  /** Writes the branch that is looked at; what has to be said if that cannot be. */
  save(): readonly string[] {
    const { branch, name } = this.#here
    if (branch === undefined) return []
    try {
      this.#files.write(name, branch)
      this.#unkept.delete(name)
      return []
    } catch (error) {
      if (error instanceof NotKept) this.#unkept.add(name)
      if (error instanceof NotKept) return [`* not kept: ${error.message}`]
      throw error
    }
  }

  #add(line: Line): Line {
    this.#lines.set(line.name, line)
    return line
  }

  /** Opens the branches of this log that have a file, each when the one that it leaves is there. */
  lookBeside(): void {
    this.#closed.clear()
    let left = this.#files.names.flatMap(name => {
      const recorded = this.#lines.has(name) ? undefined : recordedIn(this.#files, name, this.log.id)
      if (typeof recorded === 'string') this.#closed.set(name, recorded)
      return recorded === undefined || typeof recorded === 'string' ? [] : [{ name, recorded }]
    })
    for (let before = Infinity; left.length > 0 && left.length < before;) {
      before = left.length
      left = left.filter(({ name, recorded: { run, damage } }) => {
        const trunk = this.#lines.get(run.header.from?.of ?? TRUNK)
        if (trunk === undefined || whyNotOf(trunk.run, run) !== undefined) return true
        const whole = new Whole(run, trunk.run)
        this.#add({ name, run: whole, cursor: new Cursor(whole, run.first), recorded: { run, damage } })
        return false
      })
    }
    for (const { name, recorded } of left) {
      const { of = TRUNK } = recorded.run.header.from ?? {}
      const trunk = this.#lines.get(of)
      const why = trunk === undefined ? undefined : whyNotOf(trunk.run, recorded.run, of)
      recorded.run.log.close()
      this.#closed.set(name, why ?? `it leaves branch '${of}', which is not here`)
    }
  }

  /** Branches that have a file and could not be opened, with the reason. */
  get closed(): readonly (readonly [name: string, why: string])[] {
    return [...this.#closed]
  }

  /** Where a branch comes from. */
  originOf({ run, name }: Line): Origin | undefined {
    return name === TRUNK ? undefined : run.header.from
  }

  get #place(): Place {
    return { line: this.#here.name, n: this.cursor.n }
  }
  /** Where one is now is a place where one has been. */
  arrived(): void {
    this.#places.visit(this.#place)
  }

  /** To where one was before, or went back from. */
  revisit(to: 'back' | 'forward'): readonly string[] {
    const place = this.#places[to]()
    if (place === undefined) throw new Mistake(`nowhere to go ${to} to`)
    return this.goto(place.line, place.n)
  }

  /** To a step of a branch, or of the trunk. */
  goto(name: string, where: Where): readonly string[] {
    const moves = name !== this.#here.name
    if (moves) this.switchTo(name)
    return [...(moves ? [`* in ${name === TRUNK ? 'the trunk' : `branch ${name}`}`] : []), ...this.told(this.cursor.goto(where))]
  }

  /** Keeps a note of where one is. */
  note(text: string, name?: string): { readonly note: Note; readonly unkept: readonly string[] } {
    const { name: line } = this.#here
    const note = this.notes.add(this.cursor.n, text, name, line === TRUNK ? undefined : line)
    const { trouble } = this.notes
    return { note, unkept: trouble === undefined ? [] : [`* not kept: ${trouble}. The note is here until you leave`] }
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
      ...(changedByHand(this.run, stop.n).length > 0 ? [`* ${whereByHand(this.run, stop.n)}`] : []),
      ...(this.showsChanges ? this.changed(stop.n) : []),
    ]
  }

  /** What a step changed, and what was changed by hand behind it. */
  changed(n: number): readonly string[] {
    const byHand = changedByHand(this.run, n)
    return [...changeText(changesOf(this.run, n)), ...(byHand.length === 0 ? [] : [`  ${whereByHand(this.run, n)}`, ...changeText(byHand)])]
  }

  #endLine(): string {
    const { ended } = this.run
    return ended === undefined ? 'the end of what is here' : ended === 'at rest' ? 'the end: everybody is at rest' : `the end: ${ended}`
  }
}

const afterColon = (text: string | undefined): string => (text === undefined ? '' : `: ${text}`)

function beganAgain<T>(what: () => T, name: string): T {
  try {
    return what()
  } catch (error) {
    if (error instanceof CannotTake) throw new Mistake(`branch '${name}' stays as it is: ${error.message}. branch NAME leaves it here.`)
    throw error
  }
}
