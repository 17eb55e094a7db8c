/** Where two runs part: what counts as a difference, what does not, and how both sides are told. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import silent from '../../scenarios/races/dax-entry-cleared-silently.ts'
import munmap from '../../scenarios/races/fault-against-munmap.ts'
import { prepare, type RunOptions, type Scenario } from '../../src/index.ts'
import { commonSteps, DEEDS, partingOf, sidesOf, type DoneStep } from '../../src/inspect/parting.ts'
import { described } from '../../src/inspect/steps.ts'
import { pfn } from '../../src/memory/address.ts'
import type { Fact } from '../../src/memory/facts.ts'

const pte = (word: string, frame = 2): Fact => ['pte', 'mm0', 16, 1, word, frame, 1]
const refs = (frame: number, change: number): Fact => ['refs', pfn(frame), 1, change]
const did = (n: number, more: Partial<DoneStep> = {}): DoneStep => ({
  n,
  by: 'cpu0',
  do: 'handle_mm_fault',
  event: { type: 'ran', agenda: [], fail: null },
  calls: [],
  facts: [pte('PA')],
  ...more,
})

const stepsOf = (scenario: Scenario, profile: string, options: RunOptions = {}): readonly DoneStep[] => {
  const run = prepare(scenario.build(profile), options)
  const steps: DoneStep[] = []
  run.entries$.subscribe(entry => void steps.push({ n: entry.n, by: entry.choice.by, ...described(entry) }))
  while (run.advance() === undefined) continue
  return steps
}

test('equal runs do not part, whatever their clocks and their plans say', () => {
  assert.is(partingOf([], []), undefined)
  const planned = did(7, { event: { type: 'ran', agenda: [{ do: 'mmap_unlock' }], fail: null } })
  assert.is(partingOf([did(1), did(2)], [did(1), planned]), undefined)
  const called = (reply: number): DoneStep => did(1, { calls: [{ to: 'gpu0', event: { type: 'read_begin' }, reply }] })
  assert.is(partingOf([called(1)], [called(3)]), undefined)
})

test('every aspect of a step counts', () => {
  const others: Readonly<Record<string, Partial<DoneStep>>> = {
    by: { by: 'cpu1' },
    do: { do: 'finish_fault' },
    calls: { calls: [{ to: 'mm0.registry', event: { type: 'invalidate_range_start' }, reply: null }] },
    facts: { facts: [pte('PDA')] },
    told: { event: { type: 'ran', agenda: [], fail: 'EFAULT' } },
  }
  for (const [aspect, other] of Object.entries(others)) {
    const parting = partingOf([did(1), did(2), did(3)], [did(1), did(2, other), did(3)])
    assert.equal([parting?.common, parting?.differsIn, parting?.sides.map(s => s?.n)], [1, [aspect], [2, 2]])
  }
})

test('a run that is over parts from one that goes on', () => {
  const parting = partingOf([did(1)], [did(1), did(2)])
  assert.ok(parting !== undefined)
  assert.equal([parting.common, parting.sides[0], parting.sides[1]?.n], [1, undefined, 2])
  const [over, on] = sidesOf(parting)
  assert.equal([over, on?.only, on?.shared], [null, ['16 := #2 A'], 0])
})

test('what is done may be the same for longer than what becomes of it', () => {
  const a = [did(1), did(2), did(3, { do: 'mmap_unlock' })]
  const b = [did(1, { facts: [] }), did(2), did(3, { do: 'finish_fault' })]
  assert.is(commonSteps(a, b), 0)
  assert.is(commonSteps(a, b, DEEDS), 2)
  assert.equal(partingOf(a, b, DEEDS)?.differsIn, ['do'])
})

test('both sides are told by what only they have', () => {
  const told = (facts: readonly Fact[], others: readonly Fact[]): ReturnType<typeof sidesOf> => {
    const parting = partingOf([did(1, { facts })], [did(1, { facts: others })])
    assert.ok(parting !== undefined)
    return sidesOf(parting)
  }
  const [a, b] = told([refs(2, 1), pte('PWDA')], [refs(2, 1), pte('PWA')])
  assert.equal([a?.only, a?.shared, b?.only, b?.shared], [['16 := #2 WDA'], 1, ['16 := #2 WA'], 1])
  // Where words say the same of both, or nothing, the fact itself is shown.
  const [c, d] = told([refs(2, 1), refs(2, 1)], [refs(2, 1), refs(3, 1)])
  assert.equal([c?.only, d?.only], [['["refs",2,1,1]'], ['["refs",3,1,1]']])
  // As often as a side has it more.
  const [e, f] = told([refs(2, 1), refs(2, 1)], [refs(2, 1)])
  assert.equal([e?.only, e?.shared, f?.only, f?.shared], [['["refs",2,1,1]'], 1, [], 1])
  const [g, h] = told([refs(2, 1), refs(3, 1)], [refs(3, 1), refs(2, 1)])
  assert.equal([g?.only, h?.only], [[], []])
})

test('an answer that differs is told', () => {
  const parting = partingOf(
    [did(1, { event: { type: 'returned', ret: 0, err: 'EEXIST' } })],
    [did(1, { event: { type: 'returned', ret: 0, err: 'EFAULT' } })],
  )
  assert.ok(parting !== undefined)
  assert.equal(
    sidesOf(parting).map(s => s?.only),
    [['err: "EEXIST"'], ['err: "EFAULT"']],
  )
})

test('6.1 and 6.12: the dirty mark of a DAX mapping first, then the entry that is cleared', () => {
  const [a, b] = [stepsOf(silent, 'v6.1'), stepsOf(silent, 'v6.12')]
  const first = partingOf(a, b)
  assert.equal([first?.common, first?.differsIn, first?.sides.map(s => s?.do)], [18, ['facts'], ['dax_store_entry', 'dax_store_entry']])
  const deed = partingOf(a, b, DEEDS)
  assert.equal([deed?.common, deed?.sides.map(s => s?.do)], [35, ['madvise_cold_or_pageout_pte_range', 'mmap_unlock']])
})

test('two kernels that differ in nothing that is touched do the same, in any order of events', () => {
  for (const seed of [0, 1, 2]) assert.is(partingOf(stepsOf(munmap, 'v6.1', { seed }), stepsOf(munmap, 'v6.12', { seed })), undefined)
})

test.run()
