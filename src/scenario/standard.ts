/**
 * The standard system: Linux of a profile, put together from a description that is plain data. The description is what a
 * log keeps of where it began; a user's own machine goes in beside ours, under a name of its own.
 */
import type { AnyStateMachine } from 'xstate'
import { deviceWith } from '../../machines/device.ts'
import { dmirror } from '../../machines/dmirror.ts'
import { dma } from '../../machines/dma.ts'
import { folioLock } from '../../machines/folio-lock.ts'
import { hmmAtEnd } from '../../machines/hmm-at-end.ts'
import { hmmMirror } from '../../machines/hmm-mirror.ts'
import { intervalNotifier } from '../../machines/interval-notifier.ts'
import { mirrorRange } from '../../machines/mirror-range.ts'
import { mmapLock } from '../../machines/mmap-lock.ts'
import { notifier } from '../../machines/notifier.ts'
import { range } from '../../machines/range.ts'
import { registry } from '../../machines/registry.ts'
import { childThread, thread } from '../../machines/thread.ts'
import { timeout } from '../../machines/timeout.ts'
import { vmaRange } from '../../machines/vma-range.ts'
import { mirrorRangeDoes, rangeDoes, vmaRangeDoes } from '../kernel/range.ts'
import { FOLIO_LOCK } from '../kernel/names.ts'
import { kernelNamed } from '../kernel/configuration.ts'
import type { Profile } from '../kernel/profiles.ts'
import { kernelOf } from '../kernel/rules.ts'
import { threadDoes } from '../kernel/thread.ts'
import type { Fact } from '../memory/facts.ts'
import { fold } from '../memory/fold.ts'
import { inLine } from '../log/unseen.ts'
import { bootMemory, type Memory, type MmName } from '../memory/memory.ts'
import { kind, type ActorName, type Kind } from '../system/actor.ts'
import { compiled } from '../system/compile.ts'
import type { Take } from '../system/take.ts'
import { system, type System } from '../system/world.ts'
import { driverKind, isDriverMachine, isHandlerMachine } from './drivers.ts'

export interface ActorSpec {
  readonly name: ActorName
  /** One of `machineNames`, or of the machines that are given along. */
  readonly machine: string
  /** What the machine's context is made from; plain data. */
  readonly input: object
}

/** A system as data: everything that is needed to build it again. */
export interface SystemSpec {
  readonly profile: string
  /** Address spaces, empty at first. */
  readonly mms: readonly MmName[]
  readonly actors: readonly ActorSpec[]
}

export type LinuxSystem = System<Memory, Fact>
export type Kinds = Readonly<Record<string, Kind<Memory, Fact>>>

/** A description that cannot be built: what was expected, and what came. */
export class BadSpec extends Error {
  override readonly name = 'BadSpec'

  /** The message may have words of somebody's log in it: it stays on its line. */
  constructor(message: string) {
    super(inLine(message))
  }
}

/** The machines of this project with the rules of a profile, by the names that descriptions use, for these actors. */
export function standardKinds(profile: Profile, actors: readonly ActorSpec[]): Kinds {
  const kernel = kernelOf(profile, threadsOf(actors))
  const plain = (machine: AnyStateMachine): Kind<Memory, Fact> => kind<Memory, Fact, AnyStateMachine>(machine)
  return {
    thread: kind<Memory, Fact, typeof thread>(thread, threadDoes(kernel)),
    child_thread: kind<Memory, Fact, typeof childThread>(childThread, threadDoes(kernel)),
    range: kind<Memory, Fact, typeof range>(range, rangeDoes(kernel)),
    mirror_range: kind<Memory, Fact, typeof mirrorRange>(mirrorRange, mirrorRangeDoes(kernel)),
    vma_range: kind<Memory, Fact, typeof vmaRange>(vmaRange, vmaRangeDoes(kernel)),
    device: plain(deviceWith(profile.bugs)),
    dma: plain(dma),
    dmirror: plain(dmirror),
    registry: plain(registry),
    mmap_lock: plain(mmapLock),
    folio_lock: plain(folioLock),
    timeout: kind<Memory, Fact, typeof timeout>(timeout, {
      pass: () => [{ do: 'time_passes', calls: [], facts: [], event: () => ({ type: 'passed' }) }],
    }),
    hmm: plain(hmmMirror),
    hmm_at_end: plain(hmmAtEnd),
    interval_notifier: plain(intervalNotifier),
    mmu_notifier: plain(notifier),
  }
}

