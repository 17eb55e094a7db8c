/** Two models that are gone through side by side: the same if nothing differs anywhere, however late, and else not. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Progress } from '../../src/explore/strategy.ts'
import { doSame } from '../../src/explore/answers/same.ts'
import { modelOf } from '../../src/index.ts'
import seed from '../../scenarios/seeds/004-stale-valid.ts'
import { workers, type Program } from './toys.ts'

/** What it says in the end; `stop`: at the first report. */
function ended(going: Generator<Progress, boolean | undefined, 'interrupted' | undefined>, stop = false): boolean | undefined {
  for (;;) {
    const next = going.next(stop ? 'interrupted' : undefined)
    if (next.done === true) return next.value
  }
}
const same = (one: readonly Program[], other: readonly Program[], maxStates = Infinity): boolean | undefined =>
  ended(doSame(workers(one), workers(other), { maxStates }))

test('what is written the same is the same; one step that differs, at the very end, is found', () => {
  const busy: Program = [
    ['add', 0],
    ['read', 1],
    ['add', 1],
  ]
  assert.is(same([busy, busy], [[...busy], [...busy]]), true)
  assert.is(same([busy, [...busy, ['add', 0]]], [busy, [...busy, ['set', 0]]]), false)
  assert.is(same([busy, busy], [busy]), false)
})

test('a kernel with a bug is another one where the bug is met, and nowhere else', () => {
  const model = modelOf(seed.build('v6.12'))
  assert.is(ended(doSame(model, modelOf(seed.build('v6.12')), { maxStates: Infinity })), true)
  for (const kernel of ['v6.12,+commitsUnchecked', 'v5.2'])
    assert.is(ended(doSame(model, modelOf(seed.build(kernel)), { maxStates: Infinity })), false, kernel)
  // None of it comes by a page in swap.
  assert.is(ended(doSame(model, modelOf(seed.build('v6.12,+swapNotFaulted')), { maxStates: Infinity })), true)
})

test('who is stopped before it is over does not know', () => {
  const busy: Program = [
    ['add', 0],
    ['read', 1],
    ['add', 1],
  ]
  assert.is(same([busy, busy], [busy, busy], 4), undefined)
})

test.run()
