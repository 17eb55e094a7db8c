/** `mirrorwalk log`: the steps of a log as a timeline, all or those that a query means; statistics; a log that is being written. */
import { closeSync } from 'node:fs'
import { lastMeant, Matcher } from '../inspect/query/match.ts'
import { parseQuery } from '../inspect/query/parse.ts'
import type { Query } from '../inspect/query/query.ts'
import { momentOf, Retracing, type Retraced } from '../inspect/retrace.ts'
import { Counting, type Statistics } from '../inspect/statistics.ts'
import { timeline } from '../inspect/timeline.ts'
import { followLog, isEnd, isStep, scanLog, type Scan } from '../log/reader.ts'
import { firstOf, type EndRecord } from '../log/records.ts'
import type { LinuxSystem } from '../scenario/standard.ts'
import { damageOf, damageText, opened, stoppedText, systemOf } from './log-file.ts'
import { columns, EXIT, harmless, plural, print, printJson, styled, table, Work, type ExitCode } from './output.ts'

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

/** Steps as they are kept to be shown: without the worlds. */
type Shown = Omit<Retraced, 'before' | 'world'>
const shownOf = ({ before: _before, world: _world, ...shown }: Retraced): Shown => shown
const asJson = ({ record, calls }: Shown): void => printJson({ ...record, calls })

function showHead({ header }: Scan): void {
  const { title, model, chooser, seed } = header
  print(`${styled('bold', title)}  ${styled('dim', `model ${model}, ${chooser}${seed === null ? '' : ` (seed ${seed})`}`)}`, '')
}

async function show(path: string, fd: number, words: readonly string[], flags: LogFlags): Promise<ExitCode> {
  const scan = scanLog(fd, path)
  const system = systemOf(scan.header, path)
  const query = queryOf(system, words, flags)
  const retracing = Retracing.of(system, scan.header)
  const matcher = new Matcher(system, query, firstOf(scan.header) + 1)
  const last = lastMeant(query)
  const work = new Work()
  const candidates: Shown[] = []
  let end: EndRecord | undefined
  for (let next = scan.next(); next !== undefined && !work.stopped; next = scan.next()) {
    if (isEnd(next.record)) end = next.record
    // Behind the last step that can be meant, only what the log comes to is of interest.
    if (!isStep(next.record) || next.record.n > last) continue
    const step = retracing.see(next.record)
    if (matcher.see(momentOf(step))) candidates.push(shownOf(step))
    await work.breathe(() => `${plural(scan.after, 'step')} read`)
  }
  work.end()
  const meant = new Set(matcher.meant())
  const shown = candidates.filter(step => meant.has(step.n))
  if (flags.stats === true) showStatistics(shown, scan, flags)
  else if (flags.json === true) for (const step of shown) asJson(step)
  else {
    showHead(scan)
    for (const line of timeline(shown, { width: columns(), styled })) print(line)
    print(shown.length === 0 ? 'no step matches' : '')
    showTail(shown.length, scan, end, retracing)
  }
  return ended(path, scan, work, flags)
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

function showTail(shown: number, scan: Scan, end: EndRecord | undefined, { astray }: Retracing): void {
  const how = end === undefined ? '' : `; the run ended ${end.why === 'at rest' ? 'with everybody at rest' : end.why}`
  print(`${plural(shown, 'step')} of ${scan.after.toLocaleString('en')}${how}.`)
  if (astray !== undefined)
    print(styled('dim', `From step ${astray} on, this model does otherwise than the one that wrote the log: calls are not shown there.`))
}

function showStatistics(steps: readonly Shown[], scan: Scan, flags: LogFlags): void {
  const counting = new Counting()
  for (const step of steps) counting.see(step)
  const { statistics } = counting
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
  const scan = followLog(fd, path)
  const system = systemOf(scan.header, path)
  const query = queryOf(system, words, flags)
  const retracing = Retracing.of(system, scan.header)
  const matcher = new Matcher(system, query, firstOf(scan.header) + 1)
  const waiting = new Map<number, Shown>()
  const work = new Work()
  if (flags.json !== true) showHead(scan)
  while (!work.stopped) {
    let came = false
    for (let next = scan.next(); next !== undefined; next = scan.next()) {
      came = true
      if (!isStep(next.record)) continue
      const step = retracing.see(next.record)
      if (matcher.see(momentOf(step))) waiting.set(step.n, shownOf(step))
    }
    if (came) showNew(matcher, waiting, flags)
    if (scan.ended || scan.damage?.cut !== true) break
    await new Promise(resolve => void setTimeout(resolve, POLL_MS))
  }
  work.end()
  if (scan.ended) return EXIT.holds
  if (scan.damage !== undefined && flags.json !== true) print(`${styled('yellow', '?')} ${damageText(path, scan.damage)}`)
  return EXIT.unknown
}

function showNew(matcher: Matcher, waiting: Map<number, Shown>, flags: LogFlags): void {
  for (const n of matcher.meant()) {
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
