/**
 * Who waits for whom where nobody can go on: the call that each cannot make, and who holds what it needs. Held it is by whoever
 * has made calls since it could last be made, if these alone are enough for it to be refused: who has taken and given back is
 * no holder, and of several readers of a lock each is one.
 */
import type { ActorName, AnyEvent, Snapshot } from '../../system/actor.ts'
import { step, type Choice } from '../../system/step.ts'
import { initialWorld, indexOf, type System } from '../../system/world.ts'
import { BadTrail } from '../model.ts'
import type { Space } from '../worlds/space.ts'

export interface Holder {
  readonly by: ActorName
  /** The step by which it has it. */
  readonly since: number
  /** Has it nothing left to do, and so will never give it back? */
  readonly atRest: boolean
}

export interface Wait {
  readonly by: ActorName
  /** What it is about to do, and the call that is refused. */
  readonly do: string
  readonly to: ActorName
  readonly call: string
  /** Nobody: it was so from the beginning. */
  readonly heldBy: readonly Holder[]
}

/** Something that an actor was told, by itself or by another. */
interface Told {
  readonly n: number
  readonly by: ActorName
  readonly to: ActorName
  readonly event: AnyEvent
}

/** `trail`: to a world in which nobody can act. */
export function waitsAfter<M, F>(space: Space<M, F>, trail: readonly Choice[]): readonly Wait[] {
  const { system } = space.model
  const told: Told[] = []
  let world = initialWorld(system)
  for (const [i, choice] of trail.entries()) {
    const { by } = choice
    const taken = step(system, world, choice)
    if (taken.kind !== 'stepped') throw new BadTrail(i + 1, by)
    told.push(...taken.calls.map(({ to, event }) => ({ n: i + 1, by, to, event })), { n: i + 1, by, to: by, event: taken.event })
    world = taken.world
  }
  space.expand(space.rowOf(world))
  const waiting = new Set(space.refusals.map(({ source }) => space.names[source.by]))
  return space.refusals.map(({ source, callee, event }): Wait => {
    const to = space.names[callee] as ActorName
    const heldBy = holders(system, told, to, event).map(({ by, n }) => ({ by, since: n, atRest: !waiting.has(by) }))
    return { by: space.names[source.by] as ActorName, do: source.offer.do, to, call: event.type, heldBy }
  })
}

function holders<M, F>(system: System<M, F>, told: readonly Told[], name: ActorName, wanted: AnyEvent): readonly Told[] {
  const { kind } = system.actors[indexOf(system, name)] as System<M, F>['actors'][number]
  const take = (snapshot: Snapshot, event: AnyEvent): Snapshot | undefined => system.take(kind.machine, snapshot, event)?.next
  let now = initialWorld(system).actors[indexOf(system, name)] as Snapshot
  let free = take(now, wanted) === undefined ? undefined : now
  let since: Told[] = []
  for (const one of told) {
    if (one.to !== name) continue
    now = take(now, one.event) ?? now
    since.push(one)
    if (take(now, wanted) === undefined) continue
    free = now
    since = []
  }
  const from = free
  if (from === undefined) return []
  const firsts = [...new Map(since.toReversed().map(one => [one.by, one])).values()].toReversed()
  const alone = firsts.filter(({ by }) => {
    const after = since.reduce((snapshot, one) => (one.by === by ? (take(snapshot, one.event) ?? snapshot) : snapshot), from)
    return take(after, wanted) === undefined
  })
  return alone.length > 0 ? alone : firsts
}

/** In words; at the end those who wait for each other in a circle, if some do. */
export function waitsText(waits: readonly Wait[]): string {
  const each = waits.map(({ by, to, call, heldBy }) => `${by} waits for ${to} (${call.replaceAll('_', ' ')}), ${heldText(by, heldBy)}`)
  const circle = circleIn(waits)
  return [...each, circle.length < 2 ? 'nobody can go on' : `in a circle: ${[...circle, circle[0]].join(' → ')}`].join('; ')
}

function heldText(by: ActorName, heldBy: readonly Holder[]): string {
  if (heldBy.length === 0) return 'which it was never ready for'
  const who = heldBy.map(holder => {
    const name = holder.by === by ? 'itself' : holder.by
    return `${name} since step ${holder.since}${holder.atRest ? ' (and has nothing left to do)' : ''}`
  })
  return `held by ${who.join(' and ')}`
}

/** Actors each of whom waits for something that the next one holds, and the last for something of the first. */
export function circleIn(waits: readonly Wait[]): readonly ActorName[] {
  const next = (by: ActorName): readonly ActorName[] => waits.filter(wait => wait.by === by).flatMap(wait => wait.heldBy.map(h => h.by))
  const from = (way: readonly ActorName[]): readonly ActorName[] | undefined => {
    for (const by of next(way.at(-1) ?? '')) {
      if (by === way[0]) return way
      const more = way.includes(by) ? undefined : from([...way, by])
      if (more !== undefined) return more
    }
    return undefined
  }
  for (const { by } of waits) {
    const circle = from([by])
    if (circle !== undefined) return circle
  }
  return []
}
