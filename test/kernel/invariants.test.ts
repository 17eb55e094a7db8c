/**
 * Whatever a program does, the books balance: references and map counts are what the tables say, entries lie in areas and
 * hang in their tables, and no frame is mapped after it was freed. Some 5,000 random operations a profile.
 */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Session } from '../../src/conformance/session.ts'
import { profileNames } from '../../src/kernel/profiles.ts'
import type { Statement } from '../../src/kernel/thread.ts'
import { indexAt, page, pageAt, type Level } from '../../src/memory/address.ts'
import { TABLE } from '../../src/memory/entry.ts'
import { fold } from '../../src/memory/fold.ts'
import { mmOf, type Memory } from '../../src/memory/memory.ts'
import { vmaAt } from '../../src/memory/vma.ts'
import { framesBalance } from '../../src/oracles/frames-balance.ts'
import { CPU, hugeMemory, hugeStatement, MM, statement, threadSystem } from './statements.ts'

/** What is wrong with the address space, apart from its counts. */
function misshapen(memory: Memory): string | undefined {
  const { vmas, ...tables } = mmOf(memory, MM)
  for (const [i, v] of vmas.entries()) {
    if (v.start >= v.end) return `area ${v.start}–${v.end} is empty`
    if ((vmas[i - 1]?.end ?? 0) > v.start) return `area ${v.start}–${v.end} overlaps the one before it`
    if (v.file !== '' && memory.files[v.file] === undefined) return `area ${v.start} maps ${v.file}, which is gone`
  }
  const above: readonly (readonly [Level, Level])[] = [
    ['pte', 'pmd'],
    ['pmd', 'pud'],
    ['pud', 'pgd'],
  ]
  for (const [level, parent] of above) {
    for (const i of tables[level].indices()) {
      if (tables[parent].get(indexAt(parent, pageAt(level, i))) !== TABLE) return `${level} ${i} hangs in no table`
      if (level === 'pte' && vmaAt(vmas, page(i)) === undefined) return `page ${i} is mapped, and in no area`
    }
  }
  return undefined
}

/** Runs programs that begin with these statements and go on with random ones, and looks at the books after each. */
function balances(profile: string, begin: readonly Statement[], statement: fc.Arbitrary<Statement>, length: number, numRuns: number): void {
  fc.assert(
    fc.property(fc.array(statement, { minLength: length, maxLength: length }), program => {
      const session = new Session(threadSystem(profile))
      for (const s of [...begin, ...program]) {
        session.run(CPU, s)
        // By force, 4.4 and 4.5 write pages that nobody may use, and die.
        if (session.told(CPU, 'oops') !== undefined) return
        assert.is(framesBalance({ names: [], world: { memory: session.memory, actors: [] } }), undefined)
        assert.is(misshapen(session.memory), undefined)
        session.fresh()
      }
      session.run(CPU, { do: 'munmap', mm: MM, start: page(0), end: page(2560) })
      // What waits in a batch of reclaim is free only once that is emptied.
      const memory = fold(session.memory, [['drain', 'all']])
      const { pte, pmd, pud, pgd, vmas } = mmOf(memory, MM)
      assert.equal(
        [pte, pmd, pud, pgd].map(t => [...t.runs()]),
        [[], [], [], []],
      )
      assert.equal([vmas.length, Object.keys(memory.files).length, memory.frames.free, memory.swap.free], [0, 0, 2, 1])
    }),
    { numRuns },
  )
}

for (const profile of profileNames) {
  test(`${profile}: the books balance after every statement`, () => balances(profile, [], statement, 60, 80))
  test(`${profile}: they do with huge pages too`, () => balances(profile, hugeMemory, hugeStatement, 20, 10))
}

test.run()
