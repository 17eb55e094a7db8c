/** The transitions that a machine's definition has, and which of them an event fires. */
import type { AnyStateMachine, AnyTransitionDefinition } from 'xstate'
import type { AnyEvent, Snapshot } from './actor.ts'

/** One transition, as the machine's definition has it. */
export interface Defined {
  /** undefined: whatever the state. */
  readonly state: string | undefined
  readonly event: string
  /** What it is called that must be so; undefined: it always may. */
  readonly guard: string | undefined
  /** undefined: it stays where it is. */
  readonly target: string | undefined
  readonly definition: AnyTransitionDefinition
}

const definitions = new WeakMap<AnyStateMachine, ReadonlyMap<AnyTransitionDefinition, Defined>>()

function mapOf(machine: AnyStateMachine): ReadonlyMap<AnyTransitionDefinition, Defined> {
  const known = definitions.get(machine)
  if (known !== undefined) return known
  const all = [...Object.values(machine.root.states), machine.root].flatMap(node =>
    [...node.transitions.values()].flat().map((definition): Defined => ({
      state: node === machine.root ? undefined : node.key,
      event: definition.eventType,
      guard: nameOf(definition.guard),
      target: definition.target?.[0]?.key,
      definition,
    })),
  )
  const map = new Map(all.map(one => [one.definition, one]))
  definitions.set(machine, map)
  return map
}

function nameOf(guard: unknown): string | undefined {
  if (guard === undefined || typeof guard === 'string') return guard
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type)
  return typeof guard === 'function' && guard.name !== '' ? guard.name : 'a condition'
}

/** In the order in which the machine has them; those for whatever state come last. */
export const definedIn = (machine: AnyStateMachine): readonly Defined[] => [...mapOf(machine).values()]

/** Those that an event fires; none if it is refused. */
export function firedBy(machine: AnyStateMachine, snapshot: Snapshot, event: AnyEvent): readonly Defined[] {
  const map = mapOf(machine)
  return machine.getTransitionData(machine.resolveState(snapshot), event).flatMap(definition => map.get(definition) ?? [])
}
