/** What a query means of one step and of the worlds on both sides of it. */
import type { Key } from '../../log/keys.ts'
import { Table } from '../../memory/table.ts'
import { ORACLES } from '../../oracles/shipped.ts'
import { differs, pathOf, type Path } from '../path.ts'
import type { LinuxSystem, LinuxWorld } from '../linux.ts'
import { pagesAre } from './pages.ts'
import { isNumber, parseCondition } from './parse.ts'
import type { Query, Sign, Term } from './query.ts'
import { actorIs, framesAre, KINDS, named, typeIs, type LoggedStep } from './terms.ts'

/** A place in a run: the step that led there, if one did, and the worlds before and after it. */
export interface Moment {
  readonly step: LoggedStep | undefined
  readonly before: LinuxWorld
  readonly world: LinuxWorld
}

/** Behind a step. */
export type Taken = Moment & { readonly step: LoggedStep }
const isTaken = (moment: Moment): moment is Taken => moment.step !== undefined

export interface Condition {
  readonly text: string
  /** Is it an oracle, and no more? Where it holds, something is wrong. */
  readonly isOracle: boolean
  holds(moment: Moment): boolean
  /** What an oracle finds there. */
  why(moment: Moment): string | undefined
  /** Only a block of a log that touches one of these has a step of which it holds; undefined: any may. */
  readonly keys: readonly Key[] | undefined
  /** What has to be seen before anything is asked: yields how far it is, is told whether to stop, and says whether it is done. */
  readonly prepare?: () => Generator<number, boolean, boolean>
}

/** Reads a condition; throws `QueryError`. */
export function conditionOf(system: LinuxSystem, text: string): Condition {
  const query = parseCondition(text, system)
  return { text, isOracle: query.kind === 'finds', holds: testOf(query, system), why: whyOf(query, system), keys: keysOf(query, system) }
}

export type MomentTest = (moment: Moment) => boolean

/** Can a step and the worlds beside it answer it? */
export function isLocal(query: Query): boolean {
  switch (query.kind) {
    case 'and':
    case 'or':
      return isLocal(query.a) && isLocal(query.b)
    case 'not':
      return isLocal(query.of)
    case 'before':
    case 'after':
    case 'between':
    case 'inside':
      return false
    default:
      return true
  }
}

/** The test that a local query is. */
export function testOf(query: Query, system: LinuxSystem): MomentTest {
  switch (query.kind) {
    case 'and': {
      const [a, b] = [testOf(query.a, system), testOf(query.b, system)]
      return moment => a(moment) && b(moment)
    }
    case 'or': {
      const [a, b] = [testOf(query.a, system), testOf(query.b, system)]
      return moment => a(moment) || b(moment)
    }
    case 'not': {
      const of = testOf(query.of, system)
      return moment => !of(moment)
    }
    case 'before':
    case 'after':
    case 'between':
    case 'inside':
      throw new Error(`'${query.kind}' is nothing that a single step can be asked: parseCondition and isLocal keep it out`)
    default:
      return termTest(query, system)
  }
}

/** Is a name one of these, or of one of these patterns? */
export const anyOf = (patterns: readonly string[]): ((name: string) => boolean) => {
  const all = patterns.map(named)
  return name => all.some(is => is(name))
}

type OfStep = Exclude<Term, { readonly kind: 'page' | 'finds' | 'changes' | 'value' | 'compare' }>

function stepTest(term: OfStep): (step: LoggedStep) => boolean {
  switch (term.kind) {
    case 'all':
      return () => true
    case 'actor':
      return actorIs(anyOf(term.names))
    case 'by': {
      const is = anyOf(term.names)
      return step => is(step.by)
    }
    case 'do': {
      const is = anyOf(term.names)
      return step => is(step.do)
    }
    case 'type':
      return typeIs(anyOf(term.names))
    case 'frame':
      return framesAre(term.from, term.to)
    case 'step':
      return ({ n }) => n >= term.from && n <= term.to
    case 'cause':
      return ({ cause }) => cause >= term.from && cause <= term.to
    case 'text': {
      const words = term.words.toLowerCase()
      return ({ text }) => text.toLowerCase().includes(words)
    }
    case 'is':
      return KINDS[term.name]
  }
}

function termTest(term: Term, system: LinuxSystem): MomentTest {
  switch (term.kind) {
    case 'page': {
      const are = pagesAre(system, term.from, term.to)
      return moment => isTaken(moment) && are(moment)
    }
    case 'finds': {
      const finding = findingOf(term.oracle, system)
      return ({ world }) => finding(world) !== undefined
    }
    case 'changes': {
      const path = pathOf(system, term.path)
      return ({ step, before, world }) => step !== undefined && differs(path, before, world)
    }
    case 'value': {
      const path = pathOf(system, term.path)
      return ({ world }) => isSomething(path.read(world))
    }
    case 'compare':
      return comparison(pathOf(system, term.path), term.sign, term.value)
    default: {
      const is = stepTest(term)
      return ({ step }) => step !== undefined && is(step)
    }
  }
}

function findingOf(name: string, system: LinuxSystem): (world: LinuxWorld) => string | undefined {
  const oracle = ORACLES[name]
  if (oracle === undefined) throw new Error(`no oracle '${name}': the parser knows them all`)
  const names = system.actors.map(a => a.name)
  return world => oracle({ names, world })
}

/** A number, or how many a list or a table has. */
function amount(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (Array.isArray(value)) return value.length
  if (value instanceof Table) return [...value.runs()].reduce((sum, [, count]) => sum + count, 0)
  return undefined
}

const isSomething = (value: unknown): boolean =>
  amount(value) !== 0 && value !== undefined && value !== null && value !== false && value !== ''

const ORDERS: Readonly<Record<Exclude<Sign, '=' | '!='>, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

/** Words are compared with what is shown of a path, numbers with what is there. */
function comparison(path: Path, sign: Sign, wanted: string): MomentTest {
  const number = isNumber(wanted) ? Number(wanted) : Number.NaN
  const equals = (world: LinuxWorld): boolean =>
    amount(path.read(world)) === number || path.show(world).replace(/^"(.*)"$/, '$1') === wanted
  if (sign === '=') return ({ world }) => equals(world)
  if (sign === '!=') return ({ world }) => !equals(world)
  const order = ORDERS[sign]
  return ({ world }) => {
    const value = amount(path.read(world))
    return value !== undefined && order(value, number)
  }
}

/** What the oracles that are asked find: of `not`, nothing that is to be told. */
function whyOf(query: Query, system: LinuxSystem): Condition['why'] {
  switch (query.kind) {
    case 'finds': {
      const finding = findingOf(query.oracle, system)
      return ({ world }) => finding(world)
    }
    case 'and':
    case 'or': {
      const [a, b] = [whyOf(query.a, system), whyOf(query.b, system)]
      return moment => a(moment) ?? b(moment)
    }
    default:
      return () => undefined
  }
}

function keysOf(query: Query, system: LinuxSystem): readonly Key[] | undefined {
  switch (query.kind) {
    case 'by':
    case 'do': {
      const { kind, names } = query
      return names.some(name => name.includes('*')) ? undefined : names.map(name => ({ in: kind, name }))
    }
    case 'changes':
      return pathOf(system, query.path).keys
    case 'and':
      return keysOf(query.a, system) ?? keysOf(query.b, system)
    case 'or': {
      const [a, b] = [keysOf(query.a, system), keysOf(query.b, system)]
      return a === undefined || b === undefined ? undefined : [...a, ...b]
    }
    default:
      return undefined
  }
}
