/**
 * Which states and transitions of each machine's definition an exploration came to, and which it never did. It costs nothing
 * while exploring: every transition that was taken was decided once, and what was decided is kept.
 */
import type { AnyEvent } from '../../system/actor.ts'
import { definedIn, firedBy, type Defined } from '../../system/transitions.ts'
import type { Space } from '../worlds/space.ts'

/** A transition of a definition. */
export interface CoveredTransition {
  /** null: whatever the state. */
  readonly state: string | null
  readonly event: string
  readonly guard: string | null
  /** null: it stays where it is. */
  readonly target: string | null
  /** In how many situations of the actor, and with how many different events, it was taken; 0: never. */
  readonly fired: number
}

export interface CoveredMachine {
  readonly machine: string
  /** The actors that have this definition. */
  readonly actors: readonly string[]
  /** How many situations of the actors were met in each state. */
  readonly states: readonly { readonly state: string; readonly met: number }[]
  readonly transitions: readonly CoveredTransition[]
}

export function coverage<M, F>(space: Space<M, F>): readonly CoveredMachine[] {
  const { actors } = space.model.system
  const machines = [...new Set(actors.map(({ kind }) => kind.machine))]
  const fired = new Map<Defined, number>()
  for (const { actor, from, event } of once(space)) {
    const machine = actors[actor]?.kind.machine
    if (machine === undefined) continue
    for (const defined of firedBy(machine, space.snapshot(actor, from), event)) fired.set(defined, (fired.get(defined) ?? 0) + 1)
  }
  return machines.map(machine => {
    const own = actors.flatMap(({ kind, name }, i) => (kind.machine === machine ? [{ name, i }] : []))
    const values = own.flatMap(({ i }) => space.snapshots(i).map(({ value }) => value))
    return {
      machine: machine.id === UNNAMED ? own.map(({ name }) => name).join(', ') : machine.id,
      actors: own.map(({ name }) => name),
      states: Object.keys(machine.root.states).map(state => ({ state, met: values.filter(value => value === state).length })),
      transitions: definedIn(machine).map(defined => ({
        state: defined.state ?? null,
        event: defined.event,
        guard: defined.guard ?? null,
        target: defined.target ?? null,
        fired: fired.get(defined) ?? 0,
      })),
    }
  })
}

/** What xstate calls a machine that has no name. */
const UNNAMED = '(machine)'

/** What was taken, each once: an offer is decided anew for each memory, and what is taken is the same. */
function* once<M, F>(space: Space<M, F>): Generator<{ readonly actor: number; readonly from: number; readonly event: AnyEvent }> {
  const seen = new Set<string>()
  for (const taken of space.taken()) {
    const key = `${taken.actor}/${taken.from}/${space.interner.id(taken.event)}`
    if (seen.has(key)) continue
    seen.add(key)
    yield taken
  }
}
