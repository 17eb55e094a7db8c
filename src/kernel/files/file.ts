/** Files being opened, closed, read and written by system calls (fs/open.c, fs/read_write.c). */
import { fileOf, mmOf, pagesIn, type FileName, type Memory } from '../../memory/memory.ts'
import type { Outcome, Rules } from '../agenda.ts'
import { released } from '../test-hmm/dmirror-file.ts'
import { goesWithLast } from './fdget.ts'
import { unreserved } from '../hugetlb/hugetlb-pool.ts'
import { drained } from '../pages/lru-batch.ts'
import type { Profile } from '../profiles.ts'
import { FILE_END, uncachedPages } from './truncate.ts'

/** Does anybody have the file yet, open or mapped, or is at work with it, but for so many calls? Who releases it has it. */
const isHeld = (memory: Memory, file: FileName, but = 0): boolean =>
  fileOf(memory, file).released === true ||
  (fileOf(memory, file).calls ?? 0) > but ||
  Object.values(memory.mms).some(mm => mm.open.includes(file) || mm.vmas.some(v => v.file === file))

/** `fput()`: the last one who has it closes it. */
function put(memory: Memory, name: FileName, profile: Profile): Outcome {
  if (memory.files[name] === undefined || isHeld(memory, name)) return {}
  const file = fileOf(memory, name)
  if (!goesWithLast(file)) return {}
  if (file.mirror !== null) return { along: [['release', name]], then: released({ who: name, ...file.mirror }, profile) }
  const kept = unreserved(memory, name, 0, pagesIn(file))
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
  close: (memory, { mm, file }) => {
    const { open } = mmOf(memory, mm)
    if (!open.includes(file)) return { fail: 'EBADF' }
    return { facts: [['open', mm, open.filter(f => f !== file)]], then: [{ do: 'fput', file }] }
  },
  fdput: (memory, { file }) => ({ facts: [['fget', file, -1]], then: isHeld(memory, file, 1) ? [] : [{ do: 'fput', file }] }),
  fput: (memory, { file }, { profile }) => put(memory, file, profile),
} satisfies Partial<Rules>
