/**
 * The language in which steps and worlds are asked about, as plain data and as text; `log`, `until`, `bisect` and `diff
 * --verdict` share it. Of a step a query may ask
 *
 *     by cpu0   do commit   actor gpu*   type madvise   page 16..19   frame 2   step 10..20   cause 5   text "maps on"   commit
 *
 * of the world after it, and of what the step made of the one before,
 *
 *     16 = none   frame.2.refs > 1   cpu0.state = user   mm0.vmas   noStaleDeviceMapping   changes gpu0.table.16
 *
 * and of the other steps of the run: `A before B`, `A after B`, `A between B and C`, `A inside fault of gpu0.range`.
 */
import type { KINDS, WINDOWS } from './terms.ts'

export type Sign = '=' | '!=' | '<' | '<=' | '>' | '>='

/** What is asked of a step and of the worlds on both sides of it. */
export type Term =
  | { readonly kind: 'all' }
  /** Names as they are, or with `*` for anything. */
  | { readonly kind: 'actor' | 'by' | 'do' | 'type'; readonly names: readonly string[] }
  | { readonly kind: 'page'; readonly from: number; readonly to: number }
  | { readonly kind: 'frame' | 'step' | 'cause'; readonly from: number; readonly to: number }
  | { readonly kind: 'text'; readonly words: string }
  /** Steps that have a name of their own: `invalidation`, `commit`. */
  | { readonly kind: 'is'; readonly name: keyof typeof KINDS }
  /** An oracle finds something wrong. */
  | { readonly kind: 'finds'; readonly oracle: string }
  /** The step changes what a path leads to. */
  | { readonly kind: 'changes'; readonly path: string }
  /** What a path leads to is there, and neither 0, nor no, nor empty. */
  | { readonly kind: 'value'; readonly path: string }
  | { readonly kind: 'compare'; readonly path: string; readonly sign: Sign; readonly value: string }

export type Query =
  | Term
  | { readonly kind: 'and' | 'or'; readonly a: Query; readonly b: Query }
  | { readonly kind: 'not'; readonly of: Query }
  | { readonly kind: 'before' | 'after'; readonly of: Query; readonly mark: Query }
  /** `one`: both ends are steps of one actor. */
  | { readonly kind: 'between'; readonly of: Query; readonly from: Query; readonly to: Query; readonly one: boolean }
  /** `who`: whose, the step's own actor's as well; without names, anybody's but its own. */
  | { readonly kind: 'inside'; readonly of: Query; readonly window: keyof typeof WINDOWS; readonly who: readonly string[] }

/** How tightly each way to put queries together binds. */
const BINDS = { or: 0, and: 1, not: 2, before: 3, after: 3, between: 3, inside: 3 } as const
const TERM = 4
const bindsOf = ({ kind }: Query): number => (kind in BINDS ? BINDS[kind as keyof typeof BINDS] : TERM)

/** Words that a name, a path or a value cannot be without quotes. */
const WORD = /^[^\s"()=<>,!]+$/
const quoted = (word: string): string => (WORD.test(word) ? word : `"${word}"`)
/** A path that stands where a term begins: it has a digit or a dot in it, or is quoted. */
const pathText = (path: string): string => (WORD.test(path) && /[\d.]/.test(path) ? path : `"${path}"`)
const names = (list: readonly string[]): string => list.map(quoted).join(',')

/** The text that is read as this query. */
export function queryText(query: Query): string {
  const within = (of: Query, least: number): string => (bindsOf(of) < least ? `(${queryText(of)})` : queryText(of))
  switch (query.kind) {
    case 'all':
      return 'all'
    case 'actor':
    case 'by':
    case 'do':
    case 'type':
      return `${query.kind} ${names(query.names)}`
    case 'page':
    case 'frame':
    case 'step':
    case 'cause': {
      const { kind, from, to } = query
      return `${kind} ${from}${to === from ? '' : to === Infinity ? '..' : `..${to}`}`
    }
    case 'text':
      return `text ${quoted(query.words)}`
    case 'is':
      return query.name
    case 'finds':
      return query.oracle
    case 'changes':
      return `changes ${quoted(query.path)}`
    case 'value':
      return pathText(query.path)
    case 'compare':
      return `${pathText(query.path)} ${query.sign} ${quoted(query.value)}`
    case 'and':
    case 'or': {
      const least = BINDS[query.kind]
      return `${within(query.a, least)} ${query.kind} ${within(query.b, least + 1)}`
    }
    case 'not':
      return `not ${within(query.of, BINDS.not)}`
    case 'before':
    case 'after':
      return `${within(query.of, BINDS.before)} ${query.kind} ${within(query.mark, TERM)}`
    case 'between':
      return `${within(query.of, BINDS.between)} between ${within(query.from, TERM)} and ${within(query.to, TERM)}${query.one ? ' of one actor' : ''}`
    case 'inside':
      return `${within(query.of, BINDS.inside)} inside ${query.window}${query.who.length === 0 ? '' : ` of ${names(query.who)}`}`
  }
}
