/** From an agenda to its next atomic action. Control runs through, in the same step that acts on what it read. */
import type { Fact } from '../memory/facts.ts'
import type { Memory, MmName } from '../memory/memory.ts'
import type { Table } from '../memory/table.ts'
import type { Agenda, Item, Items, Outcome, Rules, Scene } from './agenda.ts'
import type { Failure } from './failure.ts'
import type { Calls } from './offer.ts'
import type { Profile } from './profiles.ts'

/** What an actor that is in the kernel carries: part of its machine's context. */
export interface Work {
  readonly agenda: Agenda
  /** What the call in progress has filled so far: `hmm_pfns`, or the pages that GUP has. */
  readonly array: Table
  readonly fail: Failure | null
  readonly ret: number
  /** What it tells its caller besides, by name. */
  readonly out: Readonly<Record<string, number>>
}

export interface Action {
  /** The item that acts. */
  readonly item: Item
  readonly calls: Calls
  readonly facts: readonly Fact[]
  readonly cut: boolean
  readonly after: (replies: readonly unknown[]) => Work
}

/** Items that are done whatever has failed. */
const CLEANUP: ReadonlySet<keyof Items> = new Set([
  'mmap_unlock',
  'invalidate_range_end',
  'notifier_range_end',
  'put_dev_pagemap',
  'dmirror_snapshot_remove',
  'lru_add_drain',
  'fdput',
  'file_unlock',
])

/** Items that deal with a failure which comes by: what it becomes there, and what is done. */
export type Catchers = { readonly [D in keyof Items]?: (item: Item<D>, failure: Failure, array: Table) => Outcome }

export interface Kernel {
  readonly rules: Rules
  readonly catchers: Catchers
  readonly profile: Profile
  /** By address space: how many threads run in it. */
  readonly threads: ReadonlyMap<MmName, number>
}

/** Items of control in a row, after which a rule must be taken to go in circles. */
const CONTROL_LIMIT = 1_000_000

/** The next atomic action of an agenda, or what is left when control ran to its end without one. */
export function advance(kernel: Kernel, memory: Memory, work: Work, budget: number): Action | Work {
  let now = work
  const along: Fact[] = []
  /** The last to say what changes along. */
  let last: Item | undefined
  for (let control = 0; control < CONTROL_LIMIT; control++) {
    const item = now.agenda[0]
    if (item === undefined) {
      if (along.length === 0 || last === undefined) return now
      const left = now
      return { item: last, calls: [], facts: along, cut: false, after: () => left }
    }
    const outcome = run(kernel.rules, item, memory, { profile: kernel.profile, budget, array: now.array, out: now.out, ret: now.ret })
    if (outcome.facts === undefined && outcome.calls === undefined && outcome.array === undefined) {
      if (outcome.along !== undefined) {
        along.push(...outcome.along)
        last = item
      }
      now = put(kernel, now, outcome)
      continue
    }
    const acting = now
    return {
      item,
      calls: outcome.calls ?? [],
      facts: along.length === 0 ? (outcome.facts ?? []) : [...along, ...(outcome.facts ?? [])],
      cut: outcome.cut === true,
      after: replies => put(kernel, acting, outcome.replied === undefined ? outcome : outcome.replied(replies)),
    }
  }
  throw new Error(`'${now.agenda[0]?.do ?? ''}' goes in circles without ever acting: a defect of its rule`)
}

/** An outcome in place of the first item. */
function put(kernel: Kernel, work: Work, outcome: Outcome): Work {
  const rest = work.agenda.slice(1)
  const done: Work = {
    agenda: outcome.then === undefined ? rest : [...outcome.then, ...rest],
    array: outcome.array ?? work.array,
    fail: work.fail,
    ret: outcome.ret ?? work.ret,
    out: outcome.out === undefined ? work.out : { ...work.out, ...outcome.out },
  }
  return outcome.fail === undefined ? done : unwind(kernel, { ...done, agenda: rest, fail: outcome.fail }, outcome.then ?? [])
}

/** Drops what is left, but for `first` and what cleans up, up to an item that deals with the failure. */
function unwind(kernel: Kernel, work: Work, first: Agenda): Work {
  const kept = [...first]
  for (let i = 0; i < work.agenda.length; i++) {
    const item = work.agenda[i] as Item
    const caught = work.fail === null ? undefined : catching(kernel.catchers, item, work.fail, work.array)
    if (caught !== undefined) {
      const rest: Work = { agenda: [item, ...work.agenda.slice(i + 1)], array: work.array, fail: null, ret: work.ret, out: work.out }
      const after = put(kernel, rest, caught)
      return { ...after, agenda: [...kept, ...after.agenda] }
    }
    if (CLEANUP.has(item.do)) kept.push(item)
  }
  return { ...work, agenda: kept }
}

// Types tie an item to its own rule; that `rules[item.do]` takes `item` is what Item<D> says of every D.
const run = <D extends keyof Items>(rules: Rules, item: Item<D>, memory: Memory, scene: Scene): Outcome =>
  rules[item.do](memory, item, scene)
const catching = <D extends keyof Items>(catchers: Catchers, item: Item<D>, failure: Failure, array: Table): Outcome | undefined =>
  catchers[item.do]?.(item, failure, array)
