/**
 * The records of a log, as text and back. A step is told by its choice (`by`, `do`, and `offer` and `budget` where they
 * are not what they mostly are), what each actor became (`set`), what changed in memory (`facts`), and the step it
 * follows from (`cause`). That is enough to fold it without any rule, and to decide it again and compare.
 */
import { createHash } from 'node:crypto'
import type { Snapshot } from '../system/actor.ts'
import type { Ended, Entry } from '../system/live.ts'
import type { Choice } from '../system/step.ts'
import type { System, World } from '../system/world.ts'
import { canonical, change, changed, isNoChange, revived } from './values.ts'

/** Of this format; older ones are brought up to it when they are read. */
export const FORMAT = 1

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
  readonly why: Ended['why'] | 'interrupted'
  readonly digest: string
}

export const stepText = <M, F>(system: System<M, F>, entry: Entry<M, F>): string => {
  const { n, cause, choice, before, world, facts } = entry
  const offer = choice.offer === 0 ? '' : `,"offer":${choice.offer}`
  const budget = entry.cut ? `,"budget":${choice.budget}` : ''
  const own = world.actors[system.index.get(choice.by) ?? 0]
  const head = `{"n":${n},"by":${JSON.stringify(choice.by)},"do":${JSON.stringify(entry.do)}${offer}${budget},"cause":${cause}`
  return `${head},"event":${eventText(entry.event, own)},"set":${setText(system, before, world)},"facts":${JSON.stringify(facts)}}`
}

function eventText(event: object, own: Snapshot | undefined): string {
  const context = (own?.context ?? {}) as Readonly<Record<string, unknown>>
  let text = ''
  for (const [key, value] of Object.entries(event)) {
    if (key !== 'type' && Object.is(context[key], value)) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${JSON.stringify(value)}`
  }
  return `{${text}}`
}

function setText<M, F>(system: System<M, F>, before: World<M>, after: World<M>): string {
  let text = ''
  for (let i = 0; i < after.actors.length; i++) {
    const [was, is] = [before.actors[i] as Snapshot, after.actors[i] as Snapshot]
    if (was === is) continue
    const state = was.value === is.value ? '0' : JSON.stringify(is.value)
    text += `${text === '' ? '' : ','}${JSON.stringify(system.actors[i]?.name)}:[${state},${keysText(was.context, is.context)}]`
  }
  return `{${text}}`
}

function keysText(was: object, is: object): string {
  if (was === is) return '{}'
  const old = was as Readonly<Record<string, unknown>>
  let text = ''
  for (const [key, value] of Object.entries(is)) {
    if (Object.is(old[key], value)) continue
    const told = change(old[key], value)
    if (isNoChange(told)) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${JSON.stringify(told)}`
  }
  return `{${text}}`
}

/** The choice that a step was. */
export const choiceOf = (record: StepRecord): Choice => ({ by: record.by, offer: record.offer ?? 0, budget: record.budget ?? Infinity })

/** The world after a step, by its record alone: no machine and no rule is asked. */
export function foldStep<M, F>(system: System<M, F>, world: World<M>, record: StepRecord): World<M> {
  const facts = record.facts.map(revived) as F[]
  const actors = world.actors.map((snapshot, i): Snapshot => {
    const set = record.set[system.actors[i]?.name ?? '']
    if (set === undefined) return snapshot
    const [state, keys] = set
    const context = snapshot.context as Readonly<Record<string, unknown>>
    const fresh = Object.entries(keys).map(([key, told]) => [key, changed(context[key], told)])
    return { value: state === 0 ? snapshot.value : state, context: { ...context, ...Object.fromEntries(fresh) } }
  })
  return { memory: facts.length === 0 ? world.memory : system.fold(world.memory, facts), actors }
}

/** A world as plain data, actors by name. */
export const worldJson = <M, F>(system: System<M, F>, world: World<M>): unknown => ({
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

/** Two worlds have one digest if and only if they are equal. */
export const digestOf = <M, F>(system: System<M, F>, world: World<M>): string =>
  createHash('sha256')
    .update(canonical(worldJson(system, world)))
    .digest('hex')
