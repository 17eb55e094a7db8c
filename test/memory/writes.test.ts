/** What facts write, held to what folding them changes: of shipped scenarios, no change of a table or of a count lies outside. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import dax from '../../scenarios/seeds/001-mirror-dax.ts'
import stale from '../../scenarios/seeds/004-stale-valid.ts'
import migrate from '../../scenarios/selftests/migrate.ts'
import cow from '../../scenarios/selftests/hmm_cow_in_device.ts'
import huge from '../../scenarios/selftests/anon_write_huge.ts'
import { page } from '../../src/memory/address.ts'
import { Table } from '../../src/memory/table.ts'
import type { Fact } from '../../src/memory/facts.ts'
import type { Memory } from '../../src/memory/memory.ts'
import { framesNamed, writes } from '../../src/memory/writes.ts'
import type { Scenario } from '../../src/scenario/api.ts'
import { prepare } from '../../src/scenario/run.ts'

const LEVELS = ['pte', 'pmd', 'pud', 'pgd'] as const

/** Where a table is another afterwards: the first and the last index of each run. */
function changed(before: Table | undefined, after: Table | undefined): readonly number[] {
  const runs = [...(before ?? Table.empty).changesTo(after ?? Table.empty)]
  return runs.flatMap(([index, count]) => [index, index + count - 1])
}

function* changes(before: Memory, after: Memory): Generator<readonly [space: string, index: number]> {
  for (const mm of new Set([...Object.keys(before.mms), ...Object.keys(after.mms)])) {
    // What is gone with its address space is told by that.
    if (after.mms[mm] === undefined) continue
    for (const level of LEVELS) for (const i of changed(before.mms[mm]?.[level], after.mms[mm][level])) yield [`${mm} ${level}`, i]
  }
  for (const column of ['refs', 'maps', 'hugeMaps'] as const)
    for (const i of changed(before.frames[column], after.frames[column])) yield [' frames', i]
}

for (const [name, scenario, profile] of [
  ['a stale device mapping', stale, 'v5.2'],
  ['DAX', dax, 'v5.2'],
  ['migration', migrate, 'v6.12'],
  ['copy on write', cow, 'v6.12'],
  ['huge pages', huge, 'v6.12'],
] as const satisfies readonly (readonly [string, Scenario, string])[]) {
  test(`nothing that is changed lies outside of what is said to be written: ${name}`, () => {
    const run = prepare(scenario.build(profile, scenario.variants[0]))
    let seen = 0
    run.entries$.subscribe(({ n, facts, before, world }) => {
      const written: (readonly [space: string, from: number, to: number])[] = []
      for (const fact of facts) writes(fact, (part, of, from, to) => void written.push([`${of} ${part}`, from, to]))
      // A batch that is emptied gives back references that were taken before.
      if (facts.some(([kind]) => kind === 'drain')) return
      for (const [space, i] of changes(before.memory, world.memory)) {
        seen++
        assert.ok(
          written.some(([of, from, to]) => of === space && from <= i && i < to),
          `step ${n}: ${space} ${i}: ${JSON.stringify(facts)}`,
        )
      }
    })
    while (run.advance() === undefined) continue
    assert.ok(seen > 5, `${seen}`)
  })
}

test('an entry names the frames that it leads to', () => {
  const named: readonly (readonly [Fact, readonly [number, number] | undefined])[] = [
    [
      ['pte', 'mm0', page(16), 3, 'PWDA', 7, 1],
      [7, 10],
    ],
    [
      ['pte', 'mm0', page(16), 3, 'P', 1, 0],
      [1, 2],
    ],
    [
      ['pmd', 'mm0', 0, 2, 'PWDA', 512, 512],
      [512, 1536],
    ],
    [['pte', 'mm0', page(16), 1, 'none', 0, 0], undefined],
    [['pmd', 'mm0', 0, 1, 'table', 0, 0], undefined],
  ]
  for (const [fact, frames] of named) assert.equal(framesNamed(fact), frames)
})

test.run()
