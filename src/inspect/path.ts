/**
 * Paths: names for any part of a world, as a person writes them. What a path leads to is plain data; two worlds differ at a
 * path if that differs.
 *
 *     gpu0.table.16            an actor's state or context: `gpu0`, `gpu0.state`, `mm0.registry.invalidate_seq`
 *     mm0.pte.16  mm0.vmas     an address space: its tables by index, its areas
 *     mm0:16  16               what the CPU maps at a page, by an entry of any size
 *     frame.2  frame.2.refs    a page frame, or a column of it
 *     swap.content.1  files.f  the rest of memory
 *
 * The last part may be a range of indices: `mm0.pte.16-19`.
 */
import type { Key } from '../log/keys.ts'
import { page, PAGE_LIMIT, type Page } from '../memory/address.ts'
import { isPresent } from '../memory/entry.ts'
import { stateWordOf } from '../memory/frames.ts'
import { emptyMm, type Memory } from '../memory/memory.ts'
import { leafAt, smallEntryAt } from '../memory/pagetable.ts'
import { INDEX_LIMIT, Table } from '../memory/table.ts'
import { initialWorld } from '../system/world.ts'
import { columnOf, entryInWords, mappedInWords, tableInWords } from './entries.ts'
import type { LinuxSystem, LinuxWorld } from './linux.ts'
import { didYouMean } from './query/similar.ts'
import { QueryError } from './query/tokens.ts'

export interface Path {
  readonly text: string
  /** What is there; undefined if nothing is. Equal values may be different objects. */
  read(world: LinuxWorld): unknown
  /** What is there, in words. */
  show(world: LinuxWorld): string
  /** What a block has to touch to change it. */
  readonly keys: readonly Key[]
  /** The paths that it is made of, if it is of several. */
  parts?(): readonly Path[]
}

/** A part of a path, with where it stands. */
interface Part {
  readonly text: string
  readonly at: number
}

function partsOf(text: string, from = 0): readonly Part[] {
  const parts: Part[] = []
  if (from > text.length) return parts
  for (let at = from; at <= text.length; at = (parts.at(-1)?.text.length ?? 0) + at + 1) {
    const end = text.indexOf('.', at)
    parts.push({ text: text.slice(at, end < 0 ? text.length : end), at })
  }
  return parts
}

interface Span {
  readonly from: number
  readonly end: number
}
const spanOf = (word: string | undefined): Span | undefined => {
  const match = /^(\d+)(?:[-–](\d+))?$/.exec(word ?? '')
  if (match === null) return undefined
  const from = Number(match[1])
  const end = Number(match[2] ?? from) + 1
  return from < end && end <= INDEX_LIMIT ? { from, end } : undefined
}

const REST: ReadonlySet<string> = new Set(['swap', 'pool', 'files', 'devices', 'batches', 'pagemaps', 'killed'])
const WILD: Key = { in: 'rest', name: '*' }

/** A page of an address space: `mm1:16`, or `16` of the first. */
export function pageOf(text: string): { readonly mm: string; readonly page: Page } | undefined {
  const [, mm = 'mm0', at] = /^(?:(mm\d+):)?(\d+)$/.exec(text) ?? []
  return at === undefined || Number(at) >= PAGE_LIMIT ? undefined : { mm, page: page(Number(at)) }
}

/** Reads a path; the first address space is meant where none is named. Throws `QueryError` where it leads nowhere. */
export function pathOf(system: LinuxSystem, text: string): Path {
  const at = pageOf(text)
  if (at !== undefined) return cpuEntry(text, at.mm, at.page)
  // Names of actors have dots in them: the longest that fits is meant.
  const actor = [...system.index.keys()]
    .filter(name => text === name || text.startsWith(`${name}.`))
    .toSorted((a, b) => b.length - a.length)[0]
  if (actor !== undefined) return actorPath(system, text, actor, partsOf(text, actor.length + 1))
  const [head, ...rest] = partsOf(text)
  const first = head?.text ?? ''
  if (first === 'frame' || first === 'frames') return framePath(text, rest)
  if (REST.has(first))
    return generic(system, text, ({ memory }) => memory[first as keyof Memory], rest, [{ in: 'rest', name: first }, WILD])
  if (/^mm\d+$/.test(first)) return mmPath(system, text, first, rest)
  throw new QueryError(
    text,
    0,
    `an actor (${[...system.index.keys()].join(', ')}), a page (16, mm0:16), mm0.pte.N, mm0.vmas, frame.N or ${[...REST].join(', ')}`,
    text,
    didYouMean(first, system.index.keys()),
  )
}

