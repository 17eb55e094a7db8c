/** Random statements of threads and devices that share one process, for property tests: whatever a scenario can have race. */
import * as fc from '../chance.ts'
import type { Advice } from '../../src/kernel/agenda.ts'
import { page, type Pages } from '../../src/memory/address.ts'
import type { Device, FilePages, Mirror, OpenFile, StatementRef, Thread } from '../../src/scenario/api.ts'

/** Who and what statements are made with. */
export interface On {
  readonly thread: Thread
  readonly device: Device
  readonly file: OpenFile
  /** A file of the test driver; null where the kernel has none. */
  readonly mirror: Mirror | null
}

/** What a statement is made of: it takes of this what it needs. */
interface Given {
  readonly pages: Pages
  /** Of a file. */
  readonly part: FilePages
  readonly to: number
  readonly advice: Advice
  readonly yes: boolean
  readonly n: number
}

const COMMANDS = ['read', 'migrateToDevice', 'migrateToSystem', 'snapshot', 'exclusive', 'checkExclusive'] as const

const MAKE = {
  read: ({ thread }, { pages }) => thread.read(pages),
  write: ({ thread }, { pages, n }) => thread.write(pages, n),
  mmap: ({ thread, file }, { pages: { start, end }, yes, n }) =>
    thread.mmap({ pages: end - start, at: start, shared: yes, ...(n % 2 === 0 ? { of: file } : {}) }),
  munmap: ({ thread }, { pages }) => thread.munmap(pages),
  mprotect: ({ thread }, { pages, yes }) => thread.mprotect(pages, yes ? 'rw' : 'r'),
  madvise: ({ thread }, { pages, advice }) => thread.madvise(pages, advice),
  mremap: ({ thread }, { pages, to }) => thread.mremap(pages, { at: to }),
  mlock: ({ thread }, { pages, yes }) => (yes ? thread.mlock(pages) : thread.munlock(pages)),
  gup: ({ thread }, { pages, yes, n }) => thread.gup(pages, { write: yes, take: n % 2 === 0 ? 'get' : 'pin' }),
  gupFast: ({ thread }, { pages, yes }) => thread.gup(pages, { write: yes, fast: true }),
  numa: ({ thread }, { pages }) => thread.change_prot_numa(pages),
  oom: ({ thread }) => thread.oom_reap_task_mm(),
  fork: ({ thread }) => thread.fork(),
  truncate: ({ thread, file }, { part }) => thread.truncate(file, part.start),
  punch: ({ thread, file }, { part }) => thread.punch(file, part),
  pread: ({ thread, file }, { part }) => thread.pread(file, part),
  pwrite: ({ thread, file }, { part, n }) => thread.pwrite(file, part, n),
  close: ({ thread, file, mirror }, { yes }) => thread.close(mirror === null || yes ? file : mirror),
  fault: ({ device }, { pages, yes }) => device.fault(pages, { write: yes, attempts: 3 }),
  snapshot: ({ device }, { pages }) => device.snapshot(pages, { attempts: 3 }),
  deviceRead: ({ device }, { pages }) => device.read(pages),
  deviceWrite: ({ device }, { pages, n }) => device.write(pages, n),
  mirror: ({ mirror, thread }, { pages, n }) => {
    const used = mirror?.usedBy(thread)
    if (used === undefined) return thread.read(pages)
    const command = COMMANDS[n % 8]
    return command === undefined ? (n % 8 === 6 ? used.write(pages, n) : used.release()) : used[command](pages)
  },
} satisfies Readonly<Record<string, (on: On, given: Given) => StatementRef>>

type What = keyof typeof MAKE
const BY_DEVICE: ReadonlySet<What> = new Set(['fault', 'snapshot', 'deviceRead', 'deviceWrite'] as const)
const WHAT = Object.keys(MAKE) as readonly What[]

/** A statement: what it is, of which file and which of two test driver's, and what it is made of. */
export interface Deed extends Given {
  readonly what: What
  readonly of: 0 | 1 | 2
}
export const makes = (on: Omit<On, 'file'> & { readonly files: readonly OpenFile[] }, { what, of, ...given }: Deed): StatementRef => {
  const { files, ...rest } = on
  return MAKE[what]({ ...rest, file: files[of] as OpenFile }, given)
}

/** Where a process has its memory and maps a file, how many pages of each, and which parts of them statements are about. */
export interface Place {
  readonly memory: number
  readonly file: number
  readonly count: number
  readonly spans: readonly (readonly [start: number, count: number])[]
  readonly parts: readonly FilePages[]
  /** Where memory can be moved to. */
  readonly elsewhere: readonly number[]
  readonly advice: readonly Advice[]
}
const ADVICE: readonly Advice[] = ['dontneed', 'free', 'cold', 'pageout', 'popr', 'popw', 'dontfork', 'wipeonfork']
export const SMALL: Place = {
  memory: 16,
  file: 32,
  count: 6,
  spans: [16, 17, 18, 20, 32, 33, 36, 40].flatMap(start => [1, 2, 4, 6].map(count => [start, count] as const)),
  parts: [0, 1, 2, 4].flatMap(start => [1, 2, 4].map(count => ({ start, end: start + count }))),
  elsewhere: [64, 66, 70],
  advice: ADVICE,
}
/** Two blocks of 2 MiB of each. */
export const LARGE: Place = {
  memory: 512,
  file: 2048,
  count: 1024,
  spans: [512, 2048].flatMap(base =>
    (
      [
        [0, 512],
        [512, 512],
        [0, 1024],
        [3, 2],
        [510, 4],
        [600, 20],
      ] as const
    ).map(([at, count]) => [base + at, count] as const),
  ),
  parts: [
    { start: 0, end: 512 },
    { start: 3, end: 5 },
    { start: 512, end: 1024 },
    { start: 510, end: 515 },
  ],
  elsewhere: [4096, 4100, 4608],
  advice: [...ADVICE, 'huge', 'huge', 'nohuge', 'collapse'],
}

const deedOf = ({ spans, parts, elsewhere, advice }: Place, whats: readonly What[]): fc.Arbitrary<Deed> =>
  fc.record({
    what: fc.constantFrom(...whats),
    of: fc.constantFrom(0 as const, 1 as const, 2 as const),
    pages: fc.constantFrom(...spans).map(([start, count]) => ({ start: page(start), end: page(start + count) })),
    part: fc.constantFrom(...parts),
    to: fc.constantFrom(...elsewhere),
    advice: fc.constantFrom(...advice),
    yes: fc.boolean(),
    n: fc.nat({ max: 90 }),
  })

/** What two threads, a child and a device do at once. */
export type Race = readonly [readonly Deed[], readonly Deed[], readonly Deed[], readonly Deed[]]
export function race(place: Place): fc.Arbitrary<Race> {
  const some = (whats: readonly What[]): fc.Arbitrary<readonly Deed[]> => fc.array(deedOf(place, whats), { maxLength: 3 })
  const cpu = some(WHAT.filter(what => !BY_DEVICE.has(what)))
  return fc.tuple(cpu, cpu, cpu, some([...BY_DEVICE]))
}
