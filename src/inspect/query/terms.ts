/** What a step is asked: who takes it, what it does, which pages and frames it concerns. */
import { frameOf } from '../../memory/entry.ts'
import type { Fact } from '../../memory/facts.ts'
import { Table } from '../../memory/table.ts'
import { framesNamed, writes } from '../../memory/writes.ts'
import type { Described } from '../describe.ts'

/** A step of a log, with the calls that deciding it again adds. */
export interface LoggedStep extends Described {
  readonly n: number
  readonly by: string
  readonly cause: number
  /** The actors that it changes. */
  readonly changes: readonly string[]
  /** What it does, in words. */
  readonly text: string
}

export type Test = (step: LoggedStep) => boolean

/** Names as they are, or with `*` for anything. */
export function named(pattern: string): (name: string) => boolean {
  if (!pattern.includes('*')) return name => name === pattern
  const parts = pattern.split('*')
  return name => {
    const [first = '', ...rest] = parts
    const last = rest.pop() ?? ''
    if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false
    let at = first.length
    for (const part of rest) {
      const found = name.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return at <= name.length - last.length
  }
}

/** Takes the step, is called in it, or is changed by it. */
export const actorIs =
  (is: (name: string) => boolean): Test =>
  ({ by, calls, changes }) =>
    is(by) || calls.some(c => is(c.to)) || changes.some(is)

/** Does this, or has an event or a call of this type. */
export const typeIs =
  (is: (name: string) => boolean): Test =>
  step =>
    is(step.do) || is(step.event.type) || step.calls.some(({ event }) => 'type' in event && is(String(event.type)))

/** Has [start, end), if it is one, a number of [from, to]? */
export const meets = (start: unknown, end: unknown, from: number, to: number): boolean =>
  typeof start === 'number' && typeof end === 'number' && start <= to && from < end

/** Concerns a frame of [from, to]: changes it, maps it anywhere, or has a device map it. */
export const framesAre =
  (from: number, to: number): Test =>
  ({ facts, calls }) =>
    facts.some(fact => factOnFrames(fact, from, to)) ||
    calls.some(({ event }) => Object.values(event).some(value => value instanceof Table && tableHas(value, from, to)))

function factOnFrames(fact: Fact, from: number, to: number): boolean {
  const [first, end] = framesNamed(fact) ?? []
  let found = meets(first, end, from, to)
  writes(fact, (part, _, at, until) => {
    found ||= part === 'frames' && meets(at, until, from, to)
  })
  return found
}

/** Does one of these words lead to such a frame? */
function tableHas(table: Table, from: number, to: number): boolean {
  for (const [, count, value, stride] of table.runs()) {
    const [first, last] = [frameOf(value), frameOf(value + stride * (count - 1))]
    if (Math.min(first, last) <= to && from <= Math.max(first, last)) return true
  }
  return false
}

/** Kinds of steps that have a name of their own. */
export const KINDS = {
  /** Tells notifiers that pages are about to change. */
  invalidation: step => step.do === 'invalidate_range_start',
  /** A fault begins, of a CPU or of a device. */
  fault: step => step.event.type === 'fault' || step.event.type === 'page_fault',
  /** A walk turns out to have been invalidated. */
  retry: step => step.event['stale'] === true,
  /** An operation ends in an error or a signal. */
  failure: step => typeof step.event['err'] === 'string' || step.event.type === 'signal' || step.event.type === 'oops',
  /** A device maps what a walk has found. */
  commit: step => step.do === 'commit' || step.do === 'dmirror_do_fault',
  /** Memory is another afterwards. */
  change: step => step.facts.length > 0,
} satisfies Readonly<Record<string, Test>>
export const isKind = (name: string): name is keyof typeof KINDS => Object.hasOwn(KINDS, name)

/** A while in which an actor is doing something: what opens it, and what closes it. */
export interface Window {
  readonly opens: Test
  readonly closes: Test
}

const LOCKS = new Set(['mmap_read_lock', 'mmap_write_lock'])
const UNLOCKS = new Set(['mmap_unlock', 'mmap_read_unlock'])
const ENDS = new Set(['ended', 'handled', 'signal', 'oops'])
const RETURNS = new Set(['returned', 'exited', 'oops'])

export const WINDOWS = {
  fault: { opens: step => step.event.type === 'fault' || step.event.type === 'page_fault', closes: step => ENDS.has(step.event.type) },
  syscall: { opens: step => step.event.type === 'syscall', closes: step => RETURNS.has(step.event.type) },
  invalidation: {
    opens: step => step.do === 'invalidate_range_start',
    closes: step =>
      step.do === 'invalidate_range_end' || step.do === 'mn_itree_inv_end' || ENDS.has(step.event.type) || RETURNS.has(step.event.type),
  },
  lock: { opens: step => LOCKS.has(step.do), closes: step => UNLOCKS.has(step.do) },
} satisfies Readonly<Record<string, Window>>
export const isWindow = (name: string): name is keyof typeof WINDOWS => Object.hasOwn(WINDOWS, name)
