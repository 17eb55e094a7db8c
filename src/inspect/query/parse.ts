/** Reads queries (query.ts). Names of actors, oracles and paths are held to the system that is asked about. */
import { ORACLES } from '../../oracles/shipped.ts'
import { pathOf } from '../path.ts'
import type { LinuxSystem } from '../linux.ts'
import type { Query, Sign, Term } from './query.ts'
import { didYouMean } from './similar.ts'
import { isKind, isWindow, KINDS, named, WINDOWS } from './terms.ts'
import { QueryError, Reading } from './tokens.ts'

/** How deep parentheses and `not` may stand in each other. */
const DEEPEST = 100
/** Terms of a query. */
const MOST = 1000
const SIGNS: Readonly<Record<string, Sign>> = { '=': '=', '==': '=', '!=': '!=', '<': '<', '<=': '<=', '>': '>', '>=': '>=' }
const RELATIONS = ['before', 'after', 'between', 'inside'] as const
const A_PATH = 'a path (16, frame.2.refs, cpu0.state)'
const TERMS = ['by', 'do', 'actor', 'type', 'page', 'range', 'frame', 'step', 'cause', 'text', 'changes', 'all'] as const
const EXPECTED = `one of ${TERMS.join(', ')}, a kind of steps (${Object.keys(KINDS).join(', ')}), an oracle (${Object.keys(ORACLES).join(', ')}), ${A_PATH}, 'not' or '('`
/** What a term can begin with, but for paths. */
export const WORDS: readonly string[] = [...TERMS, 'not', ...Object.keys(KINDS), ...Object.keys(ORACLES)]

/** Reads a query of the steps of a run; throws `QueryError`. */
export const parseQuery = (text: string, system: LinuxSystem): Query => new Parser(text, system, true).whole()

/** Reads one that a step and the worlds beside it can answer, whatever the other steps are. */
export const parseCondition = (text: string, system: LinuxSystem): Query => new Parser(text, system, false).whole()

export const isNumber = (text: string): boolean => /^-?\d+(\.\d+)?$/.test(text)

class Parser {
  readonly #reading: Reading
  readonly #system: LinuxSystem
  /** May it be asked how steps stand to each other? */
  readonly #related: boolean
  #terms = 0

  constructor(text: string, system: LinuxSystem, related: boolean) {
    this.#reading = new Reading(text)
    this.#system = system
    this.#related = related
  }

