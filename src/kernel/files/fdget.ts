/** The files that system calls are on (`fdget()`, `fdput()`, fs/file.c). */
import type { File, FileKind, FileName, Memory } from '../../memory/memory.ts'
import type { Item, SystemCalls } from '../agenda.ts'

/** Files without a name go with the last who has them, and the test driver's do something then; those on a file system stay. */
const UNNAMED: ReadonlySet<FileKind> = new Set<FileKind>(['shmem', 'memfd', 'hugetlb'])
export const goesWithLast = ({ kind, mirror }: File): boolean => mirror !== null || UNNAMED.has(kind)

type Call = Item<keyof SystemCalls>
/** The file that a call is on, if on one; those of the test driver go by the names of their actors. */
function fileNamed(call: Call): FileName | undefined {
  switch (call.do) {
    case 'mmap':
      return typeof call.of === 'string' ? undefined : call.of.file
    case 'close':
    case 'ftruncate':
    case 'fallocate':
    case 'punch_hole':
    case 'pread':
    case 'pwrite':
      return call.file
    case 'dmirror_read':
    case 'dmirror_write':
    case 'dmirror_migrate_to_device':
    case 'dmirror_migrate_to_system':
    case 'dmirror_snapshot':
    case 'dmirror_exclusive':
    case 'dmirror_check_exclusive':
    case 'dmirror_release':
      return call.who
    default:
      return undefined
  }
}

/** How a call begins: on no open file it ends at once; `held`: the file to which it takes a reference. */
export interface Begun {
  readonly isBad: boolean
  readonly held: FileName | null
}

/**
 * A file that could not be opened, or is closed, is none. `shared`: the process has other threads, which could close it
 * meanwhile; the reference is only for that, and only matters for files that end with the last one.
 */
export function fdget(memory: Memory, call: Call, shared: boolean): Begun {
  const name = fileNamed(call)
  if (name === undefined) return { isBad: false, held: null }
  const file = memory.files[name]
  if (file === undefined || !Object.values(memory.mms).some(mm => mm.open.includes(name))) return { isBad: true, held: null }
  return { isBad: false, held: shared && call.do !== 'close' && goesWithLast(file) ? name : null }
}
