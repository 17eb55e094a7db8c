/** Steps, paths, changes and where entries came from, in words; and how wide these are. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Scenario } from '../../src/index.ts'
import { Branch, conditionOf, momentAt, pathOf, why, whyLines, withStatement } from '../../src/inspect.ts'
import { changesBetween } from '../../src/inspect/changes.ts'
import { describe, type Described } from '../../src/inspect/describe.ts'
import { describeStep } from '../../src/inspect/folded-step.ts'
import { drawState } from '../../src/inspect/draw.ts'
import { choiceOf } from '../../src/log/records.ts'
import { step } from '../../src/system/step.ts'
import { overtaken, recorded, shipped } from './recorded.ts'

test('a walk says how far it has come, on every kernel', async () => {
  const walks = (profile: string, of: Scenario): readonly string[] => {
    const run = recorded(of, profile)
    return Array.from({ length: run.last }, (_, i) => describeStep(run, i + 1).text).filter(text => text.startsWith('walks'))
  }
  const four = await shipped('races/fault-against-munmap')
  const thrice = ['walks as far as 16', 'walks as far as 17', 'walks as far as 18']
  const over = 'walks; finds 16–19 → #2–5 W'
  for (const profile of ['v4.14', 'v5.2', 'v6.12']) assert.equal(walks(profile, four), [...thrice, over], profile)
  // Of two walks the first is for nothing.
  assert.equal(walks('v5.5', four), [...thrice, 'walks, and has to walk again from 16', ...thrice, over])
  const run = recorded(four, 'v5.5')
  assert.is(why(run, 'mm0', 16, run.last).derived[0]?.walked, 35, 'the walk that counts')
})

test('a step of a log is told in the words that it had when it was decided', async () => {
  const runs = [
    ['races/device-tlb-not-flushed', 'v6.12'],
    ['races/remove-sees-sequence', 'v6.12,+removeSeesSequence'],
    ['selftests/snapshot', 'v6.12', 'private'],
    ['races/fault-against-munmap', 'v5.5'],
  ] as const
  for (const [name, profile, variant] of runs) {
    const run = recorded(await shipped(name), profile, variant)
    for (let n = 1; n <= run.last; n++) {
      const decided = step(run.system, run.world(n - 1), choiceOf(run.record(n)))
      if (decided.kind !== 'stepped') throw new Error(`${name}: step ${n} cannot be decided again`)
      const { event, calls, facts } = decided
      const live = describe({ do: decided.do, event: event as Described['event'], calls, facts }).text
      assert.is(describeStep(run, n).text, live, `${name}, step ${n}`)
    }
  }
})

test('what a device had to itself, and was taken back without a word, it may still write', async () => {
  const run = recorded(await shipped('races/fork-untold'), 'v6.12,+forkUntold')
  assert.match(
    whyLines(run, why(run, 'mm0', 16, run.last)).at(-1) ?? '',
    /→ dmirror0 may write what the CPU may not: nobody told it of page 16/,
  )
})

test('of a log that begins in the middle, what was so where it begins is said to be', () => {
  const trunk = recorded(overtaken('mprotect'), 'v5.2')
  const leaves = (n: number): Branch =>
    new Branch(trunk, n, trunk.world(n), { name: 'b', trunk: trunk.log.id, system: trunk.system, spec: trunk.header.system, changed: [] })
  const later = leaves(38)
  assert.equal(whyLines(later, why(later, 'mm0', 17, 38)), [
    'page 17 of mm0 at step 38: the CPU maps #3 DA',
    '  as it was where the log begins, at step 38',
    'gpu0 maps #3 W, as it did where the log begins, at step 38',
    '  → gpu0 may write what the CPU may not: nobody told it of page 17 since the log begins, at step 38',
  ])
  assert.equal(whyLines(later, why(later, 'mm0', 99, 38)).slice(1), [
    '  as it was where the log begins, at step 38',
    '  no device has mapped it since the log begins, at step 38',
  ])
  // The walk is before the beginning, what came of it is behind it.
  const walked = leaves(24)
  walked.run(100)
  const lines = whyLines(walked, why(walked, 'mm0', 17, walked.last)).join('\n')
  assert.not.match(lines, /undefined|never written/)
  // What it mapped then is taken away behind it.
  const world = withStatement(trunk.system, trunk.world(40), 'cpu0', { do: 'munmap', mm: 'mm0', start: 16, end: 18 })
  const gone = new Branch(trunk, 40, world, {
    name: 'g',
    trunk: trunk.log.id,
    system: trunk.system,
    spec: trunk.header.system,
    changed: [],
  })
  gone.run(100)
  assert.match(whyLines(gone, why(gone, 'mm0', 17, gone.last)).at(-1) ?? '', /gpu0 maps nothing there: step \d+ took the entry away/)
})

test('a table, and a range of one, are shown as entries are', () => {
  const run = recorded(overtaken('dontneed'), 'v5.2')
  const shown = (text: string, n = run.last): string => pathOf(run.system, text).show(run.world(n))
  assert.is(shown('mm0.pte.16-17'), '16 = #2 WDA, 17 = #4 WDA')
  assert.is(shown('mm0.pte.16-19', 24), '16–17 = #2–3 WDA')
  assert.is(shown('mm0.pte.40-49'), 'none')
  assert.is(shown('gpu0.table'), '16–17 = #2–3 W')
  assert.is(shown('gpu0.table', 3), 'none')
  assert.is(shown('gpu0.table.17-99'), '17 = #3 W')
  assert.is(shown('gpu0.table.16'), '#2 W')
  assert.is(shown('swap.refs'), 'none')
  assert.ok(conditionOf(run.system, 'gpu0.table = none').holds(momentAt(run, 3)))
})

test('changes of several entries are told as one only where they go on evenly, before and after', () => {
  const run = recorded(overtaken('mprotect'), 'v5.2')
  const told = (from: number, to: number, of: RegExp): readonly string[] =>
    changesBetween(run, from, to)
      .filter(change => of.test(change.text))
      .map(({ text, before, after }) => `${text}: ${before} → ${after}`)
  assert.equal(told(36, 37, /table/), ['gpu0.table.16-17: none → #2–3 W'])
  assert.equal(told(2, 36, /pte/), ['mm0.pte.16: none → #2 WDA', 'mm0.pte.17: none → #3 DA'])
  assert.equal(told(2, 36, /frames.(refs|index|state)/), [
    'frames.refs.2-3: 0 → 1',
    'frames.state.2-3: free → anon',
    'frames.index.2-3: 0 → 16–17',
  ])
})

test('nothing is wider than it may be, where a word is not; and nothing is lost', () => {
  const run = recorded(overtaken('mprotect'), 'v5.2')
  const wordsIn = (lines: readonly string[]): readonly string[] => lines.flatMap(line => line.trim().split(/\s+/)).toSorted()
  for (const width of [40, 60, 80]) {
    for (let n = run.first; n <= run.last; n += 4) {
      for (const draw of [(w?: number) => drawState(run, n, w), (w?: number) => whyLines(run, why(run, 'mm0', 17, n), w)]) {
        const lines = draw(width)
        for (const line of lines) assert.ok(line.length <= width, `${width}: ${line}`)
        if (width >= 60) assert.equal(wordsIn(lines), wordsIn(draw()), `step ${n}`)
      }
    }
  }
})

test.run()
