/**
 * Steps as they are written down, and back. Of a record (records.ts)
 *
 * - `cause` is left out if it is the step before;
 * - `event` is what the actor was told, and `with` what came with it;
 * - `to` is the actor's new state, `then` what became of its agenda, `next` of its program, `own` of the rest of its
 *   context, and `set` of other actors: a state, keys that changed, or both;
 * - `facts` are left out if there are none.
 *
 * `then` and `next` are what stands in place of the first item of a list, behind a number if not one item is gone but so
 * many. A word stands for the item that is gone but for what it does; an object without `do`, for that item but for these
 * fields. Where a checkpoint has told what is usual (usual.ts), a field that is so is left out, and one that is not there
 * although it usually is, is null.
 */
import type { ByteWriter } from './bytes.ts'
import { isFields, type Fields } from './shape.ts'
import type { Told } from './told.ts'
import { FIELDS, usually, type Field, type Learned, type Usual } from './usual.ts'
import { isItemChange, isListChange, moved, sameTail, type ListChange } from './values.ts'

/** Writes a step, and learns from it. */
export function writeStep(to: ByteWriter, { n, by, do: what, offer, budget, cause, parts }: Told, learned: Learned): void {
  to.raw('{"n":')
  to.number(n)
  const deed = learned.of(by, what)
  to.copy(deed.name)
  if (offer !== undefined) {
    to.raw(',"offer":')
    to.number(offer)
  }
  if (budget !== undefined) {
    to.raw(',"budget":')
    to.number(budget)
  }
  if (cause !== n - 1) {
    to.raw(',"cause":')
    to.number(cause)
  }
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]
    if (part === undefined) continue
    const { isThere } = part
    if ((!isThere && deed.lacks(i)) || !deed.tells(i, part)) continue
    to.raw(OPENINGS[i] ?? '')
    if (isThere) part.write(to)
    else to.raw('null')
  }
  to.raw('}')
}
const OPENINGS = FIELDS.map(field => `,"${field}":`)

function isEmpty(fields: Fields): boolean {
  for (const _ in fields) return false
  return true
}

/** Can a change be told by `then` or `next`? Its items are those of an agenda, or like the first that is gone. */
function isWorded(told: unknown): told is ListChange {
  if (!isListChange(told) || typeof told.$list[0] !== 'number' || !isAlone(told)) return false
  for (let i = 1; i < told.$list.length; i++) if (!isItemChange(told.$list[i]) && !isItem(told.$list[i])) return false
  return true
}
/** Has it one field, and no more? */
function isAlone(fields: object): boolean {
  let count = 0
  for (const _ in fields) if (++count > 1) return false
  return true
}
const isItem = (x: unknown): boolean => isFields(x) && typeof x['do'] === 'string'

/** What `then` and `next` tell of a list that changes; undefined if they cannot. Of one that does not: that none is gone. */
export function terseChange(before: readonly unknown[], after: readonly unknown[]): readonly unknown[] | undefined {
  const same = sameTail(before, after)
  const gone = before.length - same
  const head = gone > 0 ? before[0] : undefined
  const list: unknown[] = gone === 1 ? [] : [gone]
  for (let i = 0; i < after.length - same; i++) {
    const item = after[i]
    const fields = moved(head, item)
    if (fields === undefined && !isItem(item)) return undefined
    list.push(fields === undefined ? item : terseFields(fields))
  }
  return list
}

function terseFields(fields: Fields): unknown {
  const { do: what } = fields
  if (what === undefined) return fields
  return typeof what === 'string' && isAlone(fields) ? what : { $moved: fields }
}

/** A change of a list, as `then` and `next` tell it; undefined if they cannot. */
export function terseList(told: unknown): readonly unknown[] | undefined {
  if (!isWorded(told)) return undefined
  const { $list } = told
  const list: unknown[] = $list[0] === 1 ? [] : [$list[0]]
  for (let i = 1; i < $list.length; i++) list.push(terseItem($list[i]))
  return list
}

function terseItem(item: unknown): unknown {
  if (!isItemChange(item)) return item
  const { $moved } = item
  if (!isFields($moved) || isItemChange($moved) || !isAlone(item)) return item
  return terseFields($moved)
}

function wholeItem(item: unknown): unknown {
  if (typeof item === 'string') return { $moved: { do: item } }
  return isItemChange(item) || !isFields(item) || item['do'] !== undefined ? item : { $moved: item }
}

/** A step as it was parsed, with all that it leaves out. What is none is given back for what it is. */
export function whole(json: unknown, usual: Usual): unknown {
  if (!isFields(json) || typeof json['by'] !== 'string' || typeof json['do'] !== 'string') return json
  const { n, by, do: what, offer, budget, cause } = json
  const left = usually(usual, by, what)
  const told = (field: Field): unknown => {
    const value = json[field]
    return value === undefined ? left?.[field] : (value ?? undefined)
  }
  return {
    n,
    by,
    do: what,
    offer,
    budget,
    cause: cause ?? (typeof n === 'number' ? n - 1 : undefined),
    event: { type: told('event'), ...(told('with') as Fields | undefined) },
    set: wholeSets(by, told),
    facts: told('facts') ?? [],
  }
}

/** What became of the actors; undefined if that cannot be read. */
function wholeSets(by: string, told: (field: Field) => unknown): unknown {
  const [to = 0, then, next, own = {}, others = {}] = [told('to'), told('then'), told('next'), told('own'), told('set')]
  // What became of the actor itself stands in fields of its own.
  if (!isFields(own) || !isFields(others) || Object.hasOwn(others, by)) return undefined
  const keys: Record<string, unknown> = {}
  if (then !== undefined) keys['agenda'] = wholeList(then)
  if (next !== undefined) keys['program'] = wholeList(next)
  const all = Object.keys(own).length === 0 ? keys : { ...keys, ...own }
  const sets: [string, unknown][] = to === 0 && isEmpty(all) ? [] : [[by, [to, all]]]
  for (const [name, set] of Object.entries(others)) sets.push([name, typeof set === 'string' ? [set, {}] : isFields(set) ? [0, set] : set])
  return Object.fromEntries(sets)
}

function wholeList(told: unknown): unknown {
  if (!Array.isArray(told)) return told
  const counted = typeof told[0] === 'number'
  return { $list: [counted ? told[0] : 1, ...told.slice(counted ? 1 : 0).map(wholeItem)] }
}
