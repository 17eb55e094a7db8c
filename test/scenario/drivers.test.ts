/**
 * Drivers of one's own: each sketch of a real driver's pattern is explored to the end, and each of its mistakes is found, in exactly
 * so many steps; and what a driver lacks is told when it is defined.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explore } from 'mirrorwalk/explore'
import { modelOf, retrace, type Scenario } from '../../src/index.ts'

const STALE = 'no stale device mapping'
const ACCESS = 'no stale device access'
const BLOCKED = 'nobody is blocked for ever'
const CIRCLES = 'nobody goes in circles for ever'

/** By sketch: the states that there are; and by mistake what is violated, after how many steps, of how many states. */
const SKETCHES: Readonly<Record<string, readonly [number, Readonly<Record<string, readonly [string, number, number]>>]>> = {
  'buffer-notifiers': [355, { 'asks-of-the-last': [STALE, 36, 348] }],
  'fence-wait': [241, { 'does-not-wait': [ACCESS, 29, 291], 'job-faults': [BLOCKED, 23, 220] }],
  'invalidation-count': [2687, { 'covers-the-last-alone': [STALE, 38, 2990], 'asks-under-the-lock-alone': [CIRCLES, 55, 2726] }],
  'page-requests': [220, { 'drops-what-is-stale': [BLOCKED, 29, 214] }],
  'process-notifier': [206, { 'asks-before-it-locks': [STALE, 26, 225] }],
  'test-hmm': [605, { 'as-it-is': [STALE, 34, 347] }],
}

const folder = join(import.meta.dirname, '../../scenarios/drivers')
const readme = readFileSync(join(folder, '../../README.md'), 'utf8').split('\n')
const sketches = new Map<string, Scenario>()
for (const file of readdirSync(folder).toSorted()) {
  const { default: sketch } = (await import(join(folder, file))) as { readonly default: Scenario }
  sketches.set(file.replace('.ts', ''), sketch)
}

test('every sketch is there, with its mistakes, and says what the explorer says', () => {
  const variants = [...sketches].map(
    ([
      name,
      {
        variants: [, ...mistakes],
      },
    ]) => [name, mistakes],
  )
  assert.equal(
    variants,
    Object.entries(SKETCHES).map(([name, [, mistakes]]) => [name, Object.keys(mistakes)]),
  )
  for (const [name, [states, mistakes]] of Object.entries(SKETCHES)) {
    const told = Object.entries(mistakes).map(
      ([mistake, [, steps, of]]) => `\`${mistake}\` found after ${steps} steps, of ${of.toLocaleString('en')} states`,
    )
    const header = readFileSync(join(folder, `${name}.ts`), 'utf8').replaceAll('\n * ', ' ')
    const row = readme.find(line => line.startsWith(`| \`${name}\` |`)) ?? ''
    for (const [, steps] of Object.values(mistakes)) assert.ok(row.includes(`(${steps})`), `${name} in the README`)
    assert.ok(header.includes(`Explored to the end: ${states.toLocaleString('en')} states; ${told.join('; ')}.`), name)
  }
})

test('every reduction says the same of them', () => {
  for (const [name, sketch] of sketches) {
    // What goes run by run is not for what has very many.
    const reductions = name === 'invalidation-count' ? (['cache'] as const) : (['cache', 'sleep', 'dpor'] as const)
    for (const variant of sketch.variants) {
      const { properties, ...model } = modelOf(sketch.build(undefined, variant))
      const safety = { ...model, properties: properties.filter(({ kind }) => kind !== 'livelock' && kind !== 'eventually') }
      const verdicts = (reduction: 'none' | (typeof reductions)[number]): readonly unknown[] =>
        explore(safety, { reduction }).found.map(f => [f.property, f.verdict])
      for (const reduction of reductions) assert.equal(verdicts(reduction), verdicts('none'), `${name} ${variant} ${reduction}`)
    }
  }
})

for (const [name, sketch] of sketches) {
  const [states, mistakes] = SKETCHES[name] ?? [0, {}]
  test(`${name}: right in every order of events`, () => {
    const { verdict, complete, searched, found } = explore(modelOf(sketch.build()))
    assert.equal([verdict, complete], ['holds', true], JSON.stringify(found))
    assert.is(searched.states, states)
  })
  for (const [mistake, figures] of Object.entries(mistakes)) {
    test(`${name}, ${mistake}: found`, () => {
      const built = sketch.build(undefined, mistake)
      const { found, searched, complete } = explore(modelOf(built))
      const violated = found.find(f => f.verdict === 'violated')
      assert.ok(complete)
      assert.equal([violated?.property, violated?.trail?.length, searched.states], figures, JSON.stringify(found))
      assert.is(retrace(modelOf(built).system, violated?.trail ?? []).length, figures[1])
    })
  }
}

test.run()
