/** In what two worlds, or two values in them, differ: path by path, with what each has there. */
import { stateWordOf } from '../../memory/frames.ts'
import { Table } from '../../memory/table.ts'
import { entryInWords } from '../entries.ts'
import type { LinuxSystem, LinuxWorld } from '../linux.ts'

export interface StateDifference {
  /** `mm0.pte.16`, `frames.refs.2-9`, `gpu0.range.state`. */
  readonly path: string
  readonly a: unknown
  readonly b: unknown
}

type Fields = Readonly<Record<string, unknown>>
const isFields = (x: unknown): x is Fields => typeof x === 'object' && x !== null && !Array.isArray(x) && !(x instanceof Table)
const ENTRIES: ReadonlySet<string> = new Set(['pte', 'pmd', 'pud', 'pgd', 'tlb'])
/** Tables of devices, and what walks have found. */
const WORDS: ReadonlySet<string> = new Set(['table', 'array'])

/** The differences between worlds, of one system or of two. */
export function* stateDifferences(
  a: { readonly system: LinuxSystem; readonly world: LinuxWorld },
  b: { readonly system: LinuxSystem; readonly world: LinuxWorld },
): Generator<StateDifference> {
  const names = new Set([...a.system.index.keys(), ...b.system.index.keys()])
  for (const name of names) {
    const [x, y] = [a, b].map(({ system, world }) => world.actors[system.index.get(name) ?? -1])
    if (x === undefined || y === undefined) yield { path: name, a: x?.value, b: y?.value }
    else {
      if (x.value !== y.value) yield { path: `${name}.state`, a: x.value, b: y.value }
      yield* valueDifferences(name, x.context, y.context)
    }
  }
  const { mms: mmsA, ...restA } = a.world.memory
  const { mms: mmsB, ...restB } = b.world.memory
  yield* valueDifferences('', mmsA, mmsB)
  yield* valueDifferences('', restA, restB)
}

const under = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

/** What differs within a value at a path; of lists that are as long as each other, element by element. */
export function* valueDifferences(path: string, a: unknown, b: unknown): Generator<StateDifference> {
  if (Object.is(a, b)) return
  if (a instanceof Table && b instanceof Table) return yield* tables(path, a, b)
  if (isFields(a) && isFields(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      yield* valueDifferences(under(path, key), Object.hasOwn(a, key) ? a[key] : undefined, Object.hasOwn(b, key) ? b[key] : undefined)
    return
  }
  const lists = areAlike(a, b)
  if (lists !== undefined) {
    for (const [i, x] of lists[0].entries()) yield* valueDifferences(under(path, String(i)), x, lists[1][i])
    return
  }
  if (JSON.stringify(a) !== JSON.stringify(b)) yield { path, a, b }
}

/** Are these lists of which each element is what it was, but for some of its fields? */
function areAlike(a: unknown, b: unknown): readonly [readonly unknown[], readonly unknown[]] | undefined {
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return undefined
  const kind = (x: unknown): string => (isFields(x) ? `${String(x['do'])} ${Object.keys(x).join(' ')}` : '')
  return a.every((x, i) => kind(x) === kind(b[i])) ? [a, b] : undefined
}

function* tables(path: string, a: Table, b: Table): Generator<StateDifference> {
  const column = path.slice(path.lastIndexOf('.') + 1)
  const shown = (value: number): unknown =>
    path === 'frames.state' ? stateWordOf(value) : ENTRIES.has(column) || WORDS.has(column) ? entryInWords(value, WORDS.has(column)) : value
  for (const [index, count] of a.changesTo(b)) {
    const last = index + count - 1
    const where = count === 1 ? `${path}.${index}` : `${path}.${index}-${last}`
    yield { path: where, a: shown(a.get(index)), b: shown(b.get(index)) }
  }
}
