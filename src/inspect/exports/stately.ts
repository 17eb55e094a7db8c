/**
 * A run as inspection events of Stately's inspector (`@statelyai/inspect`): an actor with its definition, then each event and
 * the snapshot that it led to. Their clock is the number of the step.
 */
import type { LinuxWorld } from '../linux.ts'
import type { Story } from './story.ts'

/** Of the protocol, as the inspector's own package numbers it. */
const VERSION = '0.4.0'

interface Common {
  readonly sessionId: string
  readonly rootId: string
  readonly createdAt: string
  readonly id: string
  readonly _version: string
}
interface Snapshot {
  readonly status: 'active'
  readonly value: string
  readonly context: object
  readonly output: undefined
  readonly error: undefined
}
type EventObject = Readonly<Record<string, unknown>> & { readonly type: string }

export type InspectionEvent =
  | (Common & {
      readonly type: '@xstate.actor'
      readonly name: string
      readonly definition: string
      readonly parentId: undefined
      readonly snapshot: Snapshot
    })
  | (Common & { readonly type: '@xstate.event'; readonly event: EventObject; readonly sourceId: string | undefined })
  | (Common & { readonly type: '@xstate.snapshot'; readonly event: EventObject; readonly snapshot: Snapshot })

export function* statelyEvents({ system, first, steps }: Story): Generator<InspectionEvent> {
  const common = (sessionId: string, n: number, i: number): Common => ({
    sessionId,
    rootId: sessionId,
    createdAt: String(n),
    id: `${n}.${i}`,
    _version: VERSION,
  })
  const snapshotOf = (world: LinuxWorld, name: string): Snapshot => {
    const { value = '', context = {} } = world.actors[system.index.get(name) ?? -1] ?? {}
    return { status: 'active', value, context, output: undefined, error: undefined }
  }
  for (const [i, { name, kind }] of system.actors.entries()) {
    const definition = JSON.stringify({ ...kind.machine.config, context: undefined, id: name }, (_, value: unknown) =>
      typeof value === 'function' ? { type: value.name } : value,
    )
    yield { ...common(name, 0, i), type: '@xstate.actor', name, definition, parentId: undefined, snapshot: snapshotOf(first, name) }
  }
  for (const { n, by, event, calls, world } of steps) {
    let i = 0
    for (const { to, from, event: called } of calls) {
      yield { ...common(to, n, i++), type: '@xstate.event', event: { ...called }, sourceId: from }
      yield { ...common(to, n, i++), type: '@xstate.snapshot', event: { ...called }, snapshot: snapshotOf(world, to) }
    }
    yield { ...common(by, n, i++), type: '@xstate.event', event, sourceId: undefined }
    yield { ...common(by, n, i++), type: '@xstate.snapshot', event, snapshot: snapshotOf(world, by) }
  }
}
