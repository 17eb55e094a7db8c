/** In what two worlds differ: path by path, with what each has there. */
import { frameOf, wordOf } from '../../memory/entry.ts'
import { Table } from '../../memory/table.ts'
import type { LinuxSystem, LinuxWorld } from '../linux.ts'

export interface StateDifference {
  /** `mm0.pte.16`, `frames.refs.2-9`, `gpu0.range.state`. */
  readonly path: string
  readonly a: unknown
  readonly b: unknown
}

type Fields = Readonly<Record<string, unknown>>
const isFields = (x: unknown): x is Fields => typeof x === 'object' && x !== null && !Array.isArray(x) && !(x instanceof Table)
const ENTRIES: ReadonlySet<string> = new Set(['pte', 'pmd', 'pud', 'pgd'])

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
      yield* values(name, x.context, y.context)
    }
  }
  const { mms: mmsA, ...restA } = a.world.memory
  const { mms: mmsB, ...restB } = b.world.memory
  yield* values('', mmsA, mmsB)
  yield* values('', restA, restB)
}

const under = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

function* values(path: string, a: unknown, b: unknown): Generator<StateDifference> {
  if (Object.is(a, b)) return
  if (a instanceof Table && b instanceof Table) return yield* tables(path, a, b)
  if (isFields(a) && isFields(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      yield* values(under(path, key), Object.hasOwn(a, key) ? a[key] : undefined, Object.hasOwn(b, key) ? b[key] : undefined)
    return
  }
  if (JSON.stringify(a) !== JSON.stringify(b)) yield { path, a, b }
}

function* tables(path: string, a: Table, b: Table): Generator<StateDifference> {
  const shown = ENTRIES.has(path.slice(path.lastIndexOf('.') + 1)) ? entry : (value: number): unknown => value
  for (const [index, count] of a.changesTo(b)) {
    const last = index + count - 1
    const where = count === 1 ? `${path}.${index}` : `${path}.${index}-${last}`
    yield { path: where, a: shown(a.get(index)), b: shown(b.get(index)) }
  }
}

/** An entry as people read it: `#2 PWDA`. */
const entry = (value: number): string => (value === 0 ? 'none' : `#${frameOf(value)} ${wordOf(value)}`)
