/** `mirrorwalk upcast`: a log of an earlier format in this one; its notes and branches stay with it. */
import { basename } from 'node:path'
import { BadNotes, carryNotes } from '../log/notes.ts'
import { NotALog } from '../log/reader.ts'
import { FORMAT } from '../log/records.ts'
import { upcastLog } from '../log/verify.ts'
import { besides, moved } from './kept-log.ts'
import { damageText, systemOf } from './log-file.ts'
import { EXIT, print, printJson, UsageError, Work, type ExitCode } from './output.ts'
import { insteadOf, toFile } from './target.ts'
import { nothingWritten, told, withLog } from './verify.ts'

export interface UpcastFlags {
  readonly output?: string
  readonly json?: boolean
}

export async function upcastCommand(path: string, { output, json }: UpcastFlags): Promise<ExitCode> {
  const { format: from, sum: id } = await withLog(path, scan => scan)
  if (from === FORMAT && output === undefined) {
    if (json === true) printJson({ log: path, from, to: FORMAT, written: null })
    else print(`${path} is of format ${FORMAT}, the newest, already`)
    return EXIT.holds
  }
  const target = output ?? path
  const work = new Work()
  const { kept } = await insteadOf(path, target, `format-${from}`, sink =>
    withLog(path, async scan => {
      const { damage, stopped } = await upcastLog(systemOf(scan.header, path), scan, sink, told(work, 'written'))
      if (stopped) throw nothingWritten(path, work)
      if (damage !== undefined) throw new UsageError(`${damageText(path, damage)} Repair it first: npx mirrorwalk repair ${path}`)
    }),
  )
  const left = kept === null ? [] : await carried(path, kept, id)
  work.end()
  if (json === true) printJson({ log: path, from, to: FORMAT, written: target, kept, left })
  else {
    print(`${path}: from format ${from} to ${FORMAT}. Written: ${target}${kept === null ? '' : `; what was there is in ${kept}`}`)
    for (const file of left) print(`  ${file} could not be read, and stays there.`)
  }
  return EXIT.holds
}

/**
 * What stood beside the log that is kept now moves with it, and is written again for the new one: notes and branches say by
 * the checksum of its header which log they are of, and the header has another now. What cannot be read is told.
 */
async function carried(path: string, kept: string, id: string): Promise<readonly string[]> {
  const ends = besides(path)
  moved(path, kept)
  const now = await withLog(path, scan => scan.sum)
  const left: string[] = []
  for (const end of ends) {
    try {
      if (end === '.notes') carryNotes(`${kept}${end}`, id, `${path}${end}`, now)
      else if (!end.endsWith('.idx')) await carryBranch(`${kept}${end}`, id, `${path}${end}`, now)
    } catch (error) {
      if (
        !(error instanceof Error) ||
        !(error instanceof NotALog || error instanceof BadNotes || error instanceof UsageError || 'syscall' in error)
      )
        throw error
      left.push(basename(`${kept}${end}`))
    }
  }
  return left
}

/** A branch of the log with one checksum as a branch of that with another. */
async function carryBranch(from: string, of: string, to: string, now: string): Promise<void> {
  await withLog(from, async scan => {
    if (scan.header.from?.trunk !== of) throw new NotALog(`${from}: a branch of another log`)
    await toFile(to, async sink => void (await upcastLog(systemOf(scan.header, from), scan, sink, undefined, now)))
  })
}
