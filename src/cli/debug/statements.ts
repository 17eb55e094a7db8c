/** Statements as they are typed: `munmap 16-19`, `madvise 16 dontneed`, `write 16 42`, `fault 16 write`; and which of them an actor can have. */
import { adviceOf, isAdvice } from '../../kernel/areas/madvise.ts'
import { isRangeMachine, profileOf, type SystemSpec } from '../../scenario/standard.ts'
import { isStatement } from '../../kernel/rules.ts'
import type { Profile } from '../../kernel/profiles.ts'
import { PAGE_LIMIT } from '../../memory/address.ts'
import { Table } from '../../memory/table.ts'
import type { Snapshot } from '../../system/actor.ts'
import { HMM_PFN_VALID, HMM_PFN_WRITE } from '../../walker/hmm.ts'
import { Mistake } from './mistake.ts'

interface Typed {
  readonly mm: string
  readonly start: number
  readonly end: number
  readonly arg: string
}
/** What a call is made of; `args`: what may stand behind the pages. */
interface Call {
  readonly usage: string
  args?(profile: Profile): readonly string[] | 'number'
  /** Nothing need stand there. */
  readonly mayLack?: true
  make(typed: Typed): object
}

const RIGHTS = ['-', 'r', 'w', 'x', 'rw', 'rx', 'wx', 'rwx']

const THREAD: Readonly<Record<string, Call>> = {
  mmap: {
    args: () => RIGHTS,
    mayLack: true,
    usage: 'mmap PAGES [rw]',
    make: ({ mm, start, end, arg }) => ({ do: 'mmap', mm, start, end, prot: arg === '' ? 'rw' : arg, shared: false, of: 'anon' }),
  },
  munmap: { usage: 'munmap PAGES', make: ({ mm, start, end }) => ({ do: 'munmap', mm, start, end }) },
  mprotect: {
    args: () => RIGHTS,
    usage: 'mprotect PAGES r|rw|-',
    make: ({ mm, start, end, arg }) => ({ do: 'mprotect', mm, start, end, prot: arg }),
  },
  madvise: {
    args: adviceOf,
    usage: 'madvise PAGES dontneed|…',
    make: ({ mm, start, end, arg }) => ({ do: 'madvise', mm, start, end, advice: arg }),
  },
  mlock: { usage: 'mlock PAGES', make: ({ mm, start, end }) => ({ do: 'mlock', mm, start, end }) },
  munlock: { usage: 'munlock PAGES', make: ({ mm, start, end }) => ({ do: 'munlock', mm, start, end }) },
  read: { usage: 'read PAGES', make: ({ start, end }) => ({ do: 'load', at: start, end }) },
  write: {
    args: () => 'number',
    usage: 'write PAGES NUMBER',
    make: ({ start, end, arg }) => ({ do: 'store', at: start, end, value: Number(arg) }),
  },
}

/** Of whoever handles the faults of a device. */
const RANGE: Readonly<Record<string, Call>> = {
  fault: {
    args: () => ['read', 'write'],
    mayLack: true,
    usage: 'fault PAGES [write]',
    make: ({ start, end, arg }) => ({
      start,
      end,
      defaultFlags: arg === 'write' ? HMM_PFN_VALID | HMM_PFN_WRITE : HMM_PFN_VALID,
      pfnFlagsMask: 0,
      owned: null,
      requests: Table.empty,
      attempts: null,
    }),
  },
}

/** What each actor of a system has calls of; those that have none are only called. */
function callsOf({ actors }: SystemSpec, name: string): Readonly<Record<string, Call>> | undefined {
  const machine = actors.find(actor => actor.name === name)?.machine ?? ''
  return machine === 'thread' || machine === 'child_thread' ? THREAD : isRangeMachine(machine) ? RANGE : undefined
}

/** Words that Tab offers behind `do ACTOR …`: calls, and behind the pages what may stand there. */
export function callNames(spec: SystemSpec, by: string): readonly string[] {
  return Object.keys(callsOf(spec, by) ?? {})
}
export function argNames(spec: SystemSpec, by: string, call: string): readonly string[] {
  const words = callsOf(spec, by)?.[call]?.args?.(profileOf(spec.profile)) ?? []
  return words === 'number' ? [] : words
}

/** The statement that words say, for an actor of a system; pages are those of an address space. */
export function statementOf(spec: SystemSpec, by: string, mm: string, words: readonly string[]): object {
  const calls = callsOf(spec, by)
  const [name = '', pages = '', arg = '', ...more] = words
  if (calls === undefined) {
    const able = spec.actors.filter(actor => callsOf(spec, actor.name) !== undefined).map(actor => actor.name)
    throw new Mistake(`${by} does nothing by itself; expected one of ${able.join(', ')}`)
  }
  const call = Object.hasOwn(calls, name) ? calls[name] : undefined
  const usages = Object.values(calls).map(({ usage }) => usage)
  if (call === undefined) throw new Mistake(`expected what ${by} can do: ${usages.join(', ')}; got '${words.join(' ')}'`)
  const allowed = call.args?.(profileOf(spec.profile)) ?? []
  const span = /^(\d+)(?:[-–](\d+))?$/.exec(pages)
  if (
    span === null ||
    more.length > 0 ||
    (arg !== '' && allowed.length === 0) ||
    (arg === '' && allowed.length > 0 && call.mayLack !== true)
  )
    throw new Mistake(`expected ${call.usage}, got '${words.join(' ')}'`)
  if (arg !== '' && !(allowed === 'number' ? /^\d+$/.test(arg) && Number.isSafeInteger(Number(arg) + PAGE_LIMIT) : allowed.includes(arg)))
    throw new Mistake(
      `expected ${call.usage}, with ${allowed === 'number' ? 'a whole number' : `one of ${allowed.join(', ')}`}; got '${arg}'`,
    )
  const start = Number(span[1])
  const end = Number(span[2] ?? start) + 1
  if (end <= start || end > PAGE_LIMIT)
    throw new Mistake(`expected pages from the first to the last, up to ${PAGE_LIMIT - 1} (4 TiB), got '${pages}'`)
  return call.make({ mm, start, end, arg })
}

/** What is wrong with the programs of a world that somebody has put statements into: an actor that could not do what it is to do. */
export function misfitIn(
  spec: SystemSpec,
  actors: readonly (readonly [name: string, snapshot: Snapshot | undefined])[],
): string | undefined {
  for (const [name, snapshot] of actors) {
    const { program } = (snapshot?.context ?? {}) as { readonly program?: unknown }
    const calls = callsOf(spec, name)
    if (!Array.isArray(program) || calls === undefined) continue
    const wrong = (program as readonly Readonly<Record<string, unknown>>[]).find(statement => !fits(calls, statement))
    if (wrong !== undefined) return `${name} is to do there what it cannot: ${JSON.stringify(wrong)}`
  }
  return undefined
}

function fits(calls: typeof THREAD, statement: Readonly<Record<string, unknown>>): boolean {
  const { do: what, start, end, requests, advice } = statement
  const within = typeof end !== 'number' || (Number.isSafeInteger(end) && end <= PAGE_LIMIT)
  if (calls === RANGE) return within && what === undefined && typeof start === 'number' && requests instanceof Table
  return within && isStatement(what) && (what !== 'madvise' || isAdvice(advice))
}
