/** Is a log what was written? Chain, order and digests, without any model; and what can be kept of one that is not. */
import type { System, World } from '../system/world.ts'
import { isCheckpoint, isEnd, isStep, type Damage, type LogRecord, type Scan } from './reader.ts'
import { beginning, digestOf, foldStep, FORMAT, type EndRecord } from './records.ts'
import { RecordWriter, type Sink } from './record-writer.ts'
import { decidedAgain, retold } from './retold.ts'
import { Told } from './told.ts'

export interface Verified {
  /** The format in which it was written. */
  readonly format: number
  readonly steps: number
  readonly checkpoints: number
  /** Bytes that can be believed. */
  readonly bytes: number
  readonly end: EndRecord | undefined
  readonly damage: Damage | undefined
  /** It was not read to its end, as whoever asked did not want to know more. */
  readonly stopped: boolean
}

/** Is told how far it is, in steps; answers false to stop. */
export type Progress = (step: number) => Promise<boolean> | boolean

/** Reads all of a log; names the first record that is not what was written. */
export async function verifyLog(scan: Scan, told: Progress = () => true): Promise<Verified> {
  let checkpoints = 0
  let end: EndRecord | undefined
  let stopped = false
  for (let next = scan.next(); next !== undefined; next = scan.next()) {
    const { record } = next
    stopped = isStep(record) && record.n % 1024 === 0 && !(await told(record.n))
    if (stopped) break
    if (isEnd(record)) end = record
    if (isCheckpoint(record)) checkpoints++
  }
  return {
    format: scan.format,
    steps: scan.after,
    checkpoints,
    bytes: scan.sound,
    end,
    damage: stopped ? undefined : scan.damage,
    stopped,
  }
}

export interface Repaired {
  /** The last whole step. */
  readonly steps: number
  readonly damage: Damage | undefined
}

/** Writes what can be believed of a log, and ends it there: the result is whole; undefined if it was stopped. */
export async function repairLog<M, F>(
  system: System<M, F>,
  scan: Scan,
  sink: Sink,
  told: Progress = () => true,
): Promise<Repaired | undefined> {
  const to = writerOf(scan, sink)
  let world: World<M> = beginning(system, scan.header)
  for (let next = scan.next(); next !== undefined; next = scan.next()) {
    const { record } = next
    if (isStep(record)) world = foldStep(system, world, record)
    put(to, record)
    if (isStep(record) && record.n % 1024 === 0 && !(await told(record.n))) return undefined
  }
  if (scan.damage === undefined) to.flush()
  else to.end({ end: scan.after, why: 'interrupted', digest: digestOf(system, world) })
  return { steps: scan.after, damage: scan.damage }
}

/**
 * Writes a log in this format, its steps in the words of today; the damage that it has, if any, is told, and nothing behind it
 * is written. Steps that this model does otherwise stay as they were told. `trunk`: of a branch, what the checksum of the log
 * is now that it leaves.
 */
export async function upcastLog<M, F>(
  system: System<M, F>,
  scan: Scan,
  sink: Sink,
  told: Progress = () => true,
  trunk?: string,
): Promise<{ readonly damage: Damage | undefined; readonly stopped: boolean }> {
  const to = writerOf(scan, sink, trunk)
  let world: World<M> = beginning(system, scan.header)
  for (let next = scan.next(); next !== undefined; next = scan.next()) {
    const { record } = next
    if (!isStep(record) || scan.format === FORMAT) put(to, record)
    else {
      const made = decidedAgain(system, world, record)
      put(to, made === undefined ? record : retold(system, made, record))
      world = made?.world ?? foldStep(system, world, record)
    }
    if (isStep(record) && record.n % 1024 === 0 && !(await told(record.n))) return { damage: undefined, stopped: true }
  }
  to.flush()
  return { damage: scan.damage, stopped: false }
}

/** Records that go to a file at once. */
const MANY = 4096

function writerOf({ header: { mirrorwalk: _, ...header } }: Scan, sink: Sink, trunk?: string): RecordWriter {
  const { from } = header
  return new RecordWriter({ ...header, ...(from === undefined || trunk === undefined ? {} : { from: { ...from, trunk } }) }, sink, MANY)
}

function put(to: RecordWriter, record: LogRecord): void {
  if (isStep(record)) to.step(new Told().record(record))
  else if (isCheckpoint(record)) to.checkpoint(record.checkpoint, record.world)
  else to.end(record)
}
