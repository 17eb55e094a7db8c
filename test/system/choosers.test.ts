/** Choosers: whom they ask, in which order, and that seeds differ from one another. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { random } from '../../src/system/choosers/random.ts'
import { recorded } from '../../src/system/choosers/recorded.ts'
import { roundRobin } from '../../src/system/choosers/round-robin.ts'
import type { World } from '../../src/system/world.ts'

const world: World<unknown> = { memory: null, actors: [] }
const took = (by: string): { readonly by: string; readonly offer: number; readonly budget: number } => ({ by, offer: 0, budget: 1 })

test('round robin begins behind who acted last', () => {
  const chooser = roundRobin()
  const names = ['a', 'b', 'c']
  const first = (): readonly string[] => [...chooser.order(names, world)]
  assert.equal(first(), ['a', 'b', 'c'])
  chooser.took?.(took('a'))
  assert.equal(first(), ['b', 'c', 'a'])
  chooser.took?.(took('c'))
  assert.equal(first(), ['a', 'b', 'c'])
  assert.equal([...chooser.pick(3, 'a')], [0, 1, 2])
})

test('random asks everybody, in any order, each as often', () => {
  const names = ['a', 'b', 'c']
  const chooser = random(1)
  const orders = new Map<string, number>()
  for (let i = 0; i < 6000; i++) {
    const order = [...chooser.order(names, world)].join('')
    orders.set(order, (orders.get(order) ?? 0) + 1)
  }
  assert.equal([...orders.keys()].toSorted(), ['abc', 'acb', 'bac', 'bca', 'cab', 'cba'])
  for (const [order, n] of orders) assert.ok(n > 880 && n < 1120, `${order} ${n} times in 6,000`)
  assert.equal(new Set(chooser.pick(3, 'a')), new Set([0, 1, 2]))
})

test('neighbouring seeds begin differently', () => {
  const begin = (seed: number): string => {
    const chooser = random(seed)
    return Array.from({ length: 8 }, () => [...chooser.order(['a', 'b'], world)][0]).join('')
  }
  const beginnings = Array.from({ length: 256 }, (_, seed) => begin(seed))
  // Of 256 draws from 256 beginnings, 162 differ on average.
  assert.ok(new Set(beginnings).size > 140, `${new Set(beginnings).size} beginnings`)
  for (let i = 0; i < 8; i++) assert.ok(Math.abs(beginnings.filter(b => b[i] === 'a').length - 128) < 40)
})

test('recorded asks for what was chosen, and for nobody in the end', () => {
  const chooser = recorded([{ by: 'b', offer: 2, budget: 5 }, took('a')])
  assert.equal([[...chooser.order(['a', 'b'], world)], [...chooser.pick(9, 'b')], chooser.budget?.('b')], [['b'], [2], 5])
  assert.equal([...chooser.order(['a', 'b'], world)], ['b'], 'until it was taken')
  chooser.took?.(took('b'))
  assert.equal([...chooser.order(['a', 'b'], world)], ['a'])
  chooser.took?.(took('a'))
  assert.equal([...chooser.order(['a', 'b'], world)], [])
})

test.run()
