/** Queries of the steps of a log: what each term means, how terms stand to each other, and what is said of a wrong one. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import race from '../../scenarios/races/fault-against-munmap.ts'
import stale from '../../scenarios/seeds/004-stale-valid.ts'
import { Counting, lastMeant, Matcher, momentOf, parseQuery, QueryError, storyOf, type Story } from '../../src/inspect.ts'
import { isStep } from '../../src/log/reader.ts'
import { told } from './story.ts'

const { story } = told(stale, 'v5.2')
const steps = story.steps

function meant(query: string, of: Story = story): readonly number[] {
  const parsed = parseQuery(query, of.system)
  const matcher = new Matcher(of.system, parsed)
  const could = of.steps.map(step => matcher.see(momentOf(step)))
  const found = matcher.meant()
  // What is meant in the end was never ruled out before, and stands where it can.
  for (const n of found) assert.ok(could[n - 1] === true && n <= lastMeant(parsed))
  return found
}
const numbers = (is: (step: (typeof steps)[number]) => boolean): readonly number[] => steps.filter(is).map(step => step.n)
const some = (list: readonly number[]): readonly number[] => {
  assert.ok(list.length > 0 && list.length < steps.length, `${list.length} of ${steps.length}`)
  return list
}

test('terms', () => {
  assert.equal(
    meant('all'),
    numbers(() => true),
  )
  assert.equal(meant('by cpu0'), some(numbers(s => s.by === 'cpu0')))
  assert.equal(meant('by cpu*'), meant('by cpu0'))
  assert.equal(meant('by "gpu0.range",cpu0'), meant('all'))
  assert.equal(meant('actor mm0.hmm'), some(numbers(s => s.calls.some(c => c.to === 'mm0.hmm') || s.changes.includes('mm0.hmm'))))
  assert.equal(meant('type madvise'), some(numbers(s => s.do === 'madvise')))
  assert.equal(meant('step 5..9'), [5, 6, 7, 8, 9])
  assert.equal(meant('step ..3'), [1, 2, 3])
  assert.equal(meant('step 32..'), [32, 33])
  assert.equal(meant('cause 1'), some(numbers(s => s.cause === 1)))
  assert.equal(meant('change'), some(numbers(s => s.facts.length > 0)))
  assert.equal(meant('text "maps on gpu0"'), [30])
  assert.equal(meant('commit'), [30])
})

test('pages and frames', () => {
  const page = some(meant('page 16'))
  assert.equal(meant('range 10..20'), page)
  assert.equal(meant('range 16..'), page)
  // Mapped, faulted and given up by the CPU, asked for, walked and mapped by the device.
  for (const text of ['mmap', 'page fault', 'faults in 16', 'writes', 'the device faults', 'walks; finds', 'madvise', 'maps on gpu0'])
    assert.ok(
      steps.some(s => s.text.includes(text) && page.includes(s.n)),
      text,
    )
  // Tables that are made for it stand above the pages beside it, too; they are no page's own.
  assert.equal(meant('page 17'), [])
  assert.equal(meant('range 0..15'), [])
  assert.equal(meant('page 1000000000'), [])
  // The page is mapped to frame 2, written, walked by the device, unmapped, and mapped there.
  const frame = some(meant('frame 2'))
  assert.ok(frame.includes(9) && frame.includes(24) && frame.includes(30), frame.join(' '))
  assert.equal(meant('frame 3'), [])
})

test('the world after a step, and what the step made of it', () => {
  assert.equal(meant('changes 16'), [9, 24])
  assert.equal(meant('noStaleDeviceMapping'), [30, 31, 32, 33])
  assert.equal(meant('noStaleDeviceMapping and not do unlock and do return'), [33])
  assert.equal(meant('mm0.registry.active_invalidate_ranges > 0'), [21, 22, 23, 24])
  // The walk, while the CPU still had the page; and what was done about the page before it was mapped on the device.
  assert.equal(meant('16 = "#2 WDA" and text "walks; finds"'), [17])
  assert.equal(meant('changes 16 before changes gpu0.table.16'), [9, 24])
})

test('and, or, not and parentheses', () => {
  assert.equal(meant('by cpu0 and change'), some(numbers(s => s.by === 'cpu0' && s.facts.length > 0)))
  assert.equal(
    meant('not by cpu0'),
    numbers(s => s.by !== 'cpu0'),
  )
  assert.equal(meant('commit or type madvise and by cpu0'), some(numbers(s => s.do === 'commit' || s.do === 'madvise')))
  assert.equal(
    meant('(commit or type madvise) and by cpu0'),
    numbers(s => s.do === 'madvise'),
  )
  assert.equal(meant('not not commit'), meant('commit'))
})

test('before, after, between, inside', () => {
  assert.equal(
    meant('change after commit'),
    numbers(s => s.n > 30 && s.facts.length > 0),
  )
  assert.equal(meant('all after commit'), [31, 32, 33])
  assert.equal(meant('all before step 3'), [1, 2])
  assert.equal(meant('all after text nonsense'), [])
  // The invalidation that the fault forgets, and nothing of the device's own.
  assert.equal(meant('invalidation inside fault'), [21])
  assert.equal(meant('invalidation inside fault of gpu0.range'), [21])
  assert.equal(meant('invalidation inside fault of cpu0'), [])
  assert.equal(
    meant('all inside invalidation of cpu0'),
    numbers(s => s.n > 21 && s.n < 26),
  )
  assert.equal(
    meant('all inside invalidation'),
    numbers(s => s.by !== 'cpu0' && s.n > 21 && s.n < 26),
  )
  assert.equal(meant('commit inside fault of gpu0.range'), [30])
  const walk = steps.find(s => s.do === 'hmm_range_fault' && s.by === 'gpu0.range')?.n ?? 0
  assert.equal(
    meant('change between type hmm_range_fault and commit'),
    numbers(s => s.n > walk && s.n < 30 && s.facts.length > 0),
  )
  // The same, if both ends have to be of one actor; nobody does both of these.
  assert.equal(meant('all between by cpu0 and commit of one actor'), [])
  assert.ok(meant('all between by cpu0 and commit').length > 0)
})

const TERMS = ['all', 'fault', 'commit', 'change', 'by cpu0', 'invalidation', 'text reads', 'step 10..20', 'page 16']
const queries = fc.letrec<{ query: string }>(tie => ({
  query: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(...TERMS),
    tie('query').map(q => `not (${q})`),
    fc.tuple(tie('query'), fc.constantFrom('and', 'or', 'before', 'after'), tie('query')).map(([a, how, b]) => `(${a}) ${how} (${b})`),
    fc
      .tuple(tie('query'), tie('query'), tie('query'), fc.constantFrom('', ' of one actor'))
      .map(([of, from, to, one]) => `(${of}) between (${from}) and (${to})${one}`),
    tie('query').map(q => `(${q}) inside fault`),
  ),
}))

test('what is meant for sure while steps are still to come is meant in the end', () => {
  let early = 0
  fc.assert(
    fc.property(queries.query, text => {
      const [sure, all] = [sureOf(text), new Set(meant(text))]
      for (const [i, some] of sure.entries()) {
        // Nothing is unsaid.
        for (const n of some) assert.ok(all.has(n) && sure.at(-1)?.includes(n), `${text}: ${n} at ${i + 1}`)
        early += some.includes(i + 1) ? 1 : 0
      }
    }),
    { numRuns: 1000 },
  )
  assert.ok(early > 1000, String(early))
  // Of what needs nothing that comes later, nothing waits.
  for (const text of ['change', 'change after fault', 'change inside fault', 'not (change after fault)']) assert.ok(stepwise(text), text)
  // Of a change behind the commit it is only known in the end that no other commit follows.
  const later = numbers(s => s.n > 30 && s.facts.length > 0)
  const late = `change and not (change before commit)`
  assert.equal(meant(late), later)
  assert.equal(sureOf(late).at(-1), [])
})

function sureOf(text: string): readonly (readonly number[])[] {
  const matcher = new Matcher(story.system, parseQuery(text, story.system))
  return steps.map(step => {
    matcher.see(momentOf(step))
    return matcher.meant({ all: false })
  })
}
const stepwise = (text: string): boolean => {
  const all = meant(text)
  return sureOf(text).every((some, i) => some.includes(i + 1) === all.includes(i + 1))
}

test('a window that never closes is no between', () => {
  assert.equal(meant('all between commit and type nothing'), [])
})

test('a mistake is told by its place and by what was expected there', () => {
  const mistakes = [
    ['', 0, /expected one of by, do, actor, type, page, .*'not' or '\('/],
    ['page x', 5, /expected a page number, got 'x'/],
    ['page', 4, /expected a page number, got the end/],
    ['page 16 adn by cpu0', 8, /expected 'and', 'or', .* got 'adn'/],
    ['(by cpu0', 8, /expected '\)', got the end/],
    ['by cpu0 and', 11, /got the end/],
    ['invalidation inside out', 20, /expected one of fault, syscall, invalidation, lock, got 'out'/],
    ['page -1', 5, /expected a page number, got '-1'/],
    [Array(2000).fill('fault').join(' or '), 9000, /expected a query of at most 1000 terms, got 'fault'/],
    ['all between commit or change', 19, /expected 'and', got 'or'/],
    ['step 9..5', 5, /does not end before it begins/],
    ['text "open', 5, /a closing "/],
    ['constructor x', 0, /got 'constructor'/],
    ['by nobody', 3, /expected an actor \(folio_lock, .*gpu0\.range\), got 'nobody'/],
    ['by cpu0,gpu9*', 8, /expected an actor .*, got 'gpu9\*'/],
    ['commit and 16 >', 15, /expected a number to compare with, got the end/],
    ['16 > much', 5, /expected a number to compare with, got 'much'/],
    ['commit or frame.2.colour = 3', 18, /expected one of refs, maps, .*, got 'colour'/],
    ['changes "gpu0.table.x"', 20, /expected an index of a table.*, got 'x'/],
    ['cpu0.color = 3', 5, /expected something of cpu0 \(state, .*\), got 'color'/],
    ['nothing.here > 3', 0, /expected an actor \(folio_lock, .*frame\.N or swap, .*got 'nothing\.here'/],
    ['noStale', 0, /Did you mean noStaleDeviceMapping or noStaleDeviceAccess\?/],
    ['comit', 0, /Did you mean commit\?/],
    ['by cpu1', 3, /Did you mean cpu0\?/],
    ['commit xor 16', 7, /got 'xor'/],
    [`${'('.repeat(500)}all`, 101, /fewer parentheses/],
    [`${'not '.repeat(500)}all`, 404, /fewer 'not's/],
  ] as const
  for (const [query, at, message] of mistakes) {
    assert.throws(
      () => parseQuery(query, story.system),
      (error: unknown) => error instanceof QueryError && error.at === at && message.test(error.message),
      query.slice(0, 40),
    )
  }
  const message = ((): string => {
    try {
      parseQuery('page x', story.system)
    } catch (error) {
      return (error as Error).message
    }
    return ''
  })()
  assert.is(message, "expected a page number, got 'x'\n  page x\n       ^")
})

test('statistics', () => {
  const counting = new Counting()
  for (const step of steps) counting.see(step)
  const { statistics } = counting
  assert.equal(
    [statistics.steps, statistics.first, statistics.last, Object.fromEntries(statistics.actors)],
    [33, 1, 33, { cpu0: numbers(s => s.by === 'cpu0').length, 'gpu0.range': numbers(s => s.by === 'gpu0.range').length }],
  )
  assert.equal(
    [Object.fromEntries(statistics.kinds).invalidation, Object.fromEntries(statistics.kinds).commit, statistics.calls],
    [1, 1, steps.flatMap(s => s.calls).length],
  )
  const waited = new Counting()
  const other = told(race, 'v6.12', 3).story
  for (const step of other.steps) waited.see(step)
  assert.is(waited.statistics.waited, other.steps.filter(s => s.after !== undefined).length)
})

test('steps that this model does otherwise are told by their records, in the same words', () => {
  const { log, story } = told(stale, 'v5.2')
  const records = log.records.filter(isStep)
  // The first step is one that nobody does: from there on nothing is decided again.
  const astray = storyOf(log.header, story.system, records.with(0, { ...records[0], do: 'nothing' } as (typeof records)[number]), undefined)
  const commit = story.steps.findIndex(step => step.do === 'commit')
  assert.match(story.steps[commit]?.text ?? '', /maps on gpu0: 16/)
  assert.is(astray.steps[commit]?.text, story.steps[commit]?.text)
})

test.run()
