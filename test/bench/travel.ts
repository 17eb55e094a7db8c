/**
 * Time travel over a log of a million steps, in a process of its own, so that its memory is its own: opening, seeking, going
 * back, and asking where values came from. Figures as one line of JSON.
 */
import { existsSync, statSync } from 'node:fs'
import { Cursor, lastChange, openRecording, pathOf, why } from '../../src/inspect.ts'

export interface TravelFigures {
  readonly steps: number
  readonly bytes: number
  readonly indexBytes: number
  /** Milliseconds of CPU time. */
  readonly open: number
  readonly seek: Percentiles
  readonly back: Percentiles
  readonly last: Percentiles
  readonly why: Percentiles
  /** Bytes that the process had at most. */
  readonly peak: number
}
export interface Percentiles {
  readonly median: number
  readonly p99: number
  readonly most: number
}

function percentiles(times: number[]): Percentiles {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { median: at(0.5), p99: at(0.99), most: at(1) }
}

/** Milliseconds of CPU time of the process, its helpers included: figures hold on a busy machine. */
const timed = (run: () => void): number => {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e3
}

/** The same places in every run. */
function* places(count: number, last: number): Generator<number> {
  for (let i = 0, at = 12_345; i < count; i++, at = (at * 1_103_515_245 + 12_345) % 2_147_483_648) yield 1 + (at % last)
}

export function travel(path: string): TravelFigures {
  let recording: ReturnType<typeof openRecording> | undefined
  const open = timed(() => void (recording = openRecording(path)))
  if (recording === undefined) throw new Error('not opened')
  const run = recording
  const cursor = new Cursor(run)
  for (const n of places(20, run.last)) cursor.goto(n)
  const seek = percentiles([...places(400, run.last)].map(n => timed(() => void cursor.goto(n))))
  const back: number[] = []
  for (const n of places(8, run.last)) {
    cursor.goto(n)
    for (let i = 0; i < 1000; i++) back.push(timed(() => void cursor.reverseStep()))
  }
  const paths = [
    '16',
    'gpu0.table.48',
    'frame.2.refs',
    'mm0.registry.invalidate_seq',
    'mm0.pte.100',
    'frame.9.content',
    '400000',
    'frame.4000',
  ].map(text => pathOf(run.system, text))
  const last = percentiles([...places(20, run.last)].flatMap(n => paths.map(path => timed(() => void lastChange(run, path, n)))))
  const reasons = percentiles([...places(60, run.last)].map((n, i) => timed(() => void why(run, 'mm0', 16 + 32 * (i % 8) + (i % 16), n))))
  return {
    steps: run.last,
    bytes: statSync(path).size,
    indexBytes: existsSync(`${path}.idx`) ? statSync(`${path}.idx`).size : 0,
    open,
    seek,
    back: percentiles(back),
    last,
    why: reasons,
    peak: process.resourceUsage().maxRSS * 1024,
  }
}

const [path] = process.argv.slice(2)
if (path !== undefined && import.meta.filename === process.argv[1]) console.log(JSON.stringify(travel(path)))
