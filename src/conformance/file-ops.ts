/** The ops on files, which the recorder opens by names of its own. */
import { PAGE_SIZE } from '../memory/memory.ts'
import { Table } from '../memory/table.ts'
import type { Process } from './actors.ts'
import { returned } from './iv-ops.ts'
import { runLengths } from './observe.ts'
import type { Op } from './ops.ts'
import type { Result } from './recording.ts'
import type { Session } from './session.ts'

type FileOp = Op & { readonly op: 'file' | 'truncate' | 'punch' | 'pread' | 'pwrite' }

export function fileOp(session: Session, op: FileOp, by: Process): Result {
  if (op.op === 'file') return newFile(session, op, by)
  const file = by.files.get(op.name)
  // The recorder does not look at what `pread` answers.
  if (file === undefined) return op.op === 'pread' ? { ret: 0, val: [[op.count, 0]] } : { ret: -1, err: 'EBADF' }
  if (op.op === 'truncate') session.run(by.cpu, { do: 'ftruncate', file, size: op.pages * PAGE_SIZE })
  else {
    const pages = { file, start: op.first, end: op.first + op.count }
    if (op.op === 'punch') session.run(by.cpu, { do: 'punch_hole', ...pages })
    else if (op.op === 'pwrite') session.run(by.cpu, { do: 'pwrite', ...pages, value: op.value, bytes: 8 })
    else {
      session.run(by.cpu, { do: 'pread', ...pages })
      const { array } = session.told(by.cpu, 'returned') ?? { array: Table.empty }
      return { ret: 0, val: runLengths(Array.from({ length: op.count }, (_, i) => array.get(op.first + i))) }
    }
  }
  return returned(session, by.cpu)
}

/** A file of so many pages, the i-th of which begins with the number 1000 + i, or a hole. */
function newFile(session: Session, { name, fs, pages, hole }: Op & { readonly op: 'file' }, by: Process): Result {
  const file = session.memory.files[name] === undefined ? name : `${by.mm}.${name}`
  // Of two of one name, the recorder goes on with the first.
  if (!by.files.has(name)) by.files.set(name, file)
  session.run(by.cpu, { do: 'open', mm: by.mm, file, kind: fs })
  session.run(by.cpu, { do: 'ftruncate', file, size: pages * PAGE_SIZE })
  if (!hole) {
    if (fs === 'dax') session.run(by.cpu, { do: 'fallocate', file, start: 0, end: pages })
    session.run(by.cpu, { do: 'pwrite', file, start: 0, end: pages, value: 1000, bytes: PAGE_SIZE })
  }
  return { ret: 0 }
}