function cpuEntry(text: string, mm: string, p: Page): Path {
  const read = ({ memory }: LinuxWorld): unknown => {
    const of = memory.mms[mm]
    if (of === undefined) return undefined
    const small = smallEntryAt(of, p)
    return isPresent(small) ? `${leafAt(of, p).level} ${small}` : small
  }
  return {
    text,
    read,
    show: ({ memory }) => mappedInWords(memory, mm, p),
    keys: [
      { in: 'mms', name: mm, column: 'pte', from: p, end: p + 1 },
      { in: 'mms', name: mm, column: 'large', from: p, end: p + 1 },
      WILD,
    ],
  }
}

type Fields = Readonly<Record<string, unknown>>

function actorPath(system: LinuxSystem, text: string, name: string, [key, ...rest]: readonly Part[]): Path {
  const i = system.index.get(name) ?? 0
  // A context has the keys that its machine named at first, and never others.
  const keys = ['state', ...Object.keys(initialWorld(system).actors[i]?.context ?? {})]
  const whole = (world: LinuxWorld): unknown => world.actors[i]
  if (key === undefined)
    return {
      text,
      read: whole,
      show: world => valueInWords(whole(world)),
      keys: [{ in: 'actors', name }],
      parts: () => keys.map(k => pathOf(system, `${name}.${k}`)),
    }
  if (!keys.includes(key.text))
    throw new QueryError(text, key.at, `something of ${name} (${keys.join(', ')})`, key.text, didYouMean(key.text, keys))
  const root = (world: LinuxWorld): unknown => {
    const snapshot = world.actors[i]
    return key.text === 'state' ? snapshot?.value : ((snapshot?.context ?? {}) as Fields)[key.text]
  }
  return generic(system, text, root, rest, [{ in: 'actors', name, column: key.text, ...spanOf(rest[0]?.text) }])
}

function mmPath(system: LinuxSystem, text: string, mm: string, [column, ...rest]: readonly Part[]): Path {
  const columns = Object.keys(emptyMm)
  if (column !== undefined && !columns.includes(column.text))
    throw new QueryError(text, column.at, `something of an address space (${columns.join(', ')})`, column.text)
  const root = (world: LinuxWorld): unknown => {
    const of = world.memory.mms[mm] as Fields | undefined
    return column === undefined ? of : of?.[column.text]
  }
  const touched = column === undefined ? {} : { column: column.text, ...spanOf(rest[0]?.text) }
  return generic(system, text, root, rest, [{ in: 'mms', name: mm, ...touched }, WILD])
}

export const COLUMNS = ['refs', 'maps', 'hugeMaps', 'state', 'content', 'anonVma', 'index', 'lru', 'fresh', 'locked'] as const

/** Frames that are shown one by one. */
const SHOWN = 32

