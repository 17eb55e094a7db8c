/**
 * Who waits for whom: actors with a call that cannot be taken. What an actor would do next is in no log, so this asks the
 * rules; and who holds a lock, which is read off states and agendas.
 */
import { mmapLockOf } from '../kernel/names.ts'
import type { ActorName } from '../system/actor.ts'
import { offersOf, take, type Choice } from '../system/step.ts'
import { agendaOf, contextOf } from './folded-step.ts'
import type { LinuxSystem, LinuxWorld } from './linux.ts'

export interface Possible {
  readonly choice: Choice
  readonly do: string
  /** Whose call is refused; undefined: it can be taken. */
  readonly blockedOn?: { readonly to: ActorName; readonly type: string }
}

/** What each actor could do next; an actor that is not here is at rest. A world that no rule knows offers nothing. */
export function possibleIn(system: LinuxSystem, world: LinuxWorld, budget = 1): readonly Possible[] {
  return system.actors.flatMap(({ name, kind }) => {
    if (Object.keys(kind.does).length === 0) return []
    try {
      return offersOf(system, world, name, budget).map((offer, i): Possible => {
        const choice = { by: name, offer: i, budget }
        const taken = take(system, world, choice, offer)
        return taken.kind === 'blocked'
          ? { choice, do: offer.do, blockedOn: { to: taken.on.to, type: taken.on.event.type } }
          : { choice, do: offer.do }
      })
    } catch {
      return []
    }
  })
}

/** States of a driver's range in which it has the driver's lock, and mmap_lock. */
const WITH_DRIVER_LOCK = new Set(['hmm_range_valid', 'read_retry', 'hmm_vma_range_done', 'retry', 'commit', 'driver_unlock'])
const WITH_MMAP_LOCK = new Set(['hmm_range_fault', 'hmm_vma_fault', 'mmap_read_unlock'])

/** Who has a lock: `mm0.mmap_lock`, or a device, whose lock it is. */
export function holdersOf(system: LinuxSystem, world: LinuxWorld, lock: ActorName): readonly ActorName[] {
  return system.actors.flatMap(({ name }, i) => {
    const context = contextOf(system, world, name)
    const state = world.actors[i]?.value ?? ''
    const mm = String(context['mm'])
    const ofRange =
      context['device'] === lock && WITH_DRIVER_LOCK.has(state)
        ? true
        : mmapLockOf(mm) === lock && (WITH_MMAP_LOCK.has(state) || keeps(context, state))
    const inAgenda = agendaOf(context).some(
      item =>
        (item['do'] === 'mmap_unlock' && mmapLockOf(String(item['mm'])) === lock) ||
        (item['do'] === 'dmirror_mutex_unlock' && item['who'] === lock),
    )
    return ofRange || inAgenda ? [name] : []
  })
}

/** A driver of the first kind keeps mmap_lock until it is done (`hmm_vma_range_done()`). */
const keeps = (context: Readonly<Record<string, unknown>>, state: string): boolean =>
  'begun' in context && !('seq' in context && state !== 'hmm_vma_range_done') && WITH_DRIVER_LOCK.has(state)
