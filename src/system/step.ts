/**
 * `step`: the only thing that changes a world. It takes one offer of one actor: the calls, all or none; the facts; and
 * the event that the actor's own machine then receives. Pure.
 *
 * A call is enabled only when the called machine has a transition for it now. So blocking needs no queue, no wake-up
 * and no waiting state: a refused call is all there is to it.
 */
import type { ActorName, AnyEvent, Call, Kind, Offer, Snapshot } from './actor.ts'
import { indexOf, type System, type World } from './world.ts'

/** Which offer of which actor, and how many entries it may cover: all that is not determined. */
export interface Choice {
  readonly by: ActorName
  /** Which of the actor's offers; 0 where there is one. */
  readonly offer: number
  /** Entries that a walk or a cursor may cover in this step; Infinity: all. */
  readonly budget: number
}

export interface Exchange extends Call {
  readonly from: ActorName
  readonly reply: unknown
}

/** A step that was taken. */
export interface Stepped<M, F> {
  readonly kind: 'stepped'
  readonly choice: Choice
  readonly do: string
  readonly before: World<M>
  readonly world: World<M>
  readonly calls: readonly Exchange[]
  readonly facts: readonly F[]
  /** What the actor's own machine was told. */
  readonly event: AnyEvent
  readonly cut: boolean
}

/** Why nothing happened: a call was refused, or the actor has no such offer. */
export type Refused =
  | { readonly kind: 'blocked'; readonly by: ActorName; readonly do: string; readonly on: Call }
  | { readonly kind: 'at rest'; readonly by: ActorName }

/** What an actor offers now; none if it is passive or at rest. */
export function offersOf<M, F>(system: System<M, F>, world: World<M>, by: ActorName, budget: number): readonly Offer<F>[] {
  const i = indexOf(system, by)
  const actor = system.actors[i]
  const snapshot = world.actors[i]
  if (actor === undefined || snapshot === undefined) return []
  return offersFrom(actor.kind, by, snapshot, world.memory, budget)
}

/** What an actor of a kind offers in a snapshot. */
export function offersFrom<M, F>(of: Kind<M, F>, by: ActorName, snapshot: Snapshot, memory: M, budget: number): readonly Offer<F>[] {
  const does = doesOf(of.machine, snapshot.value)
  if (does === undefined) return []
  const rule = of.does[does]
  if (rule === undefined) throw new Error(`${by} is in '${snapshot.value}', which does '${does}': no such rule`)
  return rule(memory, snapshot.context, budget)
}

/** Does an actor of this kind ever act by itself? */
export const isActive = <M, F>(of: Kind<M, F>): boolean => Object.keys(of.does).length > 0

/** A machine that does not say what becomes of it when it is told how its own step came out. */
export class Undecided extends Error {
  override readonly name = 'Undecided'

  constructor(by: ActorName, { value }: Snapshot, event: AnyEvent) {
    super(
      `${by} in '${value}' has no transition for its own '${event.type}': a defect of its machine. Told ${JSON.stringify(event)}, none of its guards holds, or it has none for that`,
    )
  }
}

export function step<M, F>(system: System<M, F>, world: World<M>, choice: Choice): Stepped<M, F> | Refused {
  const offer = offersOf(system, world, choice.by, choice.budget)[choice.offer]
  return offer === undefined ? { kind: 'at rest', by: choice.by } : take(system, world, choice, offer)
}

/** Takes an offer that `offersOf` gave for this world. */
export function take<M, F>(system: System<M, F>, world: World<M>, choice: Choice, offer: Offer<F>): Stepped<M, F> | Refused {
  const actors = world.actors.slice()
  const calls: Exchange[] = []
  const replies: unknown[] = []
  for (const made of offer.calls) {
    const call = typeof made === 'function' ? made(replies) : made
    const callee = indexOf(system, call.to)
    const taken = system.take(machineOf(system, callee), actors[callee] as Snapshot, call.event)
    if (taken === undefined) return { kind: 'blocked', by: choice.by, do: offer.do, on: call }
    actors[callee] = taken.next
    replies.push(taken.reply)
    calls.push({ from: choice.by, to: call.to, event: call.event, reply: taken.reply })
  }
  const i = indexOf(system, choice.by)
  const event = offer.event(replies)
  const own = system.take(machineOf(system, i), actors[i] as Snapshot, event)
  if (own === undefined) throw new Undecided(choice.by, actors[i] as Snapshot, event)
  actors[i] = own.next
  const memory = offer.facts.length === 0 ? world.memory : system.fold(world.memory, offer.facts)
  return {
    kind: 'stepped',
    choice,
    do: offer.do,
    before: world,
    world: { memory, actors },
    calls,
    facts: offer.facts,
    event,
    cut: offer.cut === true,
  }
}

const machineOf = <M, F>(system: System<M, F>, i: number): System<M, F>['actors'][number]['kind']['machine'] => {
  const actor = system.actors[i]
  if (actor === undefined) throw new Error(`no actor ${i}`)
  return actor.kind.machine
}

type Machine = System<unknown, unknown>['actors'][number]['kind']['machine']
const doing = new WeakMap<Machine, ReadonlyMap<string, string>>()

/** The rule that a state names in `meta.does`. */
function doesOf(machine: Machine, state: string): string | undefined {
  let known = doing.get(machine)
  if (known === undefined) {
    const states = Object.values(machine.root.states)
    known = new Map(states.flatMap(s => (typeof s.meta?.does === 'string' ? [[s.key, s.meta.does] as const] : [])))
    doing.set(machine, known)
  }
  return known.get(state)
}
