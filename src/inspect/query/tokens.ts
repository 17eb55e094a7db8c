/**
 * Words of a query or of a path, with where they stand; and the one error for what cannot be read: what was expected, what
 * came instead, and where.
 */

export interface Token {
  readonly kind: 'word' | 'text' | 'sign' | 'end'
  readonly text: string
  /** Its first character in the query. */
  readonly at: number
}

/** A query, a condition or a path that cannot be read. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
  readonly at: number
  readonly expected: string
  readonly got: string
  readonly hint: string

  /** `hint`: what may have been meant. */
  constructor(query: string, at: number, expected: string, got: string, hint = '') {
    super(`expected ${expected}, got ${got === '' ? 'the end' : `'${got}'`}${hint}\n  ${query}\n  ${' '.repeat(at)}^`)
    this.at = at
    this.expected = expected
    this.got = got
    this.hint = hint
  }
}

const TOKEN = /\s*(?:"([^"]*)"|(==|!=|<=|>=|[()=<>,])|([^\s"()=<>,!]+)|(.))/gsy

export function tokensOf(query: string): readonly Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(query); match !== null; match = TOKEN.exec(query)) {
    const [all, text, sign, word, other] = match
    const end = match.index + all.length
    if (text !== undefined) tokens.push({ kind: 'text', text, at: end - text.length - 2 })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, at: end - sign.length })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, at: end - word.length })
    else if (other?.trim() === '') break
    else throw new QueryError(query, end - 1, other === '"' ? 'a closing "' : 'a word', other ?? '')
  }
  return [...tokens, { kind: 'end', text: '', at: query.length }]
}

/** Reads tokens one after the other. */
export class Reading {
  readonly query: string
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(query: string) {
    this.query = query
    this.#tokens = tokensOf(query)
  }

  get next(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '', at: this.query.length }
  }

  /** Takes the next token if it is this word or sign. */
  takes(text: string): boolean {
    const found = this.next.kind !== 'text' && this.next.kind !== 'end' && this.next.text === text
    if (found) this.#at++
    return found
  }

  take(expected: string): Token {
    const token = this.next
    if (token.kind === 'end') this.fail(expected)
    this.#at++
    return token
  }

  expect(text: string): void {
    if (!this.takes(text)) this.fail(`'${text}'`)
  }

  word(expected: string): string {
    if (this.next.kind === 'sign') this.fail(expected)
    return this.take(expected).text
  }

  /** `5`, `5..9`, `5..` or `..9`; both ends are meant. */
  span(expected: string): readonly [from: number, to: number] {
    const token = this.next
    const match = /^(\d*)(?:(\.\.|(?<=\d)[-–])(\d*))?$/.exec(token.text)
    if (token.kind !== 'word' || match === null || (match[1] === '' && (match[3] ?? '') === '')) this.fail(expected)
    const [, first = '', dots, last = ''] = match
    const from = first === '' ? 0 : Number(first)
    const to = dots === undefined ? from : last === '' ? Infinity : Number(last)
    if (from > to) this.fail(`${expected} that does not end before it begins`)
    this.#at++
    return [from, to]
  }

  done(expected: string): void {
    if (this.next.kind !== 'end') this.fail(expected)
  }

  fail(expected: string, hint = ''): never {
    throw new QueryError(this.query, this.next.at, expected, this.next.text, hint)
  }
}
