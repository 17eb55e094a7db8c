/** `mirrorwalk log`: the steps of a log as a timeline, all or those that a query means; statistics; a log that is being written. */
import { closeSync } from 'node:fs'
import { isLocal, testOf } from '../inspect/query/condition.ts'
import { lastMeant, Matcher } from '../inspect/query/match.ts'
import { parseQuery } from '../inspect/query/parse.ts'
import type { Query } from '../inspect/query/query.ts'
import { momentOf, Retracing, type Retraced } from '../inspect/retrace.ts'
import { Counting, type Statistics } from '../inspect/statistics.ts'
import { timeline, type TimelineStep } from '../inspect/timeline.ts'
import { GrowingLines } from '../log/lines.ts'
import { followLog, isEnd, isStep, scanLog, type Scan } from '../log/reader.ts'
import { firstOf, type EndRecord } from '../log/records.ts'
import type { LinuxSystem } from '../scenario/standard.ts'
import { damageOf, damageText, opened, stoppedText, systemOf } from './log-file.ts'
import { columns, EXIT, harmless, plural, print, printJson, styled, table, UsageError, Work, type ExitCode } from './output.ts'

export interface LogFlags {
  readonly actor?: readonly string[]
  readonly type?: readonly string[]
  readonly page?: number
  readonly from?: number
  readonly to?: number
  readonly stats?: boolean
  readonly follow?: boolean
  readonly json?: boolean
}

/** The words on the command line and the flags, as one query. */
function queryOf(system: LinuxSystem, words: readonly string[], { actor, type, page, from, to }: LogFlags): Query {
  const quoted = (names: readonly string[]): string => names.map(name => `"${name.replaceAll('"', '')}"`).join(',')
  const parts = [
    ...(words.length === 0 ? [] : [`(${words.join(' ')})`]),
    ...(actor === undefined ? [] : [`actor ${quoted(actor)}`]),
    ...(type === undefined ? [] : [`type ${quoted(type)}`]),
    ...(page === undefined ? [] : [`page ${page}`]),
    ...(from === undefined && to === undefined ? [] : [`step ${from ?? 0}..${to ?? ''}`]),
  ]
  // What was written is read alone first, so that its mistakes are shown where they are.
  if (words.length > 0) parseQuery(words.join(' '), system)
  return parseQuery(parts.length === 0 ? 'all' : parts.join(' and '), system)
}

export async function logCommand(path: string, words: readonly string[], flags: LogFlags): Promise<ExitCode> {
  const fd = opened(path)
  try {
    return await (flags.follow === true ? follow(path, fd, words, flags) : show(path, fd, words, flags))
  } finally {
    closeSync(fd)
  }
}

/** What of a step is kept to be shown. */
type Shown = TimelineStep
const shownOf = ({ n, by, text, quiet, after }: Retraced): Shown => ({ n, by, text, quiet, ...(after === undefined ? {} : { after }) })
/** What of one is kept that waits to be shown: not its worlds. */
type Kept = Shown & Pick<Retraced, 'record' | 'calls'>
const asJson = ({ record, calls }: Pick<Retraced, 'record' | 'calls'>): void => printJson({ ...record, calls })

function showHead({ header }: Scan): void {
  const { title, model, chooser, seed } = header
  print(`${styled('bold', title)}  ${styled('dim', `model ${model}, ${chooser}${seed === null ? '' : ` (seed ${seed})`}`)}`, '')
}

async function show(path: string, fd: number, words: readonly string[], flags: LogFlags): Promise<ExitCode> {
  const { header } = scanLog(fd, path)
  const system = systemOf(header, path)
  const query = queryOf(system, words, flags)
  const work = new Work()
  const meant = await testFor(path, fd, system, query, work)
  // What is counted or given to programs goes by; a timeline needs all of its steps.
  const shown: Shown[] = []
  const counting = new Counting()
  const scan = scanLog(fd, path)
  let end: EndRecord | undefined
  let astray: number | undefined
  for await (const step of stepsOf(scan, system, lastMeant(query), work, record => (end = record))) {
    astray = step.astray
    if (!meant(step.step)) continue
    if (flags.stats === true) counting.see(step.step)
    else if (flags.json === true) asJson(step.step)
    else shown.push(shownOf(step.step))
  }
  work.end()
  if (flags.stats === true) showStatistics(counting.statistics, scan, flags)
  else if (flags.json !== true) {
    showHead(scan)
    for (const line of timeline(shown, { width: columns(), styled })) print(line)
    print(shown.length === 0 ? 'no step matches' : '')
    showTail(shown.length, scan, end, astray)
    const { from } = scan.header
    if (from !== undefined)
      print(
        styled(
          'dim',
          `These are the steps of branch '${from.name}' alone, from ${from.step + 1} on: those before are in the log that it leaves.`,
        ),
      )
  }
  return ended(path, scan, work, flags)
}

/** The steps of a log, one after the other, up to the last that can be meant; behind it, only its end is of interest. */
async function* stepsOf(
  scan: Scan,
  system: LinuxSystem,
  last: number,
  work: Work,
  ended: (record: EndRecord) => void = () => {},
): AsyncGenerator<{ readonly step: Retraced; readonly astray: number | undefined }> {
  const retracing = Retracing.of(system, scan.header)
  for (let next = scan.next(); next !== undefined && !work.stopped; next = scan.next()) {
    if (isEnd(next.record)) ended(next.record)
    if (isStep(next.record) && next.record.n <= last) {
      const step = retracing.see(next.record)
      yield { step, astray: retracing.astray }
    }
    await work.breathe(() => `${plural(scan.after, 'step')} read`)
  }
}

