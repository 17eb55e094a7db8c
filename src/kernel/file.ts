/** Files being opened, closed, read and written by system calls (fs/open.c, fs/read_write.c). */
import { frameOf, isPresent, isSwap, NONE, slotOf } from '../memory/entry.ts'
import { cached, type Fact } from '../memory/facts.ts'
import { fileOf, mmOf, type FileKind, type FileName, type Memory } from '../memory/memory.ts'
import type { Outcome, Rules } from './agenda.ts'
import { released } from './dmirror-file.ts'

/** Files without a name go with the last who has them; those on a file system, and devices, stay. */
const UNNAMED: ReadonlySet<FileKind> = new Set<FileKind>(['shmem', 'memfd', 'hugetlb'])

/** Does anybody have the file yet, open or mapped? */
const isHeld = (memory: Memory, file: FileName): boolean =>
  Object.values(memory.mms).some(mm => mm.open.includes(file) || mm.vmas.some(v => v.file === file))

/** What the file had cached, in memory and in swap, is given back. */
function forget(memory: Memory, name: FileName): readonly Fact[] {
  const facts: Fact[] = []
  const { cache } = fileOf(memory, name)
  for (const [index, count] of cache.runs()) {
    for (let i = index; i < index + count; i++) {
      const entry = cache.get(i)
      facts.push(cached(name, i, NONE))
      if (isPresent(entry)) facts.push(['refs', frameOf(entry), 1, -1])
      else if (isSwap(entry)) facts.push(['swap-refs', slotOf(entry), -1])
    }
  }
  return [...facts, ['file', name, null]]
}

/** `fput()`: the last one who has it closes it. */
function put(memory: Memory, name: FileName): Outcome {
  if (memory.files[name] === undefined || isHeld(memory, name)) return {}
  const { kind, mirror } = fileOf(memory, name)
  if (mirror !== null) return { then: released({ who: name, ...mirror }) }
  return UNNAMED.has(kind) ? { facts: forget(memory, name) } : {}
}

export const fileRules = {
  open: (memory, { mm, file, kind }) => ({
    facts: [
      ...(memory.files[file] === undefined ? ([['file', file, { kind, size: 0, mirror: null }]] as const) : []),
      ['open', mm, [...mmOf(memory, mm).open, file]],
    ],
  }),
  close: (memory, { mm, file }) => ({
    facts: [['open', mm, mmOf(memory, mm).open.filter(f => f !== file)]],
    then: [{ do: 'fput', file }],
  }),
  fput: (memory, { file }) => put(memory, file),
} satisfies Partial<Rules>
