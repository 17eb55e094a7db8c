/**
 * Files on DAX: whatever a program does to one, the books balance, and what it reads is what was written; and
 * `get_user_pages()` holds on to the page map of a device for as long as it takes pages of it (seed 003).
 */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Session } from '../../src/conformance/session.ts'
import type { Advice } from '../../src/kernel/agenda.ts'
import type { Statement } from '../../src/kernel/thread.ts'
import { page } from '../../src/memory/address.ts'
import { fileOf, mmOf, PAGE_SIZE } from '../../src/memory/memory.ts'
import { framesBalance } from '../../src/oracles/frames-balance.ts'
import { CPU, MM, threadSystem } from './statements.ts'

const FILE = 'data'
const file = (pages: number, filled: boolean): readonly Statement[] => [
  { do: 'open', mm: MM, file: FILE, kind: 'dax' },
  { do: 'ftruncate', file: FILE, size: pages * PAGE_SIZE },
  ...(filled
    ? ([
        { do: 'fallocate', file: FILE, start: 0, end: pages },
        { do: 'pwrite', file: FILE, start: 0, end: pages, value: 1, bytes: PAGE_SIZE },
      ] as const)
    : []),
]
const mapped = (start: number, end: number, pgoff: number, shared: boolean): Statement => ({
  do: 'mmap',
  mm: MM,
  start: page(start),
  end: page(end),
  prot: 'rw',
  shared,
  of: { file: FILE, pgoff },
})

/** Parts of the mappings, and of the file. */
const part = fc
  .tuple(fc.constantFrom(0, 0, 3, 508, 512, 1020, 1024, 2048), fc.constantFrom(1, 2, 4, 8, 512, 600))
  .map(([start, count]) => ({ start: page(start), end: page(start + count) }))
const inFile = part.map(({ start, end }) => ({ file: FILE, start: start % 1024, end: (start % 1024) + (end - start) }))
const value = fc.integer({ min: 1, max: 1000 })
const advice = fc.constantFrom<Advice>('dontneed', 'pageout', 'cold', 'popr', 'popw', 'huge', 'nohuge')
const statement: fc.Arbitrary<Statement> = fc.oneof(
  { weight: 3, arbitrary: part.map(({ start, end }): Statement => ({ do: 'load', at: start, end })) },
  { weight: 5, arbitrary: fc.tuple(part, value).map(([{ start, end }, v]): Statement => ({ do: 'store', at: start, end, value: v })) },
  part.map((p): Statement => ({ do: 'munmap', mm: MM, ...p })),
  fc.tuple(part, fc.constantFrom('r' as const, 'rw' as const)).map(([p, prot]): Statement => ({ do: 'mprotect', mm: MM, ...p, prot })),
  { weight: 3, arbitrary: fc.tuple(part, advice).map(([p, a]): Statement => ({ do: 'madvise', mm: MM, ...p, advice: a })) },
  fc
    .tuple(part, fc.boolean(), fc.constantFrom('get' as const, 'pin' as const))
    .map(([p, write, take]): Statement => ({ do: 'get_user_pages', mm: MM, ...p, flags: { write, take } })),
  inFile.map((p): Statement => ({ do: 'punch_hole', ...p })),
  fc.tuple(inFile, value).map(([p, v]): Statement => ({ do: 'pwrite', ...p, value: v, bytes: 8 })),
  fc.constantFrom(0, 5, 600, 1024, 1030).map((pages): Statement => ({ do: 'ftruncate', file: FILE, size: pages * PAGE_SIZE })),
)
const mappings = [mapped(0, 1024, 0, true), mapped(1025, 1100, 3, true), mapped(2048, 3072, 0, false)]

for (const profile of ['v6.1', 'v6.12', 'v7.1']) {
  test(`${profile}: the books balance whatever is done to a file on DAX`, () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(statement, { minLength: 15, maxLength: 15 }), (filled, program) => {
        const session = new Session(threadSystem(profile))
        const whole = { mm: MM, start: page(0), end: page(4096) }
        for (const s of [...file(1024, filled), ...mappings, ...program]) {
          session.run(CPU, s)
          assert.is(framesBalance({ names: [], world: { memory: session.memory, actors: [] } }), undefined)
          session.fresh()
        }
        for (const s of [
          { do: 'munmap', ...whole },
          { do: 'ftruncate', file: FILE, size: 0 },
        ] as const)
          session.run(CPU, s)
        const { blocks, dax } = fileOf(session.memory, FILE)
        const { pgd, pud, pmd, pte } = mmOf(session.memory, MM)
        assert.equal(
          [blocks, dax, pgd, pud, pmd, pte].map(t => [...t.runs()]),
          [[], [], [], [], [], []],
        )
      }),
      { numRuns: 60 },
    )
  })

  test(`${profile}: who maps a file reads what was written to it, and the other way round`, () => {
    const written = fc.array(fc.tuple(fc.constantFrom('store', 'pwrite'), fc.nat({ max: 1023 }), value), { minLength: 20, maxLength: 20 })
    fc.assert(
      fc.property(fc.boolean(), written, (filled, program) => {
        const session = new Session(threadSystem(profile))
        for (const s of [...file(1024, filled), ...mappings]) session.run(CPU, s)
        const expected = new Map<number, number>()
        for (const [how, index, v] of program) {
          session.run(
            CPU,
            how === 'store'
              ? { do: 'store', at: page(index), end: page(index + 1), value: v }
              : { do: 'pwrite', file: FILE, start: index, end: index + 1, value: v, bytes: 8 },
          )
          expected.set(index, v)
          session.fresh()
          session.run(CPU, { do: 'load', at: page(index), end: page(index + 1) })
          assert.equal(session.told(CPU, 'accessed')?.values, [v])
        }
        session.run(CPU, { do: 'pread', file: FILE, start: 0, end: 1024 })
        const array = session.told(CPU, 'returned')?.array
        for (const [index, v] of expected) assert.is(array?.get(index), v)
      }),
      { numRuns: 40 },
    )
  })

  // Where pages of DAX are pages like others, they keep themselves.
  const held = profile === 'v7.1' ? 0 : 1
  test(`${profile}: the page map of a device is held from the first page to the end of the call, however that ends`, () => {
    const session = new Session(threadSystem(profile))
    for (const s of [...file(1024, true), mapped(512, 1536, 0, true)]) session.run(CPU, s)
    const references = (start: number, end: number): { readonly most: number; readonly left: number; readonly ret: number } => {
      session.fresh()
      session.run(CPU, { do: 'get_user_pages', mm: MM, start: page(start), end: page(end), flags: { take: 'get' } })
      const changes = session.steps.flatMap(s => s.facts.flatMap(fact => (fact[0] === 'pagemap' && fact[1] === 'pmem0' ? [fact[2]] : [])))
      let [now, most] = [0, 0]
      for (const change of changes) {
        now += change
        most = Math.max(most, now)
      }
      return { most, left: session.memory.pagemaps['pmem0'] ?? 0, ret: session.told(CPU, 'returned')?.ret ?? -1 }
    }
    // Of one 2 MiB entry, of two, up to the end of the area, where the call fails, and of none.
    assert.equal(references(512, 520), { most: held, left: 0, ret: 8 })
    assert.equal(references(1020, 1030), { most: held, left: 0, ret: 10 })
    assert.equal(references(1530, 1540), { most: held, left: 0, ret: 6 })
    assert.equal(references(1536, 1540), { most: 0, left: 0, ret: 0 })
  })
}

test.run()
