/**
 * Whatever processes, devices and files do to one another: the books balance after each operation, the facts alone lead to
 * the same memory, and when the last process has exited, everything is given back but what files keep.
 */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ProgramRun } from '../../src/conformance/run.ts'
import type { Result } from '../../src/conformance/recording.ts'
import { profiles, type Profile } from '../../src/kernel/profiles.ts'
import type { Fact } from '../../src/memory/facts.ts'
import { fold } from '../../src/memory/fold.ts'
import { isPresent, frameOf } from '../../src/memory/entry.ts'
import { bootMemory, type Memory } from '../../src/memory/memory.ts'
import { Table } from '../../src/memory/table.ts'
import { framesBalance } from '../../src/oracles/frames-balance.ts'
import { program } from './programs.ts'

const PMEM = 'pmem0'
/** `leaked`: how many references to the page map of the DAX device nobody has any more, and nobody puts. */
function wrong(memory: Memory, leaked: number): string | undefined {
  const pagemaps = leaked === 0 ? memory.pagemaps : { ...memory.pagemaps, [PMEM]: (memory.pagemaps[PMEM] ?? 0) - leaked }
  return framesBalance({ names: [], world: { memory: { ...memory, pagemaps }, actors: [] } })
}

/**
 * Before v5.5, a walk that finds a special entry behind entries of DAX memory ends with EFAULT and keeps the page map for ever
 * (row "leaked" of 2.12): once a walk, and no other end of a walk does so.
 */
const mayLeak = (profile: Profile, res: Result): boolean => profile.walkHoldsPagemap && profile.pteSpecial && res.err === 'EFAULT'

/** Programs that once were told wrong. */
const FOUND: readonly (readonly string[])[] = [
  ['file f3 dax 1024', 'mmap 512 512 file rw s f3:0', 'punch f3 1 1', 'gup 512 64 0 0', 'rfault 512 512 . . - .', 'exit'],
]

/** A value with its tables as what they hold, however they hold it. */
const plain = (value: unknown): unknown =>
  value instanceof Table
    ? [...value.indices()].map(i => [i, value.get(i)])
    : Array.isArray(value)
      ? value.map(plain)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, of]) => [key, plain(of)]))
        : value

/** Frames that are in use, but for the zero pages and what files keep. */
function left(memory: Memory): readonly number[] {
  const files = Object.values(memory.files)
  const kept = new Set<number>(
    files.flatMap(({ cache, blocks }) => [...entriesOf(cache).filter(isPresent).map(frameOf), ...entriesOf(blocks)]),
  )
  return [...memory.frames.refs.indices()].filter(frame => frame !== 1 && (frame < 512 || frame >= 1024) && !kept.has(frame))
}
const entriesOf = (table: Table): readonly number[] => [...table.indices()].map(i => table.get(i))

// Programs have devices in them.
for (const profile of profiles.filter(p => p.hasHmm)) {
  test(`${profile.name}: books balance, facts are enough, and everything is given back`, () => {
    let ended = 0
    fc.assert(
      fc.property(program, lines => {
        const run = new ProgramRun(lines, profile.name)
        const facts: Fact[] = []
        let leaked = 0
        for (const line of lines) {
          const before = run.memory.pagemaps[PMEM] ?? 0
          const seen = run.op(line)
          facts.push(...run.steps.flatMap(s => s.facts))
          // A kernel that died leaves everything as it was.
          if (seen.oops !== undefined) return
          if (mayLeak(profile, seen.res) && run.memory.pagemaps[PMEM] === before + 1) leaked++
          assert.is(wrong(run.memory, leaked), undefined, line)
        }
        const folded = fold(bootMemory(['mm0']), JSON.parse(JSON.stringify(facts)) as readonly Fact[])
        assert.equal(plain(folded), plain(run.memory))
        assert.equal(Object.keys(run.memory.mms), [])
        assert.equal(left(run.memory), [])
        assert.ok(Object.entries(run.memory.pagemaps).every(([name, refs]) => refs === (name === PMEM ? leaked : 0)))
        assert.equal([run.memory.pool.free, run.memory.pool.reserved], [64, 0])
        ended++
      }),
      { numRuns: 120, examples: FOUND.map((lines): [readonly string[]] => [lines]) },
    )
    assert.ok(ended > 60, `${ended} programs came to their end`)
  })
}

test.run()
