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
  mremap: ({ thread }, { pages, n }) => thread.mremap(pages, { at: 64 + (n % 8) }),
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

const BY_DEVICE: ReadonlySet<string> = new Set(['fault', 'snapshot', 'deviceRead', 'deviceWrite'])
type What = keyof typeof MAKE
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

const spans = (starts: readonly number[], counts: readonly number[]): fc.Arbitrary<Pages> =>
  fc.tuple(fc.constantFrom(...starts), fc.constantFrom(...counts)).map(([start, n]) => ({ start: page(start), end: page(start + n) }))
const parts = fc.tuple(fc.nat({ max: 4 }), fc.integer({ min: 1, max: 4 })).map(([start, n]) => ({ start, end: start + n }))
const ADVICE: readonly Advice[] = ['dontneed', 'free', 'cold', 'pageout', 'popr', 'popw', 'dontfork', 'wipeonfork']

/** Pages of two mappings, of `MEMORY` and of a file, and what is behind them. */
const pages = spans([16, 17, 18, 20, 32, 33, 36, 40], [1, 2, 4, 6])
const deedOf = (whats: readonly What[]): fc.Arbitrary<Deed> =>
  fc.record({
    what: fc.constantFrom(...whats),
    of: fc.constantFrom(0 as const, 1 as const, 2 as const),
    pages,
    part: parts,
    advice: fc.constantFrom(...ADVICE),
    yes: fc.boolean(),
    n: fc.nat({ max: 90 }),
  })
const some = (whats: readonly What[]): fc.Arbitrary<readonly Deed[]> => fc.array(deedOf(whats), { maxLength: 3 })
const cpu = some(WHAT.filter(what => !BY_DEVICE.has(what)))

/** What two threads and a device do at once. */
export const race = fc.tuple(cpu, cpu, some(WHAT.filter(what => BY_DEVICE.has(what))))
export type Race = readonly [readonly Deed[], readonly Deed[], readonly Deed[]]
