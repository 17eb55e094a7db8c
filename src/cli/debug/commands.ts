/** The commands of the debugger, but those of branches: each with its names, what it is for, and what it does. */
import { changesBetween, changeText, handLines, searchingChange } from '../../inspect/changes.ts'
import type { Searching } from '../../inspect/cursor.ts'
import { drawAgendas, drawAreas, drawLocks, drawNotifiers, drawState, drawTables, stepLine } from '../../inspect/draw.ts'
import { describeStep } from '../../inspect/folded-step.ts'
import { pageOf, pathOf } from '../../inspect/path.ts'
import { queryIn } from '../../inspect/query/in-run.ts'
import { didYouMean } from '../../inspect/query/similar.ts'
import { why } from '../../inspect/provenance.ts'
import { changeLines, whyLines } from '../../inspect/why-lines.ts'
import { hung, wrapped } from '../../inspect/wrap.ts'
import { lineWidth } from '../output.ts'
import { branchCommands } from './branches.ts'
import { countOf, type Command, type Said, type Saying } from './command.ts'
import { Mistake } from './mistake.ts'
import { markCommands, placeOf } from './marks.ts'
import type { Session } from './session.ts'

/** The actor that is named, or the one of the step that one stands on. */
function actorOf(session: Session, rest: string): string {
  const { run, cursor } = session
  return session.actor(rest === '' && cursor.n !== run.first ? run.record(cursor.n).by : rest)
}

export const PARTS = ['tables', 'areas', 'notifiers', 'locks', 'agendas'] as const

function show({ run, cursor, system }: Session, rest: string): readonly string[] {
  const width = lineWidth()
  if (rest === '') return drawState(run, cursor.n, width)
  const world = cursor.world
  const mms = Object.keys(world.memory.mms)
  switch (PARTS.find(part => part.startsWith(rest))) {
    case 'tables':
      return mms.flatMap(mm => drawTables(system, world, mm, width))
    case 'areas':
      return mms.flatMap(mm => drawAreas(world, mm))
    case 'notifiers':
      return drawNotifiers(system, world, width)
    case 'locks':
      return drawLocks(system, world, width)
    case 'agendas':
      return drawAgendas(run, world, width)
    case undefined: {
      const path = pathOf(system, rest)
      return [`${path.text}: ${path.show(world)}`]
    }
  }
}

/** The steps around the one that one stands on. */
function list({ run, cursor }: Session, rest: string): readonly string[] {
  const around = rest === '' ? 4 : countOf(rest)
  const [from, to] = [Math.max(run.first + 1, cursor.n - around), Math.min(run.last, cursor.n + around)]
  const steps = Array.from({ length: to - from + 1 }, (_, i) => from + i)
  const width = Math.max(0, ...steps.map(n => run.record(n).by.length))
  return steps.map(
    n =>
      `${n === cursor.n ? '>' : ' '} ${String(n).padStart(String(to).length)}  ${run.record(n).by.padEnd(width)}  ${describeStep(run, n).text}`,
  )
}

/** Nothing: what this step changed. A place: what is otherwise here than there. `on`, `off`: after every motion, or not. */
function changes(session: Session, rest: string): readonly string[] {
  const { run, cursor } = session
  if (rest === 'on' || rest === 'off') {
    session.showsChanges = rest === 'on'
    return rest === 'on' ? changes(session, '') : []
  }
  if (rest === '') return session.changed(cursor.n)
  const { line, where } = placeOf(session, rest)
  const of = session.line(line).run
  const there = Math.max(of.first, Math.min(session.line(line).cursor.placeOf(where), of.last))
  const place = of === run ? `step ${there}` : `step ${there} of ${line}`
  return [`${place} → step ${cursor.n}:`, ...changeText(changesBetween(run, there, cursor.n, of))]
}

