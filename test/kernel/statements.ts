/** Random statements of a thread over a small arena, for property tests; and an address space to run them in. */
import * as fc from '../chance.ts'
import type { Advice, Prot } from '../../src/kernel/agenda.ts'
import type { Statement } from '../../src/kernel/thread.ts'
import { page, type Pages } from '../../src/memory/address.ts'
import { linuxSystem, mmActors, type LinuxSystem } from '../../src/scenario/standard.ts'

export const MM = 'mm0'
export const CPU = 'cpu0'
const PROTS: readonly Prot[] = ['rw', 'rw', 'rw', 'r', '-', 'rwx', 'w', 'x']
const ADVICE: readonly Advice[] = ['dontneed', 'free', 'cold', 'pageout', 'pageout', 'popr', 'popw']
const HUGE_ADVICE: readonly Advice[] = [...ADVICE, 'huge', 'huge', 'nohuge', 'collapse']

/** Around 0 and around the first border between two page tables. */
const pages: fc.Arbitrary<Pages> = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 1, max: 9 }), fc.constantFrom(0, 0, 0, 500))
  .map(([start, count, base]) => ({ start: page(base + start), end: page(base + start + count) }))
/** Whole 2 MiB blocks, and parts of them. */
const blocks: fc.Arbitrary<Pages> = fc
  .tuple(fc.constantFrom(0, 512, 1024), fc.constantFrom(0, 0, 0, 3, 509), fc.constantFrom(2, 512, 512, 1024))
  .map(([base, offset, count]) => ({ start: page(base + offset), end: page(base + offset + count) }))
const prot = fc.constantFrom(...PROTS)

const statementsOver = (pages: fc.Arbitrary<Pages>, advice: readonly Advice[]): Readonly<Record<string, fc.Arbitrary<Statement>>> => ({
  mmap: fc
    .tuple(pages, prot, fc.boolean())
    .map(([p, rights, shared]) => ({ do: 'mmap', mm: MM, ...p, prot: rights, shared, of: 'anon' as const })),
  munmap: pages.map(p => ({ do: 'munmap', mm: MM, ...p })),
  mprotect: fc.tuple(pages, prot).map(([p, rights]) => ({ do: 'mprotect', mm: MM, ...p, prot: rights })),
  madvise: fc.tuple(pages, fc.constantFrom(...advice)).map(([p, advice]) => ({ do: 'madvise', mm: MM, ...p, advice })),
  mremap: fc.tuple(pages, pages, fc.boolean()).map(([a, b, same]) => ({
    do: 'mremap',
    mm: MM,
    from: a.start,
    old: a.end - a.start,
    to: b.start,
    pages: same ? a.end - a.start : b.end - b.start,
  })),
  mlock: fc.tuple(pages, fc.boolean()).map(([p, lock]) => ({ do: lock ? 'mlock' : 'munlock', mm: MM, ...p })),
  load: pages.map(({ start, end }) => ({ do: 'load', at: start, end })),
  store: fc.tuple(pages, fc.integer({ min: 1, max: 1000 })).map(([{ start, end }, value]) => ({ do: 'store', at: start, end, value })),
  gup: fc
    .tuple(
      pages,
      fc.record({
        write: fc.boolean(),
        force: fc.boolean(),
        dump: fc.boolean(),
        longterm: fc.boolean(),
        nofault: fc.boolean(),
        take: fc.constantFrom('get', 'pin'),
      }),
    )
    .map(([p, flags]) => ({ do: 'get_user_pages', mm: MM, ...p, flags: { ...flags, take: flags.take === 'pin' ? 'pin' : 'get' } })),
})

const WEIGHTS: Readonly<Record<string, number>> = { mmap: 4, store: 3, load: 2 }
const oneOf = (statements: Readonly<Record<string, fc.Arbitrary<Statement>>>, weights: Readonly<Record<string, number>>) =>
  fc.oneof(...Object.entries(statements).map(([name, arbitrary]) => ({ arbitrary, weight: weights[name] ?? 1 })))

/** A statement; mappings, loads and stores come most often. */
export const statement: fc.Arbitrary<Statement> = oneOf(statementsOver(pages, ADVICE), WEIGHTS)
/** Memory that may have huge pages, and a statement about it. */
export const hugeMemory: readonly Statement[] = [
  { do: 'mmap', mm: MM, start: page(0), end: page(2048), prot: 'rw', shared: false, of: 'anon' },
  { do: 'madvise', mm: MM, start: page(0), end: page(2048), advice: 'huge' },
]
export const hugeStatement: fc.Arbitrary<Statement> = oneOf(statementsOver(blocks, HUGE_ADVICE), {
  mmap: 0,
  munmap: 0,
  mlock: 0,
  madvise: 8,
  store: 6,
})

export const threadSystem = (profile: string): LinuxSystem =>
  linuxSystem({ profile, mms: [MM], actors: [...mmActors(MM, {}), { name: CPU, machine: 'thread', input: { mm: MM, program: [] } }] })
