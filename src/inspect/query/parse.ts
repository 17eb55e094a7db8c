/**
 * Queries of the steps of a log, as text:
 *
 *     actor gpu0.range and not type mmap_unlock
 *     page 16  range 16..19  frame 2  step 10..20  cause 5  by cpu*  text "maps on"
 *     invalidation inside fault             while another actor's fault is under way
 *     change after (commit and page 16)     before, after: the first, or any, such step of the log
 *     by cpu0 between type fault and commit of one actor
 */
import { actorIs, framesAre, KINDS, named, pagesAre, typeIs, WINDOWS, type Test, type Window } from './terms.ts'
import { readLogic, Reading } from './tokens.ts'

export type Query =
  | { readonly kind: 'test'; readonly test: Test; readonly until: number }
  | { readonly kind: 'and' | 'or'; readonly a: Query; readonly b: Query }
  | { readonly kind: 'not'; readonly of: Query }
  | { readonly kind: 'before' | 'after'; readonly of: Query; readonly mark: Query }
  /** `one`: both ends are steps of one actor. */
  | { readonly kind: 'between'; readonly of: Query; readonly from: Query; readonly to: Query; readonly one: boolean }
  /** `who`: whose; anybody's but of the step's own actor. */
  | { readonly kind: 'inside'; readonly of: Query; readonly window: Window; readonly who: (name: string) => boolean }

const test = (of: Test, until = Infinity): Query => ({ kind: 'test', test: of, until })
const WINDOW_NAMES = Object.keys(WINDOWS)

/** What a term can begin with, and how it goes on. */
const TERMS: Readonly<Record<string, (reading: Reading) => Query>> = {
  actor: reading => test(actorIs(names(reading, 'the name of an actor'))),
  by: reading => {
    const is = names(reading, 'the name of an actor')
    return test(step => is(step.by))
  },
  type: reading => test(typeIs(names(reading, 'what is done, or the type of an event or a call'))),
  page: reading => test(pagesAre(...reading.span('a page number'))),
  range: reading => test(pagesAre(...reading.span('pages, as 16..19'))),
  frame: reading => test(framesAre(...reading.span('the number of a frame'))),
  step: reading => {
    const [from, to] = reading.span('a step, or steps as 10..20')
    return test(step => step.n >= from && step.n <= to, to)
  },
  cause: reading => {
    const [from, to] = reading.span('the step that others follow from')
    return test(step => step.cause >= from && step.cause <= to)
  },
  text: reading => {
    const words = reading.word('words that the step is described by').toLowerCase()
    return test(step => step.text.toLowerCase().includes(words))
  },
  all: () => test(() => true),
  ...Object.fromEntries(Object.entries(KINDS).map(([name, of]) => [name, () => test(of)])),
}

const EXPECTED = `one of ${Object.keys(TERMS).join(', ')}, 'not' or '('`

function names(reading: Reading, expected: string): (name: string) => boolean {
  const all = [named(reading.word(expected))]
  while (reading.takes(',')) all.push(named(reading.word(expected)))
  return name => all.some(is => is(name))
}

/** Reads a query; throws `QueryError`. */
export function parseQuery(text: string): Query {
  const reading = new Reading(text)
  const query = readLogic<Query>(
    reading,
    { and: (a, b) => ({ kind: 'and', a, b }), or: (a, b) => ({ kind: 'or', a, b }), not: of => ({ kind: 'not', of }) },
    (inner, depth) => related(reading, inner, depth),
  )
  reading.done("'and', 'or', 'before', 'after', 'between', 'inside' or the end")
  return query
}

function primary(reading: Reading, inner: (depth: number) => Query, depth: number): Query {
  if (reading.takes('(')) {
    const query = inner(depth + 1)
    reading.expect(')')
    return query
  }
  const { kind, text } = reading.next
  const term = kind === 'word' && Object.hasOwn(TERMS, text) ? TERMS[text] : undefined
  if (term === undefined) reading.fail(EXPECTED)
  reading.take(EXPECTED)
  return term(reading)
}

/** A term, and how it stands to others. */
function related(reading: Reading, inner: (depth: number) => Query, depth: number): Query {
  let of = primary(reading, inner, depth)
  for (;;) {
    if (reading.takes('before')) of = { kind: 'before', of, mark: primary(reading, inner, depth) }
    else if (reading.takes('after')) of = { kind: 'after', of, mark: primary(reading, inner, depth) }
    else if (reading.takes('between')) of = between(reading, of, inner, depth)
    else if (reading.takes('inside')) of = inside(reading, of)
    else return of
  }
}

function between(reading: Reading, of: Query, inner: (depth: number) => Query, depth: number): Query {
  const from = primary(reading, inner, depth)
  reading.expect('and')
  const to = primary(reading, inner, depth)
  const one = reading.takes('of')
  if (one) {
    reading.expect('one')
    reading.expect('actor')
  }
  return { kind: 'between', of, from, to, one }
}

function inside(reading: Reading, of: Query): Query {
  const expected = `one of ${WINDOW_NAMES.join(', ')}`
  const window = Object.hasOwn(WINDOWS, reading.next.text) ? WINDOWS[reading.next.text] : undefined
  if (window === undefined) reading.fail(expected)
  reading.take(expected)
  const who = reading.takes('of') ? names(reading, 'the name of an actor') : (): boolean => true
  return { kind: 'inside', of, window, who }
}