function* change(session: Session, rest: string, back: boolean): Saying {
  const { run, cursor, system } = session
  if (rest === '') throw new Mistake('expected a path, such as 16, gpu0.table.16, frame.2.refs or mm0.registry.invalidate_seq')
  const path = pathOf(system, rest)
  const found = yield* searchingChange(run, path, back ? cursor.n : cursor.n + 1, back)
  if (found === 'stopped') return ['* stopped here: it may have changed farther on']
  if (found === undefined) {
    const begins = run.first === 0 ? 'at the beginning' : `where the log begins, at step ${run.first}`
    return [`${path.text}: ${path.show(cursor.world)}, ${back ? `as it was ${begins}` : 'and nothing changes it any more'}`]
  }
  return found.byHand ? handLines(run, found.n, path) : changeLines(run, found.n, path)
}

function whyCommand({ run, cursor }: Session, rest: string): readonly string[] {
  const of = pageOf(rest)
  if (of === undefined) throw new Mistake(`expected a page, such as 16 or mm0:16, got '${rest}'`)
  return whyLines(run, why(run, of.mm, of.page, cursor.n), lineWidth())
}

function watch({ cursor, system }: Session, rest: string): readonly string[] {
  if (rest !== '') cursor.watch(pathOf(system, rest))
  return cursor.watched.length === 0
    ? ['nothing is watched']
    : cursor.watched.map(path => `watching ${path.text}: ${path.show(cursor.world)}`)
}

function* searched(session: Session, searching: Searching): Saying {
  return session.told(yield* searching)
}

function conditional(session: Session, rest: string, back: boolean): Said {
  if (rest === '') throw new Mistake('expected a condition, such as 16 = none, do commit, changes gpu0.table.16 or noStaleDeviceMapping')
  return searched(session, session.cursor.searching([queryIn(session.run, rest)], back))
}

function goto(session: Session, rest: string): readonly string[] {
  const { line, where } = placeOf(session, rest)
  return session.goto(line, where)
}

export const COMMANDS: readonly Command[] = [
  { names: ['step', 's'], args: '[N]', help: 'one step on, or N', run: (s, rest) => s.told(s.cursor.step(countOf(rest))) },
  {
    names: ['reverse-step', 'rs'],
    args: '[N]',
    help: 'one step back, or N',
    run: (s, rest) => s.told(s.cursor.reverseStep(countOf(rest))),
  },
  {
    names: ['continue', 'c'],
    args: '',
    help: 'on to where something watched changes, or to the end',
    run: s => searched(s, s.cursor.searching()),
  },
  { names: ['reverse-continue', 'rc'], args: '', help: 'the same, back', run: s => searched(s, s.cursor.searching([], true)) },
  { names: ['until', 'u'], args: 'COND', help: 'on to where a condition holds', run: (s, rest) => conditional(s, rest, false) },
  { names: ['reverse-until', 'ru'], args: 'COND', help: 'the same, back', run: (s, rest) => conditional(s, rest, true) },
  {
    names: ['next', 'n'],
    args: '[ACTOR]',
    help: 'on to the next step of an actor',
    run: (s, rest) => s.told(s.cursor.next(actorOf(s, rest))),
  },
  {
    names: ['prev', 'p'],
    args: '[ACTOR]',
    help: 'back to the last step of an actor',
    run: (s, rest) => s.told(s.cursor.prev(actorOf(s, rest))),
  },
  { names: ['goto', 'g'], args: 'N | 50% | end | BOOKMARK', help: 'to a step', run: goto },
  { names: ['back'], args: '', help: 'to where you were before', run: s => s.revisit('back') },
  { names: ['forward'], args: '', help: 'to where you went back from', run: s => s.revisit('forward') },
  { names: ['where', 'when'], args: '', help: 'which step this is', run: s => [stepLine(s.run, s.cursor.n)] },
  { names: ['list', 'l'], args: '[N]', help: 'the steps around this one', run: list },
  { names: ['show', 'x'], args: `[PATH | ${PARTS.join(' | ')}]`, help: 'the state here, or a part of it', run: show },
  {
    names: ['changes', 'd'],
    args: '[N | BOOKMARK | on | off]',
    help: 'what this step changed; or what is not as it was at another; or so after every motion',
    run: changes,
  },
  { names: ['watch', 'w'], args: '[PATH]', help: 'stop where this changes, both ways', run: watch },
  {
    names: ['unwatch', 'uw'],
    args: 'PATH',
    help: 'stop no longer',
    run: (s, rest) => {
      if (!s.cursor.unwatch(rest)) throw new Mistake(`'${rest}' is not watched`)
      return watch(s, '')
    },
  },
  { names: ['last'], args: 'PATH', help: 'which step last changed this', run: (s, rest) => change(s, rest, true) },
  { names: ['then'], args: 'PATH', help: 'which step changes it next', run: (s, rest) => change(s, rest, false) },
  {
    names: ['why'],
    args: 'PAGE',
    help: 'who wrote this entry, which device entries came of it, and what should have ended them',
    run: whyCommand,
  },
  ...markCommands,
  ...branchCommands,
  { names: ['help', 'h', '?'], args: '[COMMAND]', help: 'this', run: (_, rest) => help(rest) },
  {
    names: ['quit', 'q', 'exit'],
    args: '',
    help: 'leave',
    run: s => {
      s.over = true
      return []
    },
  },
]

