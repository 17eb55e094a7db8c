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
import type { StepRecord } from './records.ts'
import { isFields, type Fields } from './sound.ts'
import { FIELDS, usually, type Field, type Learned, type Usual } from './usual.ts'
import { isItemChange, isListChange, type ListChange } from './values.ts'

/** Writes a step, and learns from it. */
export function writeStep(to: ByteWriter, record: StepRecord, learned: Learned): void {
  const { n, by, do: what, offer, budget, cause } = record
  to.raw('{"n":')
  to.number(n)
  const { name, slots } = learned.of(by, what)
  to.copy(name)
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
  const told = terse(record)
  for (let i = 0; i < told.length; i++) {
    const value = told[i]
    if (slots[i]?.tells(value) !== true) continue
    to.raw(OPENINGS[i] ?? '')
    to.value(value ?? null)
  }
  to.raw('}')
}

const OPENINGS = FIELDS.map(field => `,"${field}":`)

/** What a step tells, in the order of `FIELDS`; undefined where it has nothing to tell. */
function terse({ by, event, set, facts }: StepRecord): readonly unknown[] {
  let to: string | undefined
  let then: unknown
  let next: unknown
  let own: Record<string, unknown> | undefined
  let others: Record<string, unknown> | undefined
  for (const name in set) {
    const told = set[name]
    if (told === undefined) continue
    const state = told[0]
    const keys = told[1]
    if (name !== by) {
      put((others ??= {}), name, state === 0 ? keys : isEmpty(keys) ? state : told)
      continue
    }
    if (state !== 0) to = state
    for (const key in keys) {
      const value = keys[key]
      if (key === AGENDA && isWorded(value)) then = terseList(value)
      else if (key === PROGRAM && isWorded(value)) next = terseList(value)
      else put((own ??= {}), key, value)
    }
  }
  return [event.type, cameWith(event), to, then, next, own, others, facts.length === 0 ? undefined : facts]
}
const [AGENDA, PROGRAM] = ['agenda', 'program'] as const

function cameWith(event: StepRecord['event']): Fields | undefined {
  let came: Record<string, unknown> | undefined
  for (const key in event) if (key !== 'type') put((came ??= {}), key, event[key])
  return came
}

/** Puts a field into an object, also one whose name an assignment would take for another. */
function put(to: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(to, key, { value, enumerable: true, configurable: true, writable: true })
  else to[key] = value
}

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

function terseList({ $list }: ListChange): readonly unknown[] {
  const told: unknown[] = $list[0] === 1 ? [] : [$list[0]]
  for (let i = 1; i < $list.length; i++) told.push(terseItem($list[i]))
  return told
}

function terseItem(item: unknown): unknown {
  if (!isItemChange(item)) return item
  const { $moved } = item
  if (!isFields($moved) || isItemChange($moved) || Object.keys(item).length > 1) return item
  const { do: what } = $moved
  if (what === undefined) return $moved
  return typeof what === 'string' && Object.keys($moved).length === 1 ? what : item
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
  if (then !== undefined) keys[AGENDA] = wholeList(then)
  if (next !== undefined) keys[PROGRAM] = wholeList(next)
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
