/**
 * Plain values as JSON, and changes from one value to the next. Tables are their runs; a list is told as what was put in
 * place of its head (an agenda loses its first item and gets others), a table as the runs that changed.
 */
import { Table, type Run } from '../memory/table.ts'
import { areRuns, type Fields } from './shape.ts'

/** A change of a list: `drop` of its first elements are gone, and these stand in their place. */
export interface ListChange {
  readonly $list: readonly [drop: number, ...put: unknown[]]
}
/** An element that is like the first one dropped, but for these fields. */
export interface ItemChange {
  readonly $moved: Fields
}
/** A change of a table: these runs are new. */
interface TableChange {
  readonly $runs: readonly Run[]
}

const isObject = (x: unknown): x is Fields => typeof x === 'object' && x !== null
export const isItemChange = (x: unknown): x is ItemChange => isObject(x) && isObject(x['$moved'])
const isTableJson = (x: unknown): x is { readonly $table: readonly Run[] } => isObject(x) && Array.isArray(x['$table'])
export const isListChange = (x: unknown): x is ListChange => isObject(x) && Array.isArray(x['$list'])
const isTableChange = (x: unknown): x is TableChange => isObject(x) && Array.isArray(x['$runs'])

/** A value that was read as JSON, with its tables back; itself where it has none. */
export function revived(json: unknown): unknown {
  if (!isObject(json)) return json
  if (Array.isArray(json)) return revivedList(json)
  if (isTableJson(json)) return Table.of(narrow(json.$table))
  let fresh: Record<string, unknown> | undefined
  for (const key in json) {
    const value = revived(json[key])
    // What is spread has each field as its own, `__proto__` as well: it can be set.
    if (value !== json[key]) (fresh ??= { ...json })[key] = value
  }
  return fresh ?? json
}

function revivedList(list: readonly unknown[]): readonly unknown[] {
  let fresh: unknown[] | undefined
  for (let i = 0; i < list.length; i++) {
    const value = revived(list[i])
    if (value !== list[i]) (fresh ??= [...list])[i] = value
  }
  return fresh ?? list
}

/** Runs that somebody wrote down, unless they fill more than any memory has. */
function narrow(runs: readonly Run[]): readonly Run[] {
  if (!areRuns(runs)) throw new RangeError('a table whose runs are none, or wider than any can be')
  return runs
}

/** What turns `before` into `after`. Elements of lists that stayed are known by identity: rules keep what they do not touch. */
export function change(before: unknown, after: unknown): unknown {
  if (Array.isArray(before) && Array.isArray(after)) return listChange(before, after)
  if (before instanceof Table && after instanceof Table) return { $runs: before.changesTo(after) }
  return after
}

function listChange(before: readonly unknown[], after: readonly unknown[]): ListChange {
  const same = sameTail(before, after)
  const head = before.length > same ? before[0] : undefined
  const list: [drop: number, ...put: unknown[]] = [before.length - same]
  for (let i = 0; i < after.length - same; i++) {
    const item = after[i]
    const fields = moved(head, item)
    list[i + 1] = fields === undefined ? item : ({ $moved: fields } satisfies ItemChange)
  }
  return { $list: list }
}

/** How many items at the ends of two lists are the same. */
export function sameTail(before: readonly unknown[], after: readonly unknown[]): number {
  let same = 0
  while (same < before.length && same < after.length && before[before.length - 1 - same] === after[after.length - 1 - same]) same++
  return same
}

/**
 * The fields in which an item differs from one like it; undefined if they are not alike, field by field, or mostly differ.
 * A loop puts its item back with the cursor moved, others go on with what they were told: only what differs is told.
 */
export function moved(before: unknown, after: unknown): Fields | undefined {
  if (!isObject(before) || !isObject(after)) return undefined
  const keys = Object.keys(before)
  const fields: Record<string, unknown> = {}
  let at = 0
  let same = 0
  for (const key in after) {
    if (key !== keys[at++]) return undefined
    const value = after[key]
    if (before[key] === value) same++
    else fields[key] = value
  }
  return at === keys.length && same > 1 ? fields : undefined
}

/** A change that says nothing: another object with the same in it. */
export const isNoChange = (told: unknown): boolean =>
  (isListChange(told) && told.$list.length === 1 && told.$list[0] === 0) || (isTableChange(told) && told.$runs.length === 0)

/** `before` with a change, as it was read, applied. */
export function changed(before: unknown, told: unknown): unknown {
  if (isListChange(told)) {
    const [drop, ...put] = told.$list
    const list: readonly unknown[] = Array.isArray(before) ? before : []
    const element = (x: unknown): unknown => (isItemChange(x) ? { ...(list[0] as Fields), ...(revived(x.$moved) as Fields) } : revived(x))
    return [...put.map(element), ...list.slice(drop)]
  }
  if (isTableChange(told)) {
    let table = before instanceof Table ? before : Table.empty
    for (const [index, count, value, stride] of narrow(told.$runs)) table = table.setRange(index, count, value, stride)
    return table
  }
  return revived(told)
}

/** Equal JSON; of objects, with their keys in any order. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!isEqual(a[i], b[i])) return false
    return true
  }
  const [x, y] = [a as Fields, b as Fields]
  let keys = 0
  for (const key in x) {
    if (!Object.hasOwn(y, key) || !isEqual(x[key], y[key])) return false
    keys++
  }
  return keys === Object.keys(y).length
}
