/**
 * Conditions on a world, as text: what `bisect` looks for, and `diff` judges by.
 *
 *     noStaleDeviceMapping                    a shipped oracle finds something wrong
 *     mm0.registry.invalidate_seq >= 4        a number in an actor's context; `gpu0.range.state = commit`
 *     16 = none      mm0:16 != PWDA           what the CPU's entry for a page says
 *     mm0.pte.16 > 0   gpu0.table.16 > 0      tables by index
 *     frame.2.refs = 2   frame.2.state = anon
 *     not (gpu0.table.16 > 0) or …            and, or, not, parentheses
 */
import { page, PAGE_LIMIT, pfn } from '../memory/address.ts'
import { wordOf } from '../memory/entry.ts'
import { frameKind } from '../memory/frames.ts'
import { mmOf } from '../memory/memory.ts'
import { smallEntryAt } from '../memory/pagetable.ts'
import { Table } from '../memory/table.ts'
import { ORACLES } from '../oracles/shipped.ts'
import { readLogic, Reading } from './query/tokens.ts'
import type { LinuxSystem, LinuxWorld } from './retrace.ts'

/** Does it hold of a world; and why, of what an oracle says. */
export interface Condition {
  holds(world: LinuxWorld): boolean
  why(world: LinuxWorld): string | undefined
}

type Value = number | string | undefined
type Reader = (world: LinuxWorld) => Value

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

/** Reads a condition; throws `QueryError`. */
export function parseCondition(text: string, system: LinuxSystem): Condition {
  const reading = new Reading(text)
  const names = system.actors.map(a => a.name)
  const both = (a: Condition, b: Condition, holds: Condition['holds']): Condition => ({ holds, why: world => a.why(world) ?? b.why(world) })
  const condition = readLogic<Condition>(
    reading,
    {
      and: (a, b) => both(a, b, world => a.holds(world) && b.holds(world)),
      or: (a, b) => both(a, b, world => a.holds(world) || b.holds(world)),
      not: of => ({ holds: world => !of.holds(world), why: () => undefined }),
    },
    (inner, depth) => {
      if (reading.takes('(')) {
        const of = inner(depth + 1)
        reading.expect(')')
        return of
      }
      const oracle = Object.hasOwn(ORACLES, reading.next.text) ? ORACLES[reading.next.text] : undefined
      if (oracle === undefined) return comparison(reading, system)
      reading.take('an oracle')
      const why = (world: LinuxWorld): string | undefined => oracle({ names, world })
      return { holds: world => why(world) !== undefined, why }
    },
  )
  reading.done("'and', 'or' or the end")
  return condition
}

function comparison(reading: Reading, system: LinuxSystem): Condition {
  const read = readerOf(reading, system)
  const sign = reading.next.text
  const wrong = (): undefined => undefined
  if (reading.takes('=') || reading.takes('!=')) {
    const wanted = reading.word('a number or a word to compare with')
    const same = (world: LinuxWorld): boolean => String(read(world) ?? 'nothing') === wanted
    return { holds: sign === '=' ? same : world => !same(world), why: wrong }
  }
  const compare = Object.hasOwn(COMPARE, sign) ? COMPARE[sign] : undefined
  if (compare === undefined) reading.fail('one of = != < <= > >=')
  reading.take('a sign')
  const bound = Number(reading.next.text)
  if (reading.next.text === '' || Number.isNaN(bound)) reading.fail('a number to compare with')
  reading.take('a number')
  return {
    holds: world => {
      const value = read(world)
      return typeof value === 'number' && compare(value, bound)
    },
    why: wrong,
  }
}

const FRAME_COLUMNS = ['refs', 'maps', 'hugeMaps', 'state', 'content', 'locked'] as const

function readerOf(reading: Reading, system: LinuxSystem): Reader {
  const { text } = reading.next
  const entry = /^(?:([\w-]+):)?(\d+)$/.exec(text)
  if (entry !== null && Number(entry[2]) < PAGE_LIMIT) {
    reading.take('a page')
    const [mm, at] = [entry[1] ?? 'mm0', page(Number(entry[2]))]
    return ({ memory }) => (memory.mms[mm] === undefined ? undefined : wordOf(smallEntryAt(mmOf(memory, mm), at)))
  }
  const [frame, number, column] = /^frames?\.(\d+)\.(\w+)$/.exec(text) ?? []
  const known = FRAME_COLUMNS.find(name => name === column)
  if (frame !== undefined && known !== undefined) {
    reading.take('a frame')
    const at = Number(number)
    return ({ memory: { frames } }) => (known === 'state' ? frameKind(frames, pfn(at)) : frames[known].get(at))
  }
  // Names of actors have dots in them: the longest that fits is meant.
  const actor = [...system.index.keys()].filter(name => text.startsWith(`${name}.`)).toSorted((a, b) => b.length - a.length)[0]
  const mm = /^(mm\d+)\.(pte|pmd|pud|pgd)\.(\d+)$/.exec(text)
  if (actor === undefined && mm === null && !text.startsWith('memory.'))
    reading.fail(
      `an oracle (${Object.keys(ORACLES).join(', ')}), a page (16), frame.N.COLUMN (${FRAME_COLUMNS.join(', ')}), mm0.pte.N, or something of an actor (${[...system.index.keys()].join(', ')}), such as its .state`,
    )
  reading.take('a path')
  if (actor !== undefined) {
    const i = system.index.get(actor) ?? 0
    const path = text.slice(actor.length + 1).split('.')
    if (path.length === 1 && path[0] === 'state') return world => world.actors[i]?.value
    return world => follow(world.actors[i]?.context, path)
  }
  const path = mm === null ? text.split('.').slice(1) : ['mms', ...text.split('.')]
  return world => follow(world.memory, path)
}

/** What a path leads to in plain data and tables. A list counts as its length. */
function follow(from: unknown, path: readonly string[]): Value {
  let at = from
  for (const part of path) {
    if (at instanceof Table) at = /^\d+$/.test(part) && Number(part) < PAGE_LIMIT ? at.get(Number(part)) : undefined
    else at = typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? (at as Readonly<Record<string, unknown>>)[part] : undefined
  }
  if (Array.isArray(at)) return at.length
  return typeof at === 'number' || typeof at === 'string' ? at : typeof at === 'boolean' || at === null ? String(at) : undefined
}
