/** Places by name: bookmarks and notes, and whatever else can stand behind `goto`. */
import type { Where } from '../../inspect/cursor.ts'
import { aligned } from '../../inspect/wrap.ts'
import type { Note } from '../../log/notes.ts'
import { TRUNK } from '../open.ts'
import { lineWidth } from '../output.ts'
import type { Command } from './command.ts'
import { Mistake } from './mistake.ts'
import type { Line, Session } from './session.ts'

/** A place in the run that is looked at, or in another. */
export interface Placed {
  readonly line: string
  readonly where: Where
}

/** What a bookmark can be called: nothing else that stands behind `goto` or `changes` begins with a letter, but these. */
const NAME = /^[\p{L}_]\S*$/u
const RESERVED: ReadonlySet<string> = new Set(['end', 'on', 'off'])
const isName = (word: string): boolean => NAME.test(word) && !RESERVED.has(word)

/** Earlier versions gave other names, too: `@1` is the bookmark that is called 1. */
const nameIn = (word: string): string => (word.startsWith('@') ? word.slice(1) : word)
export const markNames = ({ notes }: Session): readonly string[] => notes.list.map(({ name }) => (isName(name) ? name : `@${name}`))

/** A step (`12`), so many percent (`33.3%`), the end, or a bookmark. */
export function placeOf(session: Session, rest: string): Placed {
  const here = session.here.name
  if (rest === 'end') return { line: here, where: 'end' }
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(rest)?.[1]
  if (percent !== undefined) return { line: here, where: { percent: Math.min(100, Number(percent)) } }
  const n = Number(rest)
  if (/^\d/.test(rest) && Number.isSafeInteger(n)) return { line: here, where: n }
  const name = nameIn(rest)
  if (session.notes.get(name) === undefined) session.notes.read()
  const note = session.notes.get(name)
  if (note === undefined) throw new Mistake(`expected a step (12), a place (50%, end) or a bookmark, got '${rest}'`)
  return marked(session, note)
}

function marked(session: Session, { name, step, branch = TRUNK }: Note): Placed {
  const line = session.line(branch)
  if (step > line.run.last)
    throw new Mistake(
      `'${name}' is at step ${step}, and ${branch} ends at ${line.run.last}: if it was made in a branch, switch there, and goto ${step}`,
    )
  return { line: isShared(session, line, step) ? session.here.name : branch, where: step }
}

/** Do both go through this step, and stand alike behind it? */
function isShared({ here }: Session, line: Line, n: number): boolean {
  const [one, other] = [here.run.origins, line.run.origins]
  const parted = [...one, ...other].filter(origin => !(one.includes(origin) && other.includes(origin)))
  return parted.every(({ step, changed }) => n < step || (n === step && changed.length === 0))
}

/** `NAME TEXT`, both of which may be missing. */
function bookmark(session: Session, rest: string): readonly string[] {
  const [, name = '', text = ''] = /^(\S*)\s*(.*)$/.exec(rest) ?? []
  if (name !== '' && !isName(name))
    throw new Mistake(`'${name}' would be taken for another place: expected a name that begins with a letter, and is not end, on or off`)
  session.notes.read()
  const before = name === '' ? undefined : session.notes.get(name)
  const { note, unkept } = session.note(text, name === '' ? undefined : name)
  const instead =
    before === undefined ? '' : `, in the place of the one at step ${before.step}${before.text === '' ? '' : `: ${before.text}`}`
  return [`bookmark ${note.name} at step ${note.step}${instead}`, ...unkept]
}

function note(session: Session, text: string): readonly string[] {
  const { note: made, unkept } = session.note(text)
  return [`note ${made.name} at step ${made.step}`, ...unkept]
}

function notes(session: Session): readonly string[] {
  session.notes.read()
  const { list, trouble } = session.notes
  const names = markNames(session)
  const inBranches = list.some(({ branch }) => branch !== undefined)
  const rows = list.map(({ step, text, branch }, i) => [
    String(step),
    ...(inBranches ? [branch === undefined ? '' : `of ${branch}`] : []),
    names[i] ?? '',
    text,
  ])
  return [
    ...(rows.length === 0 ? ['no bookmarks'] : aligned(rows, lineWidth())),
    ...(trouble === undefined ? [] : [`* not kept: ${trouble}`]),
  ]
}

function unmark(session: Session, rest: string): readonly string[] {
  if (!session.notes.remove(session.notes.get(rest) === undefined ? nameIn(rest) : rest)) throw new Mistake(`no bookmark '${rest}'`)
  return notes(session)
}

export const markCommands: readonly Command[] = [
  { names: ['bookmark', 'b', 'checkpoint'], args: '[NAME [TEXT]]', help: 'keep this place', run: bookmark },
  { names: ['note'], args: 'TEXT', help: 'keep this place with a note', run: note },
  { names: ['notes', 'bookmarks'], args: '', help: 'the places that are kept; @1 is one that is called 1', run: notes },
  { names: ['unmark'], args: 'NAME', help: 'keep a place no longer', run: unmark },
]
