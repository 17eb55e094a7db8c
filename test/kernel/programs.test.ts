/**
 * Whatever processes, devices and files do to one another: the books balance after each operation, the facts alone lead to
 * the same memory, and when the last process has exited, everything is given back but what files keep.
 */
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ProgramRun } from '../../src/conformance/run.ts'
import { profiles } from '../../src/kernel/profiles.ts'
import type { Fact } from '../../src/memory/facts.ts'
import { fold } from '../../src/memory/fold.ts'
import { isPresent, frameOf } from '../../src/memory/entry.ts'
import { bootMemory, type Memory } from '../../src/memory/memory.ts'
import { Table } from '../../src/memory/table.ts'
import { framesBalance } from '../../src/oracles/frames-balance.ts'
import { program } from './programs.ts'

const wrong = (memory: Memory): string | undefined => framesBalance({ names: [], world: { memory, actors: [] } })

/** A value with its tables as what they hold, however they hold it. */
const plain = (value: unknown): unknown =>
  value instanceof Table
    ? [...value.runs()].flatMap(([first, count]) => Array.from({ length: count }, (_, i) => [first + i, value.get(first + i)]))
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
  return entriesIndices(memory.frames.refs).filter(frame => frame !== 1 && (frame < 512 || frame >= 1024) && !kept.has(frame))
}
const entriesIndices = (table: Table): readonly number[] =>
  [...table.runs()].flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i))
const entriesOf = (table: Table): readonly number[] => entriesIndices(table).map(i => table.get(i))

// Programs have devices in them.
for (const { name: profile } of profiles.filter(p => p.hasHmm)) {
  test(`${profile}: books balance, facts are enough, and everything is given back`, () => {
    let ended = 0
    fc.assert(
      fc.property(program, lines => {
        const run = new ProgramRun(lines, profile)
        const facts: Fact[] = []
        for (const line of lines) {
          const seen = run.op(line)
          facts.push(...run.steps.flatMap(s => s.facts))
          // A kernel that died leaves everything as it was.
          if (seen.oops !== undefined) return
          assert.is(wrong(run.memory), undefined, line)
        }
        const folded = fold(bootMemory(['mm0']), JSON.parse(JSON.stringify(facts)) as readonly Fact[])
        assert.equal(plain(folded), plain(run.memory))
        assert.equal(Object.keys(run.memory.mms), [])
        assert.equal(left(run.memory), [])
        assert.ok(Object.values(run.memory.pagemaps).every(refs => refs === 0))
        assert.equal([run.memory.pool.free, run.memory.pool.reserved], [64, 0])
        ended++
      }),
      { numRuns: 120 },
    )
    assert.ok(ended > 60, `${ended} programs came to their end`)
  })
}

test.run()
