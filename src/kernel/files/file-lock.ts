/**
 * The two locks of a file: `i_rwsem`, which system calls that change it take, and `invalidate_lock` (in ext4 `i_mmap_sem` before
 * v5.15), which keeps faults on a file on DAX out while it loses blocks. Both are in memory; who has to wait calls an actor that
 * never answers.
 */
import type { FileLock, FileName } from '../../memory/memory.ts'
import type { Agenda, Item, Rules, SystemCalls } from '../agenda.ts'
import { FOLIO_LOCK } from '../names.ts'
import { call, type Calls } from '../offer.ts'

/** The lock around a body: shared, or alone. It is taken with the first action of the body, and released with the next one after it. */
export const fileLocked = (file: FileName, lock: FileLock, shared: boolean, body: Agenda): Agenda => [
  { do: 'file_lock', file, lock, shared, body },
]

/** A system call, under `i_rwsem` if it changes its file. */
export function inodeLocked(statement: Item<keyof SystemCalls>): Agenda {
  switch (statement.do) {
    case 'ftruncate':
    case 'fallocate':
    case 'punch_hole':
    case 'pwrite':
      return fileLocked(statement.file, 'i_rwsem', false, [statement])
    default:
      return [statement]
  }
}

/** A wait for whoever has a lock of a file. */
export const waitForFile = (file: FileName, lock: FileLock): Calls => [call(FOLIO_LOCK, 'file_unlock', { file, lock })]

export const fileLockRules = {
  file_lock: ({ files }, { file, lock, shared, body }) => {
    const held = files[file]?.[lock] ?? 0
    if (shared ? held < 0 : held !== 0) return { calls: waitForFile(file, lock) }
    return { along: [['file-lock', file, lock, shared ? 1 : -1]], then: [...body, { do: 'file_unlock', file, lock, shared }] }
  },
  file_unlock: ({ files }, { file, lock, shared }) =>
    files[file] === undefined ? {} : { along: [['file-lock', file, lock, shared ? -1 : 1]] },
} satisfies Partial<Rules>
