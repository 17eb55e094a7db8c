/** Files being opened, closed, read and written by system calls (fs/open.c, fs/read_write.c). */
import { fileOf, mmOf, pagesIn, type FileKind, type FileName, type Memory } from '../../memory/memory.ts'
import type { Outcome, Rules } from '../agenda.ts'
import { released } from '../test-hmm/dmirror-file.ts'
import { unreserved } from '../hugetlb/hugetlb-pool.ts'
import { drained } from '../pages/lru-batch.ts'
import type { Profile } from '../profiles.ts'
import { FILE_END, uncachedPages } from './truncate.ts'

/** Files without a name go with the last who has them; those on a file system, and devices, stay. */
const UNNAMED: ReadonlySet<FileKind> = new Set<FileKind>(['shmem', 'memfd', 'hugetlb'])

/** Does anybody have the file yet, open or mapped? */
const isHeld = (memory: Memory, file: FileName): boolean =>
  Object.values(memory.mms).some(mm => mm.open.includes(file) || mm.vmas.some(v => v.file === file))

/** `fput()`: the last one who has it closes it. */
function put(memory: Memory, name: FileName, profile: Profile): Outcome {
  if (memory.files[name] === undefined || isHeld(memory, name)) return {}
  const { kind, mirror } = fileOf(memory, name)
  if (mirror !== null) return { then: released({ who: name, ...mirror }, profile) }
  if (!UNNAMED.has(kind)) return {}
  const kept = unreserved(memory, name, 0, pagesIn(fileOf(memory, name)))
  return { facts: [...drained(memory), ...uncachedPages(memory, name, 0, FILE_END), ...kept, ['file', name, null]] }
}

export const fileRules = {
  open: (memory, { mm, file, kind, pfnMap }) => ({
    facts: [
      ...(memory.files[file] === undefined
        ? ([['file', file, { kind, size: 0, mirror: null, ...(pfnMap === undefined ? {} : { pfnMap }) }]] as const)
        : []),
      ['open', mm, [...mmOf(memory, mm).open, file]],
    ],
  }),
  close: (memory, { mm, file }) => ({
    facts: [['open', mm, mmOf(memory, mm).open.filter(f => f !== file)]],
    then: [{ do: 'fput', file }],
  }),
  fput: (memory, { file }, { profile }) => put(memory, file, profile),
} satisfies Partial<Rules>
