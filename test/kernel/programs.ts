/**
 * Random programs in the recorder's words, for property tests: all kinds of mappings, children, devices and files, over a
 * small arena, so that operations meet.
 */
import * as fc from '../chance.ts'

const PROTS = ['rw', 'rw', 'rw', 'r', '-']
const ADVICE = [
  'dontneed',
  'free',
  'cold',
  'pageout',
  'pageout',
  'popr',
  'popw',
  'huge',
  'nohuge',
  'collapse',
  'dontfork',
  'dofork',
  'wipeonfork',
]
const DEVICE = ['dread', 'dwrite', 'dtodev', 'dtodev', 'dtosys', 'dsnap', 'dexcl', 'dchk', 'drel']

/** Some small pages, or two blocks of 2 MiB and parts of them. */
const pages = fc.oneof(
  { arbitrary: fc.tuple(fc.integer({ min: 16, max: 30 }), fc.integer({ min: 1, max: 6 })), weight: 4 },
  {
    arbitrary: fc.constantFrom([512, 512], [512, 1024], [1024, 512], [516, 4], [1020, 8], [768, 300], [600, 1], [1536, 1024], [1536, 512]),
    weight: 2,
  },
)
const small = fc.tuple(fc.integer({ min: 16, max: 30 }), fc.integer({ min: 1, max: 6 }))
const fd = fc.integer({ min: 0, max: 2 })
const file = fc.constantFrom('f0', 'f1', 'f2', 'f3')
const value = fc.integer({ min: 0, max: 900 })
const some = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 3 }))

const ops: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<string> }[] = [
  {
    weight: 6,
    arbitrary: fc
      .tuple(pages, fc.constantFrom(...PROTS), fc.constantFrom('p', 'p', 's'))
      .map(([[p, n], r, s]) => `mmap ${p} ${n} anon ${r} ${s}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(small, fc.constantFrom('mixed', 'insert', 'special', 'pfnmap'), fc.constantFrom(...PROTS))
      .map(([[p, n], k, r]) => `mmap ${p} ${n} ${k} ${r} s`),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(small, file, fc.integer({ min: 0, max: 2 }), fc.constantFrom(...PROTS), fc.constantFrom('p', 's'))
      .map(([[p, n], f, off, r, s]) => `mmap ${p} ${n} file ${r} ${s} ${f}:${off}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'mmap 512 512 hugetlb rw p',
      'mmap 1536 1024 hugetlb rw p',
      'mmap 262144 262144 devdax rw s',
      'write 262144 2 7',
      'gup 262144 2 1 1',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('mmap 512 512 file rw s f3:0', 'mmap 1024 512 file rw s f3:512', 'mmap 512 1024 file rw p f3:0'),
  },
  { weight: 2, arbitrary: pages.map(([p, n]) => `munmap ${p} ${n}`) },
  { weight: 2, arbitrary: fc.tuple(pages, fc.constantFrom(...PROTS)).map(([[p, n], r]) => `mprotect ${p} ${n} ${r}`) },
  { weight: 4, arbitrary: fc.tuple(pages, fc.constantFrom(...ADVICE)).map(([[p, n], a]) => `madvise ${p} ${n} ${a}`) },
  { weight: 1, arbitrary: fc.tuple(small, small).map(([[p, n], [q, m]]) => `mremap ${p} ${n} ${q + 24} ${m}`) },
  { weight: 1, arbitrary: fc.tuple(pages, fc.constantFrom('mlock', 'munlock')).map(([[p, n], op]) => `${op} ${p} ${n}`) },
  { weight: 3, arbitrary: pages.map(([p, n]) => `read ${p} ${n}`) },
  { weight: 6, arbitrary: fc.tuple(pages, value).map(([[p, n], v]) => `write ${p} ${n} ${v}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(pages, fc.integer({ min: 0, max: 31 }), fc.integer({ min: 0, max: 1 }))
      .map(([[p, n], f, pin]) => `gup ${p} ${Math.min(n, 64)} ${f} ${pin}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(pages, fc.constantFrom('.', 'r', 'w'), fc.constantFrom('-', 'race', '16'))
      .map(([[p, n], f, own]) => `rfault ${p} ${n} ${f} . ${own} .`),
  },
  { weight: 2, arbitrary: fc.tuple(fd, fc.integer({ min: 0, max: 3 })).map(([d, device]) => `dopen ${d} ${device}`) },
  { weight: 1, arbitrary: fd.map(d => `dclose ${d}`) },
  { weight: 8, arbitrary: fc.tuple(fc.constantFrom(...DEVICE), fd, pages, value).map(([op, d, [p, n], v]) => `${op} ${d} ${p} ${n} ${v}`) },
  { weight: 2, arbitrary: fc.tuple(file, some).map(([f, [i, n]]) => `pread ${f} ${i} ${n}`) },
  { weight: 2, arbitrary: fc.tuple(file, some, value).map(([f, [i, n], v]) => `pwrite ${f} ${i} ${n} ${v}`) },
  { weight: 1, arbitrary: fc.tuple(file, fc.integer({ min: 0, max: 9 })).map(([f, n]) => `truncate ${f} ${n}`) },
  { weight: 1, arbitrary: fc.tuple(file, some).map(([f, [i, n]]) => `punch ${f} ${i} ${n}`) },
]

/** The files that all programs have, of each kind. */
export const FILES = ['file f0 memfd 8', 'file f1 ext4 8', 'file f2 dax 8', 'file f3 dax 1024']

/** A program; children are forked in it and end, and what they run is marked so. */
export const program: fc.Arbitrary<readonly string[]> = fc
  .array(fc.tuple(fc.oneof(...ops, { weight: 2, arbitrary: fc.constantFrom('fork', 'exit') }), fc.integer({ min: 0, max: 3 })), {
    minLength: 30,
    maxLength: 40,
  })
  .map(lines => {
    const alive: number[] = []
    let forks = 0
    const run = lines.flatMap(([op, by]) => {
      const who = alive[by % 4]
      if (op === 'fork') {
        if (forks >= 3) return []
        alive.push(++forks)
        return ['fork']
      }
      if (op === 'exit') {
        const k = alive.shift()
        return k === undefined ? [] : [`@${k} exit`]
      }
      return [who === undefined ? op : `@${who} ${op}`]
    })
    return [...FILES, ...run, ...alive.map(k => `@${k} exit`), 'exit']
  })
