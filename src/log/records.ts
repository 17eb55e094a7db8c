/**
 * The records of a log, as text and back. A step is told by its choice (`by`, `do`, and `offer` and `budget` where they
 * are not what they mostly are), what each actor became (`set`), what changed in memory (`facts`), and the step it
 * follows from (`cause`). That is enough to fold it without any rule, and to decide it again and compare.
 */
import { createHash } from 'node:crypto'
import type { AnyEvent, Snapshot } from '../system/actor.ts'
import type { Ended, Entry } from '../system/live.ts'
import type { Choice } from '../system/step.ts'
import { initialWorld, type System, type World } from '../system/world.ts'
import { ByteWriter } from './bytes.ts'
import { change, changed, isNoChange, revived } from './values.ts'

/** Of this format; older ones are brought up to it when they are read. */
export const FORMAT = 2

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
  readonly offer?: number
  /** Entries that the step was bounded to; absent where the bound made no difference. */
  readonly budget?: number
  readonly cause: number
  /** What the actor's machine was told, without what its context has anyway. */
  readonly event: Readonly<Record<string, unknown>> & { readonly type: string }
  /** By actor: its new state (0: the same), and the keys of its context that changed. */
  readonly set: Readonly<Record<string, readonly [state: string | 0, keys: Readonly<Record<string, unknown>>]>>
  readonly facts: readonly unknown[]
}

/** The whole world, now and then, so that nobody has to fold from the beginning. */
export interface CheckpointRecord {
  readonly checkpoint: number
  readonly world: unknown
  readonly digest: string
}

/** The last record: how the run ended, and what the world came to. */
export interface EndRecord {
  readonly end: number
  readonly why: Ended['why'] | 'livelock' | 'interrupted'
  readonly digest: string
}

/** Is told what a step is written to have changed: keys of the contexts of actors, and `state`. */
export type Touched = (actor: string, key: string, told: unknown) => void

/** Writes a step, field by field: this is what a log costs a run. */
export function writeStep<M, F>(to: ByteWriter, system: System<M, F>, entry: Entry<M, F>, touched?: Touched): void {
  const { n, cause, choice, before, world, facts } = entry
  to.raw('{"n":')
  to.number(n)
  to.raw(',"by":')
  to.string(choice.by)
  to.raw(',"do":')
  to.string(entry.do)
  if (choice.offer !== 0) {
    to.raw(',"offer":')
    to.number(choice.offer)
  }
  if (entry.cut) {
    to.raw(',"budget":')
    to.number(choice.budget)
  }
  to.raw(',"cause":')
  to.number(cause)
  to.raw(',"event":')
  writeEvent(to, entry.event, world.actors[system.index.get(choice.by) ?? 0])
  to.raw(',"set":')
  writeSet(to, system, before, world, touched)
  to.raw(',"facts":')
  to.value(facts)
  to.raw('}')
}

type Fields = Readonly<Record<string, unknown>>

function writeEvent(to: ByteWriter, event: AnyEvent, own: Snapshot | undefined): void {
  const context = own?.context as Fields | undefined
  const fields = event as unknown as Fields
  to.raw('{"type":')
  to.string(event.type)
  for (const key in fields) {
    if (key === 'type' || (context !== undefined && Object.is(context[key], fields[key]))) continue
    to.key(key, false)
    to.value(fields[key])
  }
  to.raw('}')
}

function writeSet<M, F>(to: ByteWriter, system: System<M, F>, before: World<M>, after: World<M>, touched: Touched | undefined): void {
  let first = true
  to.raw('{')
  for (let i = 0; i < after.actors.length; i++) {
    const [was, is] = [before.actors[i], after.actors[i]]
    if (was === is || was === undefined || is === undefined) continue
    const name = system.actors[i]?.name ?? ''
    to.key(name, first)
    first = false
    to.raw('[')
    if (was.value === is.value) to.raw('0')
    else {
      to.string(is.value)
      touched?.(name, 'state', is.value)
    }
    to.raw(',{')
    if (was.context !== is.context) writeKeys(to, name, was.context as Fields, is.context as Fields, touched)
    to.raw('}]')
  }
  to.raw('}')
}

function writeKeys(to: ByteWriter, name: string, was: Fields, is: Fields, touched: Touched | undefined): void {
  let first = true
  for (const key in is) {
    if (Object.is(was[key], is[key])) continue
    const told = change(was[key], is[key])
    if (isNoChange(told)) continue
    to.key(key, first)
    to.value(told)
    touched?.(name, key, told)
    first = false
  }
}

/** A step as text. */
export function stepText<M, F>(system: System<M, F>, entry: Entry<M, F>): string {
  scratch.at = 0
  writeStep(scratch, system, entry)
  return scratch.taken().toString('utf8')
}
const scratch = new ByteWriter()

/** The choice that a step was. */
export const choiceOf = (record: StepRecord): Choice => ({ by: record.by, offer: record.offer ?? 0, budget: record.budget ?? Infinity })

/** The world after a step, by its record alone: no machine and no rule is asked. */
export function foldStep<M, F>(system: System<M, F>, world: World<M>, record: StepRecord): World<M> {
  const facts = record.facts.map(revived) as F[]
  const actors = world.actors.slice()
  for (const name of Object.keys(record.set)) {
    const i = system.index.get(name)
    const snapshot = i === undefined ? undefined : actors[i]
    const set = record.set[name]
    if (i === undefined || snapshot === undefined || set === undefined) continue
    const [state, keys] = set
    const before = snapshot.context as Fields
    const fresh = Object.fromEntries(Object.entries(keys).map(([key, told]) => [key, changed(before[key], told)]))
    actors[i] = { value: state === 0 ? snapshot.value : state, context: { ...before, ...fresh } }
  }
  return { memory: facts.length === 0 ? world.memory : system.fold(world.memory, facts), actors }
}

/**
 * A world as JSON, actors by name. Equal worlds of one system have equal text: the keys of a context stand in the order
 * in which its machine named them at first, and no way to a world adds or moves any.
 */
export const worldText = <M, F>(system: System<M, F>, world: World<M>): string =>
  JSON.stringify({
    memory: world.memory,
    actors: Object.fromEntries(world.actors.map((s, i) => [system.actors[i]?.name ?? '', [s.value, s.context]])),
  })

/** The world that plain data tells of. */
export function worldOf<M, F>(system: System<M, F>, json: unknown): World<M> {
  const { memory, actors } = revived(json) as { readonly memory: M; readonly actors: Readonly<Record<string, readonly [string, object]>> }
  return {
    memory,
    actors: system.actors.map(({ name }) => {
      const snapshot = actors[name]
      if (snapshot === undefined) throw new Error(`a checkpoint without actor '${name}'`)
      return { value: snapshot[0], context: snapshot[1] }
    }),
  }
}

/** The number of the step that the run of a log begins behind. */
export const firstOf = ({ from }: Header): number => from?.step ?? 0
/** Where it begins. */
export const beginning = <M, F>(system: System<M, F>, { from }: Header): World<M> =>
  from === undefined ? initialWorld(system) : worldOf(system, from.world)

/** SHA-256 of a world's text. */
export const digestOfText = (text: string): string => createHash('sha256').update(text).digest('hex')
export const digestOf = <M, F>(system: System<M, F>, world: World<M>): string => digestOfText(worldText(system, world))
