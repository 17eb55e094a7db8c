/** What a step tells does not depend on which steps were told before it, nor on whether it is taken or read. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import fault from '../../scenarios/races/fault-against-munmap.ts'
import { recordOf, Told } from '../../src/log/told.ts'
import { linuxSystem } from '../../src/scenario/standard.ts'
import { roundRobin } from '../../src/system/choosers/round-robin.ts'
import { Live, type Entry } from '../../src/system/live.ts'
import type { Memory } from '../../src/memory/memory.ts'
import type { Fact } from '../../src/memory/facts.ts'

test('a step is told in the same words behind the step before it, behind any other, and from its record', () => {
  const system = linuxSystem(fault.build('v6.12').system)
  const live = new Live(system)
  const told = new Told()
  const words = (): string => JSON.stringify(told.toRecord())
  const entries: Entry<Memory, Fact>[] = []
  const inOrder: string[] = []
  live.entries$.subscribe(entry => {
    entries.push(entry)
    told.entry(system, entry)
    inOrder.push(words())
  })
  live.run(roundRobin())
  assert.ok(entries.length > 20)
  const alone = entries.map(entry => recordOf(system, entry))
  assert.equal(
    inOrder,
    alone.map(record => JSON.stringify(record)),
  )
  for (const [i, entry] of [...entries.entries()].toReversed()) {
    told.entry(system, entry)
    assert.is(words(), inOrder[i])
  }
  for (const [i, record] of alone.entries()) {
    told.record(record)
    assert.is(words(), inOrder[i])
  }
})

test.run()