/** Is a step meant? Where that may depend on later ones, the log is read once before. */
async function testFor(path: string, fd: number, system: LinuxSystem, query: Query, work: Work): Promise<(step: Retraced) => boolean> {
  if (isLocal(query)) {
    const test = testOf(query, system)
    return step => test(momentOf(step))
  }
  const scan = scanLog(fd, path)
  const matcher = new Matcher(system, query, firstOf(scan.header) + 1)
  for await (const { step } of stepsOf(scan, system, Infinity, work)) matcher.see(momentOf(step))
  const meant = new Set(matcher.meant())
  return ({ n }) => meant.has(n)
}

/** How the reading of a log ended, if not with the log: to who reads, or, where output is for programs, beside it. */
function ended(path: string, scan: Scan, work: Work, flags: LogFlags): ExitCode {
  const damage = damageOf(scan, work)
  const lines = [
    ...(damage === undefined ? [] : [`${styled('yellow', '?')} ${damageText(path, damage)}`]),
    ...(work.stopped ? [stoppedText(scan)] : []),
  ]
  for (const line of lines) {
    if (flags.json === true) process.stderr.write(`${harmless(line)}\n`)
    else print(line)
  }
  return lines.length === 0 ? EXIT.holds : EXIT.unknown
}

function showTail(shown: number, scan: Scan, end: EndRecord | undefined, astray: number | undefined): void {
  const how = end === undefined ? '' : `; the run ended ${end.why === 'at rest' ? 'with everybody at rest' : end.why}`
  print(`${plural(shown, 'step')} of ${scan.after.toLocaleString('en')}${how}.`)
  if (astray !== undefined)
    print(styled('dim', `From step ${astray} on, this model does otherwise than the one that wrote the log: calls are not shown there.`))
}

function showStatistics(statistics: Statistics, scan: Scan, flags: LogFlags): void {
  const perStep = scan.after === 0 ? 0 : Math.round(scan.sound / scan.after)
  if (flags.json === true) return printJson({ ...statistics, all: scan.after, bytes: scan.sound, bytesPerStep: perStep })
  showHead(scan)
  print(
    `${plural(statistics.steps, 'step')} of ${scan.after.toLocaleString('en')}, from ${statistics.first} to ${statistics.last}; ${plural(statistics.calls, 'call')} between actors; ${plural(statistics.waited, 'step')} had to wait; ${perStep} bytes a step.`,
    '',
  )
  for (const lines of tables(statistics)) for (const line of [...lines, '']) print(line)
}

const MOST = 15
const tables = ({ actors, types, kinds, facts }: Statistics): readonly (readonly string[])[] =>
  (
    [
      ['actor', actors],
      ['does', types],
      ['kind of step', kinds],
      ['kind of fact', facts],
    ] as const
  ).map(([head, counts]) =>
    table([[head, 'how often'], ...counts.slice(0, MOST).map(([name, n]) => [name, n.toLocaleString('en')])]).concat(
      counts.length > MOST ? [styled('dim', `and ${counts.length - MOST} more`)] : [],
    ),
  )

const POLL_MS = 100

/** Shows steps as they come, until the log ends; one that is only known to be meant later comes then. */
async function follow(path: string, fd: number, words: readonly string[], flags: LogFlags): Promise<ExitCode> {
  if (flags.stats === true)
    throw new UsageError('--stats counts the steps of a log, --follow shows them while it grows: expected one of them')
  const work = new Work()
  const lines = new GrowingLines(fd)
  while (!lines.ready && !work.stopped) await pause()
  if (!lines.ready) {
    work.end()
    throw new UsageError(`${path}: stopped before its header was there`)
  }
  const scan = followLog(lines, path)
  const system = systemOf(scan.header, path)
  const query = queryOf(system, words, flags)
  const retracing = Retracing.of(system, scan.header)
  const matcher = new Matcher(system, query, firstOf(scan.header) + 1)
  const waiting = new Map<number, Kept>()
  if (flags.json !== true) showHead(scan)
  while (!work.stopped) {
    let came = 0
    for (let next = scan.next(); next !== undefined; next = scan.next()) {
      if (!isStep(next.record)) continue
      const step = retracing.see(next.record)
      if (matcher.see(momentOf(step))) waiting.set(step.n, { ...shownOf(step), record: step.record, calls: step.calls })
      await work.breathe(() => `${plural(scan.after, 'step')} read`)
      if (work.stopped || ++came === AT_ONCE) break
    }
    if (came > 0 || scan.ended) showNew(matcher, waiting, scan.ended, flags)
    if (scan.ended || (scan.damage !== undefined && scan.damage.cut !== true)) break
    if (came < AT_ONCE) await pause()
  }
  work.end()
  return ended(path, scan, work, flags)
}

/** Steps that are read before those are shown that are meant. */
const AT_ONCE = 4096
const pause = (): Promise<void> => new Promise(resolve => void setTimeout(resolve, POLL_MS))

function showNew(matcher: Matcher, waiting: Map<number, Kept>, all: boolean, flags: LogFlags): void {
  for (const n of matcher.meant({ all })) {
    const step = waiting.get(n)
    if (step === undefined) continue
    waiting.delete(n)
    if (flags.json === true) asJson(step)
    else
      print(
        `${styled('dim', String(n))}  ${step.by}  ${step.after === undefined ? step.text : `${step.text} (had to wait for ${step.after})`}`,
      )
  }
}
