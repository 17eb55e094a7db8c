/** `mirrorwalk debug`: a log, or a run of a scenario, step by step and back; from a terminal, or by a script of commands. */
import { readFileSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import { CannotTake } from '../inspect/branch.ts'
import { stepLine } from '../inspect/draw.ts'
import { QueryError } from '../inspect/query/tokens.ts'
import type { Run } from '../inspect/recording.ts'
import { hung } from '../inspect/wrap.ts'
import { DamagedLog, type LogFile } from '../log/log-file.ts'
import { BadNotes } from '../log/notes.ts'
import type { Said } from './debug/command.ts'
import { execute } from './debug/commands.ts'
import { completed } from './debug/completion.ts'
import { Mistake } from './debug/mistake.ts'
import { Session } from './debug/session.ts'
import { keptText } from './kept-log.ts'
import { damageText } from './log-file.ts'
import { openRun, TRUNK } from './open.ts'
import { EXIT, lineWidth, plural, print, styled, UsageError, Work, type ExitCode } from './output.ts'
import { runProfile } from './run.ts'
import { loadScenario } from './scenario-file.ts'

export interface DebugFlags {
  readonly commands?: string
  readonly profile?: string
  readonly variant?: string
  readonly seed?: number
  readonly log?: string
}

const PROMPT = '(mirrorwalk) '

export async function debugCommand(file: string, flags: DebugFlags): Promise<ExitCode> {
  const path = /\.[cm]?[jt]s$/.test(file) ? await runFirst(file, flags) : alreadyRun(file, flags)
  const opened = openRun(path)
  const session = new Session(opened)
  const { log } = session
  const cut = log.end === undefined || log.end.why === 'at rest' ? '' : `, ${log.end.why}`
  say([`${log.header.title}: ${plural(log.last, 'step')}${cut}`])
  if (log.damage !== undefined) print(`? ${damageText(path, log.damage)}`)
  const { trouble } = session.notes
  say([
    ...beginningLines(opened.run, log),
    ...(trouble === undefined ? [] : [`? ${trouble}. What is noted is kept until you leave.`]),
    ...session.closed.map(([name, why]) => `? branch ${name} cannot be opened: ${why}`),
  ])
  if (flags.commands !== undefined) return script(session, commandsIn(flags.commands))
  if (!process.stdin.isTTY) return script(session, lines(createInterface({ input: process.stdin })))
  return interactive(session)
}

/** Where the log of a branch begins, and what comes before. */
function beginningLines({ first }: Run, { header: { from } }: LogFile): readonly string[] {
  if (from === undefined) return []
  const { name, of = 'a log', step } = from
  return first < step
    ? [`branch ${name}, which leaves ${of} at step ${step}`]
    : [`branch ${name}, which begins at step ${step}: what comes before is in the log that it leaves, and that does not stand beside it`]
}

function commandsIn(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch (error) {
    throw new UsageError(`${path}: cannot be read: ${error instanceof Error ? error.message : String(error)}. Expected a command a line.`)
  }
}

/** A log is looked at as it is: nothing says how it is to be run. */
function alreadyRun(file: string, flags: DebugFlags): string {
  const given = OF_A_SCENARIO.filter(name => flags[name] !== undefined).map(name => `--${name}`)
  if (given.length === 0) return file
  throw new UsageError(
    `${given.join(', ')}: of a scenario; ${file} is a log, which was run already. Expected a scenario (.ts, .js), or the log alone`,
  )
}
const OF_A_SCENARIO = ['profile', 'variant', 'seed', 'log'] as const

/** A scenario is run first, and its log is looked at. */
async function runFirst(file: string, flags: DebugFlags): Promise<string> {
  const scenario = await loadScenario(file)
  const profile = flags.profile ?? scenario.profiles[0] ?? ''
  const variant = flags.variant ?? scenario.variants[0]
  const { log, kept } = await runProfile(file, scenario, profile, {
    ...(variant === undefined ? {} : { variant }),
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    ...(flags.log === undefined ? {} : { log: flags.log }),
    timeline: 'none',
  })
  if (log === null) throw new Error('a run that was to be logged has no log')
  if (kept !== undefined) print(keptText(kept))
  return log
}

const isMistake = (error: unknown): error is Error =>
  [Mistake, QueryError, BadNotes, CannotTake, DamagedLog].some(kind => error instanceof kind)

/** Does one line, and prints what it says. Was it understood? */
async function perform(session: Session, line: string, work = new Work()): Promise<boolean> {
  try {
    const said = execute(session, line)
    say(isTold(said) ? said : await finished(said, session, work))
    return true
  } catch (error) {
    if (!isMistake(error)) throw error
    say(`? ${error.message}`.split('\n'))
    return false
  } finally {
    session.arrived()
    work.end()
  }
}

/** Lines that are too long for the terminal go on further in. */
const say = (lines: readonly string[]): void => lines.forEach(line => hung(line, lineWidth()).forEach(part => print(part)))

const isTold = (said: Said): said is readonly string[] => Array.isArray(said)

async function finished(saying: Exclude<Said, readonly string[]>, { run }: Session, work: Work): Promise<readonly string[]> {
  for (;;) {
    const { done, value } = saying.next(work.stopped)
    if (done === true) {
      // What was shown of it makes room.
      work.end()
      return value
    }
    await work.breathe(() =>
      typeof value === 'string'
        ? `${value}; Ctrl-C stops there`
        : `looks at step ${value.toLocaleString('en')} of ${run.last.toLocaleString('en')}; Ctrl-C stops there`,
    )
  }
}

async function* lines(input: Interface): AsyncGenerator<string> {
  for await (const line of input) yield line
}

/** Every command is shown with what it says: a transcript. */
async function script(session: Session, commands: Iterable<string> | AsyncIterable<string>): Promise<ExitCode> {
  let understood = true
  for await (const read of commands) {
    if (session.over) break
    // As editors of other systems write files.
    const line = read.replace(/^\ufeff|\r$/g, '')
    if (line.trim() === '') continue
    print(`${prompt(session)}${line}`)
    understood = (await perform(session, line)) && understood
  }
  return understood ? EXIT.holds : EXIT.usage
}

const prompt = ({ here }: Session): string => (here.name === TRUNK ? PROMPT : `(${here.name}) `)

/** Motions that an empty line does again. */
const AGAIN = /^\s*(s|step|rs|reverse-step|c|continue|rc|reverse-continue|n|next|p|prev|u|until|ru|reverse-until|t|take)\b/

async function interactive(session: Session): Promise<ExitCode> {
  const input = createInterface({
    input: process.stdin,
    output: process.stdout,
    completer: (line: string) => completed(session, line),
  })
  say([stepLine(session.run, session.cursor.n)])
  for (const line of hung('help says which commands there are; until COND and why PAGE are good ones to begin with', lineWidth()))
    print(styled('dim', line))
  let again = ''
  const ask = (): void => {
    input.setPrompt(prompt(session))
    input.prompt()
  }
  // As in a shell, Ctrl-C stops what is being done, or gives up what is being typed; Ctrl-D leaves.
  let work: Work | undefined
  input.on('SIGINT', () => {
    if (work !== undefined) return work.stop()
    if (input.line === '') print('', 'quit, or Ctrl-D, leaves')
    else print()
    input.write(null, { ctrl: true, name: 'e' })
    input.write(null, { ctrl: true, name: 'u' })
    ask()
  })
  ask()
  for await (const typed of input) {
    const line = typed.trim() === '' ? again : typed
    if (line !== '') await perform(session, line, (work = new Work()))
    work = undefined
    again = AGAIN.test(line) ? line : ''
    if (session.over) break
    ask()
  }
  input.close()
  return EXIT.holds
}
