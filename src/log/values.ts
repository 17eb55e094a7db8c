/**
 * Plain values as JSON, and changes from one value to the next. Tables are their runs; a list is told as what was put in
 * place of its head (an agenda loses its first item and gets others), a table as the runs that changed.
 */
import { Table, type Run } from '../memory/table.ts'

/** A change of a list: `drop` of its first elements are gone, and these stand in their place. */
interface ListChange {
  readonly $list: readonly [drop: number, ...put: unknown[]]
}
/** A change of a table: these runs are new. */
interface TableChange {
  readonly $runs: readonly Run[]
}

const isObject = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null
const isTableJson = (x: unknown): x is { readonly $table: readonly Run[] } => isObject(x) && Array.isArray(x['$table'])
const isListChange = (x: unknown): x is ListChange => isObject(x) && Array.isArray(x['$list'])
const isTableChange = (x: unknown): x is TableChange => isObject(x) && Array.isArray(x['$runs'])

/** A value that was read as JSON, with its tables back. */
export function revived(json: unknown): unknown {
  if (!isObject(json)) return json
  if (Array.isArray(json)) return json.map(revived)
  if (isTableJson(json)) return Table.of(json.$table)
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, revived(value)]))
}

/** What turns `before` into `after`. Elements of lists that stayed are known by identity: rules keep what they do not touch. */
export function change(before: unknown, after: unknown): unknown {
  if (Array.isArray(before) && Array.isArray(after)) {
    let same = 0
    while (same < before.length && same < after.length && before[before.length - 1 - same] === after[after.length - 1 - same]) same++
    return { $list: [before.length - same, ...after.slice(0, after.length - same)] }
  }
  if (before instanceof Table && after instanceof Table) return { $runs: [...before.changesTo(after)] }
  return after
}

/** A change that says nothing: another object with the same in it. */
export const isNoChange = (told: unknown): boolean =>
  (isListChange(told) && told.$list.length === 1 && told.$list[0] === 0) || (isTableChange(told) && told.$runs.length === 0)

/** `before` with a change, as it was read, applied. */
export function changed(before: unknown, told: unknown): unknown {
  if (isListChange(told)) {
    const [drop, ...put] = told.$list
    return [...put.map(revived), ...(Array.isArray(before) ? before.slice(drop) : [])]
  }
  if (isTableChange(told)) {
    let table = before instanceof Table ? before : Table.empty
    for (const [index, count, value, stride] of told.$runs) table = table.setRange(index, count, value, stride)
    return table
  }
  return revived(told)
}

/** JSON with the keys of every object in order, so that equal values have equal text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) =>
    isObject(v) && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) : v,
  )
}
