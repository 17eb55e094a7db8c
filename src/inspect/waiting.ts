/**
 * Who waits for whom: actors with a call that cannot be taken. What an actor would do next is in no log, so this asks the
 * rules; and who holds a lock, which is read off states and agendas.
 */
import { mmapLockOf } from '../kernel/names.ts'
import { FILE_LOCKS, type FileLock } from '../memory/memory.ts'
import type { ActorName, AnyEvent } from '../system/actor.ts'
import { offersOf, take, type Choice } from '../system/step.ts'
import { agendaOf, contextOf } from './folded-step.ts'
import type { LinuxSystem, LinuxWorld } from './linux.ts'

export interface Possible {
  readonly choice: Choice
  readonly do: string
  /** Whose call is refused, and what for, if what is waited for is in memory; undefined: it can be taken. */
  readonly blockedOn?: { readonly to: ActorName; readonly type: string; readonly what?: string }
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
          ? { choice, do: offer.do, blockedOn: { to: taken.on.to, type: taken.on.event.type, ...inMemory(taken.on.event) } }
          : { choice, do: offer.do }
      })
    } catch {
      return []
    }
  })
}

/** What is waited for in memory: a lock of a file, or somebody's hold of a frame or a page map. */
function inMemory(event: AnyEvent): { readonly what?: string } {
  if ('file' in event && 'lock' in event) return { what: `${String(event.file)}.${String(event.lock)}` }
  if ('folio' in event) return { what: `frame ${String(event.folio)}` }
  return 'pagemap' in event ? { what: `page map of ${String(event.pagemap)}` } : {}
}

/** A lock, how it is held and by whom, and who waits for it. */
export interface Lock {
  readonly name: string
  readonly state: string
  readonly heldBy: readonly ActorName[]
  /** `type`: the call that is refused, where it is an actor's. */
  readonly waiters: readonly { readonly by: ActorName; readonly type?: string }[]
}

/** The locks of address spaces and devices, those of files that are held, and whatever else somebody waits for. */
export function locksOf(system: LinuxSystem, world: LinuxWorld): readonly Lock[] {
  const waiting = possibleIn(system, world).flatMap(p => (p.blockedOn === undefined ? [] : [{ ...p.blockedOn, by: p.choice.by }]))
  const ofActors = system.actors.flatMap(({ name }, i): readonly Lock[] => {
    const state = world.actors[i]?.value ?? ''
    const waiters = waiting.filter(w => w.to === name && w.what === undefined)
    const isLock = name.endsWith('.mmap_lock') || state === 'locked' || state === 'unlocked'
    if (!isLock && waiters.length === 0) return []
    return [{ name, state, heldBy: isLock ? holdersOf(system, world, name) : [], waiters }]
  })
  const ofFiles = Object.entries(world.memory.files).flatMap(([file, of]) =>
    FILE_LOCKS.flatMap(lock => {
      const held = of[lock] ?? 0
      return held === 0
        ? []
        : [{ name: `${file}.${lock}`, state: held < 0 ? 'write' : 'read', heldBy: withFile(system, world, file, lock) }]
    }),
  )
  const others = [...new Set(waiting.flatMap(w => w.what ?? []))].filter(what => ofFiles.every(({ name }) => name !== what))
  return [
    ...ofActors,
    ...[...ofFiles, ...others.map(name => ({ name, state: 'held', heldBy: [] }))].map(lock => ({
      ...lock,
      waiters: waiting.filter(w => w.what === lock.name).map(({ by }) => ({ by })),
    })),
  ]
}

/** Who has yet to let go of a lock of a file. */
const withFile = (system: LinuxSystem, world: LinuxWorld, file: string, lock: FileLock): readonly ActorName[] =>
  system.actors.flatMap(({ name }) =>
    agendaOf(contextOf(system, world, name)).some(item => item['do'] === 'file_unlock' && item['file'] === file && item['lock'] === lock)
      ? [name]
      : [],
  )

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
