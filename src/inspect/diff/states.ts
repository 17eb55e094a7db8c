/** In what two worlds, or two values in them, differ: path by path, with what each has there. */
import { stateWordOf } from '../../memory/frames.ts'
import { Table } from '../../memory/table.ts'
import { columnOf, entryInWords } from '../entries.ts'
import { joined, joinedNumbers, type Even } from '../even.ts'
import type { LinuxSystem, LinuxWorld } from '../linux.ts'

export interface StateDifference {
  /** `mm0.pte.16`, `frames.refs.2-9`, `gpu0.range.state`. */
  readonly path: string
  readonly a: unknown
  readonly b: unknown
}

type Fields = Readonly<Record<string, unknown>>
const isFields = (x: unknown): x is Fields => typeof x === 'object' && x !== null && !Array.isArray(x) && !(x instanceof Table)

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

/** What goes on evenly on both sides is told as one. */
function* tables(path: string, a: Table, b: Table): Generator<StateDifference> {
  const column = columnOf(path.slice(path.lastIndexOf('.') + 1))
  const join = column === 'numbers' ? joinedNumbers : joined
  const shown = (even: Even): unknown =>
    path === 'frames.state'
      ? stateWordOf(even.entry)
      : column === 'numbers'
        ? numbersInWords(even)
        : entryInWords(even.entry, column === 'words', even)
  const told = ([before, after]: Both): StateDifference => {
    const { from, end } = before
    return { path: end - from === 1 ? `${path}.${from}` : `${path}.${from}-${end - 1}`, a: shown(before), b: shown(after) }
  }
  let last: Both | undefined
  for (const [index, count] of a.changesTo(b)) {
    for (let at = index; at < index + count; at++) {
      const next: Both = [one(at, a.get(at)), one(at, b.get(at))]
      const both: Both | undefined = last === undefined ? undefined : joinedBoth(join, last, next)
      // States have no order.
      const isOne = both !== undefined && (path !== 'frames.state' || both.every(({ step }) => step === 0))
      if (last !== undefined && !isOne) yield told(last)
      last = isOne ? both : next
    }
  }
  if (last !== undefined) yield told(last)
}

type Both = readonly [before: Even, after: Even]
const one = (at: number, entry: number): Even => ({ from: at, end: at + 1, entry, step: 0 })

function joinedBoth(join: typeof joined, [a, b]: Both, [c, d]: Both): Both | undefined {
  const [before, after] = [join(a, c), join(b, d)]
  return before === undefined || after === undefined ? undefined : [before, after]
}

/** A number, if it is one; else from the first to the last. */
function numbersInWords({ from, end, entry, step }: Even): unknown {
  if (step === 0) return entry
  const last = entry + (end - 1 - from) * step
  return step > 0 ? `${entry}–${last}` : `${entry} down to ${last}`
}
