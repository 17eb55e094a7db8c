/**
 * A log that a run is about to replace: where notes or branches stand beside it, nobody could read them any more. What is run
 * again is written beside it first; if that is the same log, all stays as it is, and if not, the old one moves aside with them.
 */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, parse } from 'node:path'
import { partOf, readAt } from '../log/files.ts'

export interface Replacing {
  /** Where the new log is to be written. */
  readonly path: string
  /** It is written: puts it in its place. The name under which the old one is kept, if it had to move. */
  done(): string | undefined
}

export function replacing(path: string): Replacing {
  if (!existsSync(path) || besides(path).length === 0) return { path, done: () => undefined }
  const part = partOf(path)
  return {
    path: part,
    done() {
      const kept = isSame(path, part) ? undefined : movedAside(path)
      for (const end of ['', '.idx']) {
        if (kept === undefined) rmSync(`${part}${end}`, { force: true })
        else if (existsSync(`${part}${end}`)) renameSync(`${part}${end}`, `${path}${end}`)
      }
      return kept
    },
  }
}

export const keptText = (kept: string): string => `The log that was there before is kept as ${kept}, with its notes and branches.`

/** What else there is of a log: its notes, and its branches with what there is of them. */
export function besides(path: string): readonly string[] {
  const name = basename(path)
  return readdirSync(dirname(path)).flatMap(file => {
    const end = file.startsWith(name) ? file.slice(name.length) : ''
    return (end === '.notes' || end.startsWith('.branch-')) && !end.endsWith('.part') ? [end] : []
  })
}

/** Moves what else there is of a log. */
export function moved(from: string, to: string): void {
  for (const end of besides(from)) renameSync(`${from}${end}`, `${to}${end}`)
}

function movedAside(path: string): string {
  const kept = freeName(path)
  moved(path, kept)
  if (existsSync(`${path}.idx`)) renameSync(`${path}.idx`, `${kept}.idx`)
  renameSync(path, kept)
  return kept
}

function freeName(path: string): string {
  const { dir, name, ext } = parse(path)
  for (let i = 1; ; i++) {
    const kept = join(dir, `${name}-before${i === 1 ? '' : i}${ext}`)
    if (!existsSync(kept) && besides(kept).length === 0) return kept
  }
}

const AT_ONCE = 1 << 16

function isSame(a: string, b: string): boolean {
  const files = [openSync(a, 'r'), openSync(b, 'r')] as const
  try {
    if (fstatSync(files[0]).size !== fstatSync(files[1]).size) return false
    for (let at = 0; ; at += AT_ONCE) {
      const [x, y] = [readAt(files[0], at, at + AT_ONCE), readAt(files[1], at, at + AT_ONCE)]
      if (!x.equals(y)) return false
      if (x.length < AT_ONCE) return true
    }
  } finally {
    for (const file of files) closeSync(file)
  }
}
