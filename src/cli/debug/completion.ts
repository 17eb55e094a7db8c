/** What the Tab key offers: commands, and behind them what each of them takes. */
import { COLUMNS } from '../../inspect/path.ts'
import { WORDS } from '../../inspect/query/parse.ts'
import { profileNames } from '../../kernel/profiles.ts'
import { COMMANDS, PARTS } from './commands.ts'
import type { Session } from './session.ts'
import { markNames } from './marks.ts'
import { argNames, callNames } from './statements.ts'

const actorsOf = ({ system }: Session): readonly string[] => [...system.index.keys()]

/** Paths as far as they have been typed: what each actor, frame and address space has. */
function paths({ system, cursor }: Session): readonly string[] {
  const { actors, memory } = cursor.world
  const ofActors = system.actors.flatMap(({ name }, i) => [
    name,
    `${name}.state`,
    ...Object.keys(actors[i]?.context ?? {}).map(key => `${name}.${key}`),
  ])
  const ofSpaces = Object.entries(memory.mms).flatMap(([mm, of]) => Object.keys(of).map(column => `${mm}.${column}`))
  return [...ofActors, ...ofSpaces, ...COLUMNS.map(column => `frame.2.${column}`)]
}

/** What may stand behind a command; `before`: the words between. */
function behind(session: Session, command: string, before: readonly string[]): readonly string[] {
  const branches = session.lines.map(line => line.name)
  switch (COMMANDS.find(c => c.names.includes(command))?.names[0]) {
    case 'until':
    case 'reverse-until':
      return [...WORDS, ...paths(session), 'and', 'or', 'before', 'after', 'between', 'inside']
    case 'show':
      return [...PARTS, ...paths(session)]
    case 'watch':
    case 'last':
    case 'then':
      return paths(session)
    case 'unwatch':
      return session.cursor.watched.map(path => path.text)
    case 'goto':
      return ['end', ...markNames(session)]
    case 'unmark':
      return markNames(session)
    case 'switch':
    case 'compare':
      return branches
    case 'branch':
      return before.length === 2 ? ['profile'] : before.length === 3 ? profileNames : []
    case 'do':
      return doing(session, before)
    case 'next':
    case 'prev':
    case 'run':
      return actorsOf(session)
    case 'take':
      return before.length === 1 ? actorsOf(session) : ['offer', 'pages']
    case 'help':
      return COMMANDS.flatMap(c => c.names)
    default:
      return []
  }
}

/** `do ACTOR CALL PAGES ARG`; `before`: the words between. */
function doing(session: Session, before: readonly string[]): readonly string[] {
  const [, by = '', call = ''] = before
  if (before.length === 1) return actorsOf(session).filter(name => callNames(session.spec, name).length > 0)
  if (before.length === 2) return callNames(session.spec, by)
  return before.length === 4 ? argNames(session.spec, by, call) : []
}

/** As `readline` asks for it: what the last word may go on to, and that word. */
export function completed(session: Session, line: string): [string[], string] {
  const words = line.trimStart().split(/\s+/)
  const last = words.at(-1) ?? ''
  const known = words.length <= 1 ? COMMANDS.flatMap(c => c.names) : behind(session, words[0] ?? '', words.slice(0, -1))
  return [[...new Set(known)].filter(name => name.startsWith(last)), last]
}