  whole(): Query {
    const query = this.#any(0)
    const relations = RELATIONS.map(name => `'${name}'`).join(', ')
    this.#reading.done(
      this.#related
        ? `'and', 'or', ${relations} or the end`
        : `'and', 'or' or the end (${relations} are for queries of a whole log, as 'log' has them)`,
    )
    return query
  }

  #any(depth: number): Query {
    if (depth > DEEPEST) this.#reading.fail('fewer parentheses')
    let left = this.#all(depth)
    while (this.#reading.takes('or')) left = { kind: 'or', a: left, b: this.#all(depth) }
    return left
  }

  #all(depth: number): Query {
    let left = this.#one(depth)
    while (this.#reading.takes('and')) left = { kind: 'and', a: left, b: this.#one(depth) }
    return left
  }

  #one(depth: number): Query {
    if (depth > DEEPEST) this.#reading.fail("fewer 'not's")
    return this.#reading.takes('not') ? { kind: 'not', of: this.#one(depth + 1) } : this.#standing(depth)
  }

  /** A term, and how it stands to others. */
  #standing(depth: number): Query {
    const reading = this.#reading
    let of = this.#primary(depth)
    while (this.#related) {
      if (reading.takes('before')) of = { kind: 'before', of, mark: this.#primary(depth) }
      else if (reading.takes('after')) of = { kind: 'after', of, mark: this.#primary(depth) }
      else if (reading.takes('between')) of = this.#between(of, depth)
      else if (reading.takes('inside')) of = this.#inside(of)
      else break
    }
    return of
  }

  #primary(depth: number): Query {
    if (!this.#reading.takes('(')) return this.#term()
    const query = this.#any(depth + 1)
    this.#reading.expect(')')
    return query
  }

  #between(of: Query, depth: number): Query {
    const reading = this.#reading
    const from = this.#primary(depth)
    reading.expect('and')
    const to = this.#primary(depth)
    const one = reading.takes('of')
    if (one) {
      reading.expect('one')
      reading.expect('actor')
    }
    return { kind: 'between', of, from, to, one }
  }

  #inside(of: Query): Query {
    const window = this.#reading.next.text
    const expected = `one of ${Object.keys(WINDOWS).join(', ')}`
    if (!isWindow(window)) this.#reading.fail(expected)
    this.#reading.take(expected)
    return { kind: 'inside', of, window, who: this.#reading.takes('of') ? this.#actors() : [] }
  }

  #term(): Term {
    const reading = this.#reading
    if (++this.#terms > MOST) reading.fail(`a query of at most ${MOST} terms`)
    const { kind, text } = reading.next
    if (kind === 'sign' || kind === 'end') reading.fail(EXPECTED)
    if (kind === 'text') return this.#ofPath()
    switch (text) {
      case 'all':
        reading.take(EXPECTED)
        return { kind: 'all' }
      case 'actor':
      case 'by':
        reading.take(EXPECTED)
        return { kind: text, names: this.#actors() }
      case 'do':
      case 'type':
        reading.take(EXPECTED)
        return { kind: text, names: this.#names(text === 'do' ? 'what is done' : 'what is done, or the type of an event or a call') }
      case 'page':
      case 'range':
      case 'frame':
      case 'step':
      case 'cause': {
        reading.take(EXPECTED)
        const [from, to] = reading.span(SPANS[text])
        return { kind: text === 'range' ? 'page' : text, from, to }
      }
      case 'text':
        reading.take(EXPECTED)
        return { kind: 'text', words: reading.word('words that the step is described by') }
      case 'changes':
        reading.take(EXPECTED)
        return { kind: 'changes', path: this.#path(A_PATH) }
      default:
        return this.#named(text) ?? this.#ofPath()
    }
  }

  /** A kind of steps, or an oracle. */
  #named(text: string): Term | undefined {
    const term: Term | undefined = isKind(text)
      ? { kind: 'is', name: text }
      : Object.hasOwn(ORACLES, text)
        ? { kind: 'finds', oracle: text }
        : undefined
    if (term !== undefined) this.#reading.take(EXPECTED)
    return term
  }

  /** A path, alone or compared with something. */
  #ofPath(): Term {
    const reading = this.#reading
    const path = this.#path(EXPECTED)
    const { kind, text } = reading.next
    const sign = kind === 'sign' && Object.hasOwn(SIGNS, text) ? SIGNS[text] : undefined
    if (sign === undefined) return { kind: 'value', path }
    reading.take('a sign')
    if (sign === '=' || sign === '!=') return { kind: 'compare', path, sign, value: reading.word('a number or a word to compare with') }
    if (!isNumber(reading.next.text)) reading.fail('a number to compare with')
    return { kind: 'compare', path, sign, value: reading.word('a number to compare with') }
  }

  /** A path; what is wrong in it is told by its place in the whole text. */
  #path(expected: string): string {
    const { kind, text, at } = this.#reading.next
    if (kind === 'sign' || kind === 'end') this.#reading.fail(expected)
    try {
      pathOf(this.#system, text)
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      // A word with neither dots nor digits in it was hardly meant as a path.
      if (expected === EXPECTED && kind === 'word' && !/[\d.:]/.test(text))
        this.#reading.fail(EXPECTED, didYouMean(text, [...WORDS, ...this.#system.index.keys()]))
      throw new QueryError(this.#reading.query, at + error.at + (kind === 'text' ? 1 : 0), error.expected, error.got, error.hint)
    }
    this.#reading.take(expected)
    return text
  }

  #actors(): readonly string[] {
    const known = [...this.#system.index.keys()]
    return this.#names(`an actor (${known.join(', ')})`, name => known.some(named(name)))
  }

  #names(expected: string, isKnown: (name: string) => boolean = () => true): readonly string[] {
    const reading = this.#reading
    const all: string[] = []
    do {
      if (!isKnown(reading.next.text)) reading.fail(expected, didYouMean(reading.next.text, this.#system.index.keys()))
      all.push(reading.word(expected))
    } while (reading.takes(','))
    return all
  }
}

const SPANS = {
  page: 'a page number',
  range: 'pages, as 16..19',
  frame: 'the number of a frame',
  step: 'a step, or steps as 10..20',
  cause: 'the step that others follow from',
} as const
