/**
 * Which statements of a scenario may run when: stage by stage, as they were written. In a race, all of its actors may
 * act; a race that was given an order runs in that order, unless a seed asks for another.
 */
import type { Chooser } from '../system/choosers/chooser.ts'
import type { ActorName } from '../system/actor.ts'
import type { World } from '../system/world.ts'

/** Where an actor has to come to: so much of its program is left, or on the way there its machine is in this state, or this is next. */
export interface Goal {
  readonly by: ActorName
  /** Statements that are left of its program when it is there. */
  readonly left: number
  readonly state?: string
  /** Who works for it meanwhile, and is never waited for: the worker of a device's driver. */
  readonly helpers?: readonly ActorName[]
}

/** Whose turn it is while a goal is not reached. */
export const actorsOf = ({ by, helpers = [] }: Pick<Goal, 'by' | 'helpers'>): readonly ActorName[] => [by, ...helpers]

export interface Stage {
  /** The stage is done when all of these are reached. */
  readonly goals: readonly Goal[]
  /** One after the other, as far as they can act; none: in any order. */
  readonly order: readonly Goal[]
}

export type Plan = readonly Stage[]

/** Reads an actor's snapshot by name: `{ state, left of its program, the function of the kernel that is next }`. */
export type Progress = (
  world: World<unknown>,
  by: ActorName,
) => { readonly state: string; readonly left: number; readonly next: string | undefined }

const reached = (progress: Progress, world: World<unknown>, { by, left, state }: Goal): boolean => {
  const now = progress(world, by)
  return now.left <= left || (state !== undefined && (now.state === state || now.next === state))
}

/** Asks `inner` among those whose turn it is. With `ordered` false, the order of races is left to `inner` too. */
export function planned(plan: Plan, progress: Progress, inner: Chooser, ordered: boolean): Chooser {
  let stage = 0
  let step = 0
  let alone = false
  const turn = (active: readonly ActorName[], world: World<unknown>): Iterable<ActorName> => {
    for (; ; stage++, step = 0) {
      const now = plan[stage]
      if (now === undefined) return amongst(active, world)
      const open = now.goals.filter(goal => !reached(progress, world, goal))
      if (open.length === 0) continue
      if (!ordered || now.order.length === 0)
        return amongst(
          active.filter(name => open.some(goal => actorsOf(goal).includes(name))),
          world,
        )
      while (step < now.order.length && reached(progress, world, now.order[step] as Goal)) step++
      // Who cannot act when its turn has come lets those pass that come after it.
      const turns = [...now.order.slice(step), ...open].flatMap(actorsOf)
      return [...new Set(turns)].filter(name => active.includes(name))
    }
  }
  const amongst = (allowed: readonly ActorName[], world: World<unknown>): Iterable<ActorName> => {
    alone = allowed.length === 1
    return inner.order(allowed, world)
  }
  return {
    order(active, world) {
      alone = false
      return turn(active, world)
    },
    pick: (offers, by) => inner.pick(offers, by),
    // With nobody to race, a walk may go as far as it can in one step.
    budget: () => (alone ? Infinity : undefined),
    took: choice => inner.took?.(choice),
  }
}
