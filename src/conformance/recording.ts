/**
 * Recordings of real kernels: JSON Lines, a program a line, plain or gzipped. What the fields mean is written in the
 * README beside the recordings; this file says what shape is believed, and refuses everything else by line and field.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** Rows of a page table: [first page, count, level, what, frames]. */
export type Row = readonly [first: number, count: number, level: number, what: string, frames?: number | readonly number[]]
/** A notifier event: ["start"|"end", event, first page, end page, blockable, owned]. */
export type EventRow = readonly [
  phase: string,
  event: string,
  start: number | string,
  end: number | string,
  blockable: number,
  owned: number,
]

export interface Observed {
  readonly ev: readonly EventRow[]
  readonly pt: readonly Row[]
}
export type Result = Readonly<Record<string, unknown>>

/** One step: what was asked, and what the kernel did; a last step may instead say where the kernel died. */
export interface Step {
  readonly op: string
  readonly res: Result
  readonly obs: Readonly<Record<string, Observed>>
  readonly oops?: string
}

export interface Program {
  readonly program: string
  readonly kernel: string
  readonly steps: readonly Step[]
}

/** The family of a program is the first word of its name. */
export const familyOf = (program: Program): string => program.program.split('-')[0] ?? program.program

/** A file that is no recording: which, where, what was expected and what came. */
export class BadRecording extends Error {
  override readonly name = 'BadRecording'
}

type Json = Readonly<Record<string, unknown>>
const isObject = (x: unknown): x is Json => typeof x === 'object' && x !== null && !Array.isArray(x)

/** The recordings in a file, or in all `.jsonl` and `.jsonl.gz` files below a folder, by name. */
export function recordingFiles(path: string): readonly string[] {
  let stat
  try {
    stat = statSync(path)
  } catch {
    throw new BadRecording(`${path}: no such file or folder. Give recordings (.jsonl, .jsonl.gz) or a folder of them.`)
  }
  if (!stat.isDirectory()) return [path]
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.jsonl(\.gz)?$/.test(name))
    .toSorted()
  if (files.length === 0) throw new BadRecording(`${path}: no recordings in this folder (files that end in .jsonl or .jsonl.gz)`)
  return files.map(name => join(path, name))
}

export function readRecording(path: string): readonly Program[] {
  return parseRecording(textOf(path), path)
}

function textOf(path: string): string {
  try {
    const bytes = readFileSync(path)
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  } catch (error) {
    throw new BadRecording(`${path}: cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Programs from the text of a recording; `name` is for messages. */
export function parseRecording(text: string, name: string): readonly Program[] {
  const programs: Program[] = []
  text.split('\n').forEach((line, i) => {
    if (line.trim() !== '') programs.push(parseProgram(line, `${name}:${i + 1}`))
  })
  if (programs.length === 0) throw new BadRecording(`${name}: no program in it; expected one a line, as JSON`)
  return programs
}

function parseProgram(line: string, where: string): Program {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (error) {
    throw new BadRecording(`${where}: not JSON (${error instanceof Error ? error.message : String(error)}); expected a recorded program`)
  }
  const { program, kernel, steps } = isObject(json) ? json : {}
  if (typeof program !== 'string' || typeof kernel !== 'string' || !Array.isArray(steps)) {
    throw new BadRecording(`${where}: expected {"program": name, "kernel": version, "steps": […]}, got ${line.slice(0, 60)}`)
  }
  return { program, kernel, steps: steps.map((step, i) => parseStep(step, `${where}: step ${i}`)) }
}

function parseStep(step: unknown, where: string): Step {
  if (!isObject(step) || typeof step['op'] !== 'string') throw new BadRecording(`${where}: expected {"op", "res", "obs"} or {"op", "oops"}`)
  const { op, res, obs, oops } = step
  if (typeof oops === 'string') return { op, res: {}, obs: {}, oops }
  if (!isObject(res) || !isObject(obs)) throw new BadRecording(`${where} (${op}): expected "res" and "obs" to be objects`)
  for (const [who, seen] of Object.entries(obs)) {
    if (!isObject(seen) || !Array.isArray(seen['ev']) || !Array.isArray(seen['pt'])) {
      throw new BadRecording(`${where} (${op}): expected "obs"."${who}" to have "ev" and "pt"`)
    }
  }
  return { op, res, obs: obs as Step['obs'] }
}