export function profileOf(name: string): Profile {
  const kernel = kernelNamed(name)
  if (typeof kernel === 'string') throw new BadSpec(kernel)
  return kernel
}

/** Builds a system from its description. `take`: how events are taken; the compiled tables unless xstate itself is wanted. */
export function linuxSystem(spec: SystemSpec, more: Kinds = {}, take: Take = compiled): LinuxSystem {
  const profile = profileOf(spec.profile)
  const kinds = { ...standardKinds(profile, spec.actors), ...more }
  checkNames(spec)
  const actors = [...machineActors, ...spec.actors].map(({ name, machine, input }) => {
    const of = kinds[machine] ?? driverKind(machine, kernelOf(profile))
    if (of === undefined) throw new BadSpec(unknown(name, machine, kinds))
    return { name, kind: of, input }
  })
  return system({ actors, memory: bootMemory(spec.mms), fold, take })
}

/** How many threads run in each address space. */
function threadsOf(actors: readonly ActorSpec[]): ReadonlyMap<MmName, number> {
  const threads = new Map<MmName, number>()
  for (const { machine, input } of actors) {
    if ((machine !== 'thread' && machine !== 'child_thread') || !('mm' in input)) continue
    const mm = String(input.mm)
    threads.set(mm, (threads.get(mm) ?? 0) + 1)
  }
  return threads
}

/** Actors that a system may have. */
const MOST_ACTORS = 10_000

/** Names stand in logs, in tables by name and on lines of a terminal: they are to be seen, each once, and mean nothing else. */
function checkNames({ mms, actors }: SystemSpec): void {
  if (actors.length + mms.length > MOST_ACTORS)
    throw new BadSpec(`a system of ${actors.length} actors and ${mms.length} address spaces: there may be ${MOST_ACTORS}`)
  const names = new Set<string>()
  for (const name of [...machineActors, ...actors].map(actor => actor.name)) {
    if (names.has(name)) throw new BadSpec(`two actors have one name: ${name}`)
    names.add(name)
  }
  for (const name of [...names, ...mms])
    if (name === '' || name.startsWith('$') || inLine(name) !== name)
      throw new BadSpec(
        `'${name}' is no name of an actor or an address space: it is empty, begins with $ or has characters that are not seen`,
      )
}

const unknown = (name: ActorName, machine: string, kinds: Kinds): string =>
  isDriverMachine(machine)
    ? `actor '${name}' is a '${machine}', a driver that nobody has defined: load the file that does, as its scenario: --load FILE; a program imports it`
    : `actor '${name}' is a '${machine}', which is no machine here; there are ${Object.keys(kinds).join(', ')}`

/** The actors that every machine has. */
export const machineActors: readonly ActorSpec[] = [{ name: FOLIO_LOCK, machine: 'folio_lock', input: {} }]
/** The machine of a driver's range, and that of the plain notifier by which it hears of invalidations, if by one. */
export const RANGE_MACHINES: Readonly<Record<Profile['rangeValidity'], { readonly range: string; readonly hmm: string | null }>> = {
  sequence: { range: 'range', hmm: null },
  'valid flag': { range: 'mirror_range', hmm: 'hmm' },
  // That of a device with an hmm_mirror; one with an interval notifier has that of later kernels.
  'valid flag or sequence': { range: 'mirror_range', hmm: 'hmm' },
  'valid flag at the end': { range: 'vma_range', hmm: 'hmm_at_end' },
}
/** Is it one of those that handle the faults of a device, for the device's program? */
export const isRangeMachine = (machine: string): boolean =>
  isHandlerMachine(machine) || Object.values(RANGE_MACHINES).some(({ range: of }) => of === machine)
/** The actors that every address space has: its lock and its notifier registry. */
export const mmActors = (mm: MmName, registryInput: object): readonly ActorSpec[] => [
  { name: `${mm}.mmap_lock`, machine: 'mmap_lock', input: {} },
  { name: `${mm}.registry`, machine: 'registry', input: registryInput },
]
