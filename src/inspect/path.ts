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
import { page } from '../memory/address.ts'
import { isPresent } from '../memory/entry.ts'
import { stateWordOf } from '../memory/frames.ts'
import type { Memory } from '../memory/memory.ts'
import { leafAt, smallEntryAt } from '../memory/pagetable.ts'
import { Table } from '../memory/table.ts'
import { entryInWords, mappedInWords } from './entries.ts'
import type { LinuxSystem, LinuxWorld } from './recording.ts'

export interface Path {
  readonly text: string
  /** What is there; undefined if nothing is. Equal values may be different objects. */
  read(world: LinuxWorld): unknown
  /** What is there, in words. */
  show(world: LinuxWorld): string
  /** What a block has to touch to change it. */
  readonly keys: readonly Key[]
}

/** A path that leads nowhere; the message says where it might. */
export class BadPath extends Error {
  override readonly name = 'BadPath'
}

interface Span {
  readonly from: number
  readonly end: number
}
const spanOf = (word: string | undefined): Span | undefined => {
  const match = /^(\d+)(?:[-–](\d+))?$/.exec(word ?? '')
  if (match === null) return undefined
  const from = Number(match[1])
  return { from, end: Number(match[2] ?? from) + 1 }
}

/** Reads a path; the first address space is meant where none is named. */
export function pathOf(system: LinuxSystem, text: string): Path {
  const at = /^(?:([\w-]+):)?(\d+)$/.exec(text.trim())
  if (at !== null) return cpuEntry(text, at[1] ?? 'mm0', Number(at[2]))
  // Names of actors have dots in them: the longest that fits is meant.
  const actor = [...system.index.keys()]
    .filter(name => text === name || text.startsWith(`${name}.`))
    .toSorted((a, b) => b.length - a.length)[0]
  if (actor !== undefined) return actorPath(system, text, actor, partsOf(text.slice(actor.length + 1)))
  const [head = '', ...rest] = partsOf(text)
  if (head === 'frame' || head === 'frames') return framePath(text, rest)
  if (REST.has(head)) return generic(text, world => world.memory[head as keyof Memory], rest, [{ in: 'rest', name: head }, WILD])
  if (/^mm\d*$/.test(head)) return mmPath(text, head, rest)
  throw new BadPath(
    `'${text}' leads nowhere. Expected an actor (${[...system.index.keys()].join(', ')}), a page (16, mm0:16), mm0.pte.N, mm0.vmas, frame.N or ${[...REST].join(', ')}.`,
  )
}

const REST: ReadonlySet<string> = new Set(['swap', 'pool', 'files', 'devices', 'batches', 'pagemaps', 'killed'])
const partsOf = (text: string): readonly string[] => (text === '' ? [] : text.split('.'))
const WILD: Key = { in: 'rest', name: '*' }

function cpuEntry(text: string, mm: string, p: number): Path {
  const read = ({ memory }: LinuxWorld): unknown => {
    const of = memory.mms[mm]
    if (of === undefined) return undefined
    const small = smallEntryAt(of, page(p))
    return isPresent(small) ? `${leafAt(of, page(p)).level} ${small}` : small
  }
  return {
    text,
    read,
    show: ({ memory }) => mappedInWords(memory, mm, page(p)),
    keys: [
      { in: 'mms', name: mm, column: 'pte', from: p, end: p + 1 },
      { in: 'mms', name: mm, column: 'large', from: p, end: p + 1 },
      WILD,
    ],
  }
}

function actorPath(system: LinuxSystem, text: string, name: string, [key, ...rest]: readonly string[]): Path {
  const i = system.index.get(name) ?? 0
  if (key === undefined) {
    return {
      text,
      read: world => world.actors[i],
      show: world => valueInWords(world.actors[i]),
      keys: [{ in: 'actors', name }],
    }
  }
  const span = spanOf(rest[0])
  const bounds = span === undefined ? {} : { from: span.from, end: span.end }
  const root = (world: LinuxWorld): unknown => {
    const snapshot = world.actors[i]
    return key === 'state' ? snapshot?.value : ((snapshot?.context ?? {}) as Readonly<Record<string, unknown>>)[key]
  }
  return generic(text, root, rest, [{ in: 'actors', name, column: key, ...bounds }])
}

function mmPath(text: string, mm: string, [column, ...rest]: readonly string[]): Path {
  const root = (world: LinuxWorld): unknown => {
    const of = world.memory.mms[mm]
    return column === undefined || of === undefined ? of : (of as unknown as Readonly<Record<string, unknown>>)[column]
  }
  const span = spanOf(rest[0])
  const bounds = span === undefined ? {} : { from: span.from, end: span.end }
  return generic(text, root, rest, [column === undefined ? { in: 'mms', name: mm } : { in: 'mms', name: mm, column, ...bounds }, WILD])
}

const COLUMNS = ['refs', 'maps', 'hugeMaps', 'state', 'content', 'anonVma', 'index', 'lru', 'fresh', 'locked'] as const

function framePath(text: string, parts: readonly string[]): Path {
  // `frame.2.refs`, and `frames.refs.2` as memory has them.
  const named = COLUMNS.find(column => parts.includes(column))
  const span = spanOf(parts.find(part => /^\d/.test(part)))
  if (span === undefined) throw new BadPath(`'${text}': expected a frame, as in frame.2 or frame.2.refs (${COLUMNS.join(', ')})`)
  const columns = named === undefined ? COLUMNS : [named]
  const read = ({ memory: { frames } }: LinuxWorld): unknown =>
    columns.map(column => Array.from({ length: span.end - span.from }, (_, i) => frames[column].get(span.from + i)))
  const show = ({ memory: { frames } }: LinuxWorld): string =>
    Array.from({ length: span.end - span.from }, (_, i) => span.from + i)
      .map(f =>
        columns
          .map(column => {
            const value = column === 'state' ? stateWordOf(frames.state.get(f)) : String(frames[column].get(f))
            return named === undefined ? `${column} ${value}` : value
          })
          .join(', '),
      )
      .join(' · ')
  return { text, read, show, keys: [{ in: 'rest', name: 'frames', ...span }, WILD] }
}

function generic(text: string, root: (world: LinuxWorld) => unknown, rest: readonly string[], keys: readonly Key[]): Path {
  const read = (world: LinuxWorld): unknown => {
    let at = root(world)
    for (const part of rest) {
      if (at instanceof Table) {
        const span = spanOf(part)
        if (span === undefined) throw new BadPath(`'${text}': '${part}' is no index of a table`)
        const table = at
        at = span.end - span.from === 1 ? table.get(span.from) : [...table.runs(span.from, span.end)]
      } else
        at = typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? (at as Readonly<Record<string, unknown>>)[part] : undefined
    }
    return at
  }
  const isEntry = /\.(pte|pmd|pud|pgd|tlb)\.\d+$/.test(text)
  const isWord = /\.(table|array)\.\d+$/.test(text)
  return {
    text,
    read,
    show: world => {
      const value = read(world)
      return typeof value === 'number' && (isEntry || isWord) ? entryInWords(value, isWord) : valueInWords(value)
    },
    keys,
  }
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