/** `frame.2`, `frame.2.refs`, and `frames.refs.2` as memory has them. */
function framePath(text: string, parts: readonly Part[]): Path {
  const [first, second] = parts
  const [numbers, column] = spanOf(first?.text) === undefined ? [second, first] : [first, second]
  const fail = (of: Part | undefined, expected: string): never => {
    throw new QueryError(text, of?.at ?? text.length, expected, of?.text ?? '')
  }
  const span = spanOf(numbers?.text) ?? fail(first, 'the number of a frame, as in frame.2 or frame.2.refs')
  const named = column === undefined ? undefined : (COLUMNS.find(c => c === column.text) ?? fail(column, `one of ${COLUMNS.join(', ')}`))
  if (parts[2] !== undefined) fail(parts[2], 'the end')
  const columns = named === undefined ? COLUMNS : [named]
  const count = span.end - span.from
  const shown = Array.from({ length: Math.min(count, SHOWN) }, (_, i) => span.from + i)
  return {
    text,
    read: ({ memory }) =>
      named !== undefined && count === 1
        ? memory.frames[named].get(span.from)
        : columns.map(of => [...memory.frames[of].runs(span.from, span.end)]),
    show: ({ memory }) => {
      const word = (of: (typeof COLUMNS)[number], f: number): string =>
        of === 'state' ? stateWordOf(memory.frames.state.get(f)) : String(memory.frames[of].get(f))
      const told = shown.map(f => columns.map(of => (named === undefined ? `${of} ${word(of, f)}` : word(of, f))).join(', '))
      return [...told, ...(count > SHOWN ? ['…'] : [])].join(' · ')
    },
    keys: [{ in: 'rest', name: 'frames', ...span }, WILD],
    ...(named === undefined && count === 1
      ? { parts: () => COLUMNS.map(of => framePath(`frame.${span.from}.${of}`, partsOf(`${span.from}.${of}`))) }
      : {}),
  }
}

/** What is at these parts of plain data and tables. */
function generic(
  system: LinuxSystem,
  text: string,
  root: (world: LinuxWorld) => unknown,
  parts: readonly Part[],
  keys: readonly Key[],
): Path {
  let seen = root(initialWorld(system))
  for (const part of parts) {
    if (seen instanceof Table && spanOf(part.text) === undefined)
      throw new QueryError(text, part.at, 'an index of a table, as 16, or a range of them, as 16-19', part.text)
    seen = within(seen, part.text)
  }
  const read = (world: LinuxWorld): unknown => parts.reduce((at, { text: part }) => within(at, part), root(world))
  return { text, read, show: world => shownAt(root(world), parts, text), keys }
}

/** What is there, in words; entries, and tables or a range of one, as such, by the name of the table that they are in. */
function shownAt(root: unknown, parts: readonly Part[], text: string): string {
  const names = text.split('.')
  const around = parts.slice(0, -1).reduce((at, { text: part }) => within(at, part), root)
  const last = parts.at(-1)
  const value = last === undefined ? root : within(around, last.text)
  if (value instanceof Table) return tableInWords(value, columnOf(names.at(-1) ?? ''))
  const span = around instanceof Table ? spanOf(last?.text) : undefined
  if (!(around instanceof Table) || span === undefined) return valueInWords(value)
  const column = columnOf(names.at(-2) ?? '')
  if (span.end - span.from > 1) return tableInWords(around, column, span.from, span.end)
  return typeof value !== 'number' || column === 'numbers' ? valueInWords(value) : entryInWords(value, column === 'words')
}

function within(of: unknown, part: string): unknown {
  if (of instanceof Table) {
    const span = spanOf(part)
    return span === undefined ? undefined : span.end - span.from === 1 ? of.get(span.from) : [...of.runs(span.from, span.end)]
  }
  return typeof of === 'object' && of !== null && Object.hasOwn(of, part) ? (of as Fields)[part] : undefined
}

/** Any value, briefly. */
export function valueInWords(value: unknown): string {
  const text = JSON.stringify(value)
  return text === undefined ? 'nothing' : text.length > 300 ? `${text.slice(0, 297)}…` : text
}

/** Does a path lead to something else in another world? */
export function differs(path: Path, a: LinuxWorld, b: LinuxWorld): boolean {
  const [x, y] = [path.read(a), path.read(b)]
  if (Object.is(x, y)) return false
  if (x instanceof Table && y instanceof Table) return x.changesTo(y).length > 0
  return typeof x !== 'object' || typeof y !== 'object' || JSON.stringify(x) !== JSON.stringify(y)
}