function help(name: string): readonly string[] {
  const asked = COMMANDS.filter(c => name === '' || c.names.includes(name))
  if (asked.length === 0) throw new Mistake(`no command '${name}'`)
  const width = lineWidth()
  const rows = asked.map((c): readonly [string, string] => [`${c.names.join(', ')} ${c.args}`.trimEnd(), c.help])
  return [...usages(rows, width), ...(name === '' ? MORE.flatMap(line => hung(`  ${line}`, width)) : [])]
}

const MORE = [
  'COND is a query as `log` has them: by ACTOR · do WHAT · page N · changes PATH · PATH = VALUE (!=, <, <=, >, >=) · an ORACLE · not, and, or, ( )',
  'An empty line does the last motion again; Tab completes.',
]

/** What a command is for stands beside it, or below it, where that is too long or there is no room. */
function usages(rows: readonly (readonly [usage: string, help: string])[], width: number): readonly string[] {
  const short = rows.map(([usage]) => usage.length).filter(length => length <= USAGE)
  const column = Math.max(...short, 0)
  const indent = ' '.repeat(width - column - 4 < ROOM ? 6 : column + 4)
  return rows.flatMap(([usage, help]) => {
    const told = wrapped(help, width - indent.length, 0)
    const fits = usage.length <= column && indent.length === column + 4
    return fits
      ? told.map((line, i) => (i === 0 ? `  ${usage.padEnd(column)}  ${line}` : `${indent}${line}`))
      : [...hung(`  ${usage}`, width), ...told.map(line => `${indent}${line}`)]
  })
}
/** Longer ones have a line for themselves. */
const USAGE = 34
/** What a command is for has at least so much room. */
const ROOM = 24

/** Does one line; what it has to say. Throws `Mistake` and what reading paths and conditions throws. */
export function execute(session: Session, line: string): Said {
  const [, name = '', rest = ''] = /^\s*(\S*)\s*(.*?)\s*$/.exec(line) ?? []
  if (name === '' || name.startsWith('#')) return []
  const command = COMMANDS.find(c => c.names.includes(name))
  if (command === undefined) {
    const hint = didYouMean(
      name,
      COMMANDS.flatMap(c => c.names),
    )
    throw new Mistake(`no command '${name}'${hint === '' ? '; help says which there are' : hint}`)
  }
  if (command.args === '' && rest !== '') throw new Mistake(`${name} takes nothing behind it, got '${rest}'`)
  return command.run(session, rest)
}
