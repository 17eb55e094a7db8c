/**
 * A logged step in words, without deciding it again. A log has no calls between actors: whom a step calls, and about which
 * pages, is read off the agenda before and after it.
 */
import { senseless } from '../log/damaged.ts'
import type { StepRecord } from '../log/records.ts'
import { revived } from '../log/values.ts'
import type { Fact } from '../memory/facts.ts'
import { describe, type Described, type Words } from './describe.ts'
import type { LinuxSystem, LinuxWorld } from './linux.ts'
import type { Run } from './recording.ts'

type Fields = Readonly<Record<string, unknown>>

/** What of an item of an agenda says whom it calls, and about what. */
export interface NotifierRange {
  readonly mm: string
  readonly event: string
  readonly start: number
  readonly end: number
}

export const contextOf = (system: LinuxSystem, world: LinuxWorld, name: string): Fields =>
  (world.actors[system.index.get(name) ?? -1]?.context ?? {}) as Fields
export const agendaOf = (context: Fields): readonly Fields[] =>
  Array.isArray(context['agenda']) ? (context['agenda'] as readonly Fields[]) : []

export const isRange = (x: unknown): x is NotifierRange =>
  typeof x === 'object' && x !== null && 'start' in x && 'end' in x && 'event' in x && 'mm' in x

/** The range that a step of an invalidation is about: of what it has done, or, as it begins, of what is still to be done. */
export function rangeOf(system: LinuxSystem, before: LinuxWorld, after: LinuxWorld, record: StepRecord): NotifierRange | undefined {
  const begins = record.do.endsWith('invalidate_range_start')
  const items = agendaOf(contextOf(system, begins ? after : before, record.by))
  for (const item of items) if (isRange(item['range'])) return item['range']
  return migrationRange(items[0])
}

/** A migration that fills holes has told of its pages from the first hole on, and keeps no range. */
function migrationRange(item: Fields | undefined): NotifierRange | undefined {
  const range = { event: 'MIGRATE', ...(item?.['migration'] as Fields | undefined) }
  return isRange(range) && typeof item?.['first'] === 'number' ? { ...range, start: range.start + item['first'] } : undefined
}

/** The device that a step calls, if it calls one. */
export function calleeOf(system: LinuxSystem, before: LinuxWorld, record: StepRecord): string | undefined {
  const context = contextOf(system, before, record.by)
  const [item] = agendaOf(context)
  if (typeof item?.['who'] === 'string') return item['who']
  const mirrors = item?.['mirrors']
  if (Array.isArray(mirrors) && typeof mirrors[0] === 'string') return mirrors[0]
  const device = context['device']
  return typeof device === 'string' ? device : undefined
}

/** What `describe` needs to know of a step. */
export const describedStep = (run: Run, n: number): Described => foldedStep(run.system, run.record(n), run.world(n - 1), run.world(n))

/** The same of a step that is between these worlds. */
export function foldedStep(system: LinuxSystem, record: StepRecord, before: LinuxWorld, after: LinuxWorld): Described {
  const to = calleeOf(system, before, record) ?? ''
  const own = contextOf(system, after, record.by)
  const statement = ((contextOf(system, before, record.by)['program'] as readonly Fields[] | undefined) ?? [])[0] ?? {}
  const told = revived(record.event) as Described['event']
  // What the machine was told and its context has is not written twice.
  const event = { ...pick(own, ['agenda', 'array', 'fail', 'seq', 'ret']), ...told }
  const about: Fields =
    record.do === 'commit'
      ? { start: statement['start'], end: statement['end'], pfns: own['array'] }
      : record.do === 'translate'
        ? { page: statement['at'] }
        : { ...rangeOf(system, before, after, record) }
  return {
    do: record.do,
    event,
    calls: to === '' && !('start' in about) ? [] : [{ to, event: about, reply: replyOf(record, own, event) }],
    facts: revived(record.facts) as readonly Fact[],
  }
}

/** What a call was answered, as far as what the actor was told, and does next, says so. */
function replyOf({ do: what }: StepRecord, own: Fields, event: Described['event']): unknown {
  if (what === 'invalidate' && own['fail'] === 'EAGAIN') return false
  // What is not over yet is asked for again.
  if (what === 'invalidate_range_end' && agendaOf(own)[0]?.['do'] === what) return null
  return event['seq']
}

/** The same in words. Throws `DamagedLog` for a step that makes no sense. */
export function describeStep(run: Run, n: number): Words {
  try {
    return describe(describedStep(run, n))
  } catch (error) {
    throw senseless(`step ${n}`, error)
  }
}

const pick = (of: Fields, keys: readonly string[]): Fields => Object.fromEntries(keys.flatMap(key => (key in of ? [[key, of[key]]] : [])))

/** The statement of its program that an actor is at, in words: `madvise(16, dontneed)`. */
export function statementInWords(run: Run, world: LinuxWorld, by: string): string {
  const [statement] = (contextOf(run.system, world, by)['program'] as readonly Fields[] | undefined) ?? []
  if (statement === undefined) return 'at rest'
  const { do: what = 'fault', start, at, end, from, old, ...rest } = statement
  const first = Number(start ?? at ?? from)
  const stop = Number(end ?? first + Number(old))
  const pages = Number.isNaN(first) ? [] : [stop - first === 1 ? String(first) : `${first}–${stop - 1}`]
  const more = ['prot', 'advice', 'to', 'pages', 'who', 'file', 'value'].flatMap(key => (key in rest ? [String(rest[key])] : []))
  return `${String(what)}(${[...pages, ...more].join(', ')})`
}
