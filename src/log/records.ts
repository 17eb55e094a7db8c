/**
 * The records of a log, as whoever works with them has them (how they are written down: terse.ts). A step is told by its
 * choice (`by`, `do`, and `offer` and `budget` where they are not what they mostly are), what each actor became (`set`),
 * what changed in memory (`facts`), and the step it follows from (`cause`). That is enough to fold it without any rule, and
 * to decide it again and compare.
 */
import { hash } from 'node:crypto'
import type { Ended } from '../system/live.ts'
import type { Choice } from '../system/step.ts'
import { initialWorld, type System, type World } from '../system/world.ts'
import type { Usual } from './usual.ts'
import { senseless } from './damaged.ts'
import { areItems, isContext, isListed, isWorld } from './shape.ts'
import { changed, revived } from './values.ts'

/** Of this format; older ones are brought up to it when they are read. */
export const FORMAT = 3

/** Where a run began: all that is needed to begin it again. No date, no host, no path: equal runs have equal logs. */
export interface Header {
  readonly mirrorwalk: number
  /** Version of the model that ran. */
  readonly model: string
  /** The system, as data, for whoever builds it. */
  readonly system: unknown
  /** What chose: for people; the choices themselves are in the steps. */
  readonly chooser: string
  readonly seed: number | null
  /** What was run: the name of a scenario. */
  readonly title: string
  /** Who could act when, as data, for whoever runs it again; absent or null: not known. */
  readonly plan?: unknown
  /** The order of events that it took, as a token, where it took one: what exploring has found, or a scenario has with it. */
  readonly token?: string
  /** Of a branch: where it leaves its trunk. */
  readonly from?: Origin
}

export interface Origin {
  readonly name: string
  /** The branch that it leaves itself, if it is none of the trunk. */
  readonly of?: string
  /** The checksum of the header of the log that it leaves, and the last step that it shares with it. */
  readonly trunk: string
  readonly step: number
  /** What was changed there, in words. */
  readonly changed: readonly string[]
  readonly world: unknown
}

export interface StepRecord {
  readonly n: number
  readonly by: string
  readonly do: string
  readonly offer?: number | undefined
  /** Entries that the step was bounded to; absent where the bound made no difference. */
  readonly budget?: number | undefined
  readonly cause: number
  /** What the actor's machine was told, without what its context has anyway. */
  readonly event: Readonly<Record<string, unknown>> & { readonly type: string }
  /** By actor; of the one that acts first. */
  readonly set: Readonly<Record<string, SetRecord>>
  readonly facts: readonly unknown[]
}

/** What an actor became: its new state (0: the same), and the keys of its context that changed. */
export type SetRecord = readonly [state: string | 0, keys: Readonly<Record<string, unknown>>]

/** The whole world, now and then, so that nobody has to fold from the beginning. */
export interface CheckpointRecord {
  readonly checkpoint: number
  readonly world: unknown
  readonly digest: string
  /** What the steps up to the next checkpoint leave out. */
  readonly usual?: Usual
}

/** The last record: how the run ended, and what the world came to. */
export interface EndRecord {
  readonly end: number
  readonly why: Ended['why'] | 'livelock' | 'interrupted'
  readonly digest: string
}

type Fields = Readonly<Record<string, unknown>>

/** The choice that a step was. */
export const choiceOf = (record: StepRecord): Choice => ({ by: record.by, offer: record.offer ?? 0, budget: record.budget ?? Infinity })

/** The world after a step, by its record alone: no machine and no rule is asked. Throws `DamagedLog` for one that makes no sense. */
export function foldStep<M, F>(system: System<M, F>, world: World<M>, record: StepRecord): World<M> {
  try {
    return folded(system, world, record)
  } catch (error) {
    throw senseless(`step ${record.n}`, error)
  }
}

function folded<M, F>(system: System<M, F>, world: World<M>, record: StepRecord): World<M> {
  const facts = revived(record.facts) as readonly F[]
  const actors = world.actors.slice()
  for (const name of Object.keys(record.set)) {
    const i = system.index.get(name)
    const snapshot = i === undefined ? undefined : actors[i]
    const set = record.set[name]
    if (i === undefined || snapshot === undefined || set === undefined) continue
    const [state, keys] = set
    actors[i] = { value: state === 0 ? snapshot.value : state, context: foldContext(snapshot.context as Fields, keys) }
  }
  return { memory: facts.length === 0 ? world.memory : system.fold(world.memory, facts), actors }
}

function foldContext(before: Fields, keys: Fields): object {
  const context: Record<string, unknown> = { ...before }
  for (const key in keys) {
    const value = changed(before[key], keys[key])
    if (isListed(key) && !areItems(value)) throw new Error(`its ${key} is none`)
    if (Object.hasOwn(context, key)) context[key] = value
    // No machine names it: somebody has made this log, and it may be called `__proto__`.
    else Object.defineProperty(context, key, { value, enumerable: true, configurable: true, writable: true })
  }
  return context
}

/**
 * A world as it is written down, actors by name. Equal worlds of one system have equal text: the keys of a context stand in
 * the order in which its machine named them at first, and no way to a world adds or moves any.
 */
export function toldWorld<M, F>(system: System<M, F>, { memory, actors }: World<M>): object {
  return { memory, actors: Object.fromEntries(actors.map((s, i) => [system.actors[i]?.name ?? '', [s.value, s.context]])) }
}

/** A world as JSON. */
export const worldText = <M, F>(system: System<M, F>, world: World<M>): string => JSON.stringify(toldWorld(system, world))

/** The world that plain data tells of; `what`: where it stands. Throws `DamagedLog` if it is none of this system. */
export function worldOf<M, F>(system: System<M, F>, json: unknown, what = 'the world'): World<M> {
  try {
    if (!isWorld(json)) throw new Error('it is no world')
    const { memory, actors } = revived(json) as { readonly memory: M; readonly actors: Readonly<Record<string, readonly [string, object]>> }
    return {
      memory,
      actors: system.actors.map(({ name }) => {
        const snapshot = Object.hasOwn(actors, name) ? actors[name] : undefined
        if (snapshot === undefined) throw new Error(`actor '${name}' is not in it`)
        return { value: snapshot[0], context: snapshot[1] }
      }),
    }
  } catch (error) {
    throw senseless(what, error)
  }
}

/** The number of the step that the run of a log begins behind. */
export const firstOf = ({ from }: Header): number => from?.step ?? 0
/** Where it begins. Throws `DamagedLog` for a header that makes no sense. */
export function beginning<M, F>(system: System<M, F>, { from }: Header): World<M> {
  if (from !== undefined) return worldOf(system, from.world, 'the world in the header')
  try {
    const world = initialWorld(system)
    const odd = world.actors.findIndex(({ context }) => !isContext(context))
    if (odd >= 0) throw new Error(`actor '${system.actors[odd]?.name}' begins with a program that is none`)
    return world
  } catch (error) {
    throw senseless('the system in the header', error)
  }
}

/** SHA-256 of a world's text, or of its bytes. */
export const digestOfText = (text: string | Uint8Array): string => hash('sha256', text)
export const digestOf = <M, F>(system: System<M, F>, world: World<M>): string => digestOfText(worldText(system, world))

/** Eight digits that a step comes to: what is done, to which facts, and what becomes of actors. */
export function markOf<M>(
  before: World<M>,
  made: { readonly do: string; readonly facts: readonly unknown[]; readonly world: World<M> },
): string {
  const became = made.world.actors.map((actor, i) => (actor === before.actors[i] ? 0 : actor))
  return digestOfText(JSON.stringify([made.do, made.facts, became])).slice(0, 8)
}
