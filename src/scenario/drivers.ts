/**
 * Drivers of the user's own: an xstate machine for the device (what the kernel and the hardware call: callbacks, lock, table) and
 * one for its fault handler, whose states say in the words of src/kernel/driver.ts what they do. What a driver lacks is told when
 * it is defined.
 *
 * A driver is known by its name from then on, as a machine in descriptions of systems: a log has the name alone, and is read again
 * once the file was loaded that defines it.
 */
import type { AnyStateMachine, ContextFrom } from 'xstate'
import { device as ourDevice, deviceWith } from '../../machines/device.ts'
import { range as ourHandler } from '../../machines/range.ts'
import type { Kernel } from '../kernel/advance.ts'
import { DRIVER_WORDS, driverRule, isDriverWord, KERNEL_CALLS, ownCallOf, TEST_HMM_CALLS, type Word } from '../kernel/driver.ts'
import type { RangeContext } from '../kernel/range.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { Table } from '../memory/table.ts'
import { kind, type Does, type Kind } from '../system/actor.ts'
import { NotCompilable, tableOf } from '../system/compile.ts'

/** How a driver hears of invalidations: by an interval notifier, or by a plain one. */
export type Hearing = keyof typeof KERNEL_CALLS

/** A driver that was defined; `device(name, { driver })` takes it. */
export interface Driver {
  readonly name: string
  readonly hears: Hearing
  readonly hasWorker: boolean
}

/** A driver that lacks something: what, and what was expected. */
export class BadDriver extends Error {
  override readonly name = 'BadDriver'
}

/** What oracles look at in a device, whoever drives it. */
interface Mirrors {
  readonly mm: string
  readonly table: Table
}
/** Machines whose context is fit for it; of another, the type says what is missing. */
type Fit<T extends AnyStateMachine, C> = ContextFrom<T> extends C ? T : T & { readonly 'its context has to be': C }

interface Halves<D extends AnyStateMachine, H extends AnyStateMachine, W extends AnyStateMachine> {
  /** What is called: it never acts by itself. Its states are the driver's lock. Ours (machines/device.ts) if not said. */
  readonly device?: Fit<D, Mirrors>
  /** What acts for the device's program: accesses, and the faults that they take. Ours (machines/range.ts) if not said. */
  readonly handler?: Fit<H, RangeContext>
  /** What acts beside it, when the handler has called it: a page-request queue with a thread of its own. */
  readonly worker?: Fit<W, RangeContext>
  readonly hears?: Hearing
}

interface Defined {
  readonly device: AnyStateMachine
  readonly handler?: AnyStateMachine
  readonly worker?: AnyStateMachine | undefined
}
const defined = new Map<string, Defined>()

const NAME = /^[a-z][\w-]*$/i

export function defineDevice<D extends AnyStateMachine, H extends AnyStateMachine, W extends AnyStateMachine>(
  name: string,
  halves: Halves<D, H, W> = {},
): Driver {
  const { worker, hears = 'mmu_interval_notifier' } = halves
  const device: AnyStateMachine = halves.device ?? ourDevice
  const handler: AnyStateMachine = halves.handler ?? ourHandler
  const acting = worker === undefined ? [handler] : [handler, worker]
  known(
    name,
    { device, handler, worker },
    () =>
      unheard(device, KERNEL_CALLS[hears], `It hears by ${hears}`) ??
      acting.map(half => unfit(half, device, worker)).find(w => w !== undefined),
  )
  return { name, hears, hasWorker: worker !== undefined }
}

/** A test driver's file of one's own: `openDevice(0, { driver })` takes it. */
export interface MirrorDriver {
  readonly mirror: string
}

/** A machine in place of `machines/dmirror.ts`, for the commands of the HMM test driver. */
export function defineMirror<T extends AnyStateMachine>(name: string, machine: Fit<T, Mirrors>): MirrorDriver {
  known(name, { device: machine }, () => unheard(machine, TEST_HMM_CALLS, 'So it is with the commands of test_hmm'))
  return { mirror: machinesOf({ name }).device }
}

/** Makes machines known by a name, unless something is wrong with them. */
function known(name: string, machines: Defined, wrongWith: () => string | undefined): void {
  const bad = (what: string): BadDriver => new BadDriver(`driver '${name}': ${what}`)
  if (!NAME.test(name)) throw bad('expected a name of letters, digits and dashes')
  if (defined.has(name)) throw bad('there is one of this name already; names are what logs know drivers by')
  for (const [half, machine] of Object.entries(machines)) {
    const wrong = machine === undefined ? undefined : uncompilable(machine)
    if (wrong !== undefined) throw bad(`its ${half} is no plain machine: ${wrong}`)
  }
  const wrong = wrongWith()
  if (wrong !== undefined) throw bad(wrong)
  defined.set(name, machines)
}

function uncompilable(machine: AnyStateMachine): string | undefined {
  try {
    tableOf(machine)
    return undefined
  } catch (error) {
    if (error instanceof NotCompilable) return error.message
    throw error
  }
}

/** Does any state take an event of this type? */
const takes = (machine: AnyStateMachine, type: string): boolean => [...tableOf(machine).values()].some(edges => edges.has(type))

/** A device that the kernel cannot call. */
function unheard(device: AnyStateMachine, calls: Readonly<Record<string, string>>, because: string): string | undefined {
  const missed = Object.entries(calls).find(([type]) => !takes(device, type))
  return missed === undefined
    ? undefined
    : `no state of its device takes '${missed[0]}', with which the kernel calls it: ${missed[1]}. ${because}`
}

/** What is wrong with a machine that acts: a state that does what nobody knows, is not told, or calls what nobody takes. */
function unfit(machine: AnyStateMachine, device: AnyStateMachine, worker: AnyStateMachine | undefined): string | undefined {
  const ownerOf = { device, worker }
  for (const { key, meta } of Object.values(machine.root.states)) {
    const does: unknown = meta?.does
    if (typeof does !== 'string') continue
    const here = `its state '${key}' does '${does}'`
    const own = ownCallOf(does)
    if (own === undefined && !isDriverWord(does))
      return `${here}, which is no word for what a driver does; there are ${Object.keys(DRIVER_WORDS).join(', ')}, and 'call NAME' and 'call worker.NAME' for calls of your own`
    const callee = own?.to ?? 'device'
    const called = ownerOf[callee]
    if (called === undefined) return `${here}, and it has no worker`
    const { calls, tells }: Pick<Word, 'calls' | 'tells'> = isDriverWord(does)
      ? DRIVER_WORDS[does]
      : { calls: [own?.type ?? ''], tells: ['done'] }
    const untold = tells.find(type => tableOf(machine).get(key)?.has(type) !== true)
    if (untold !== undefined) return `${here} and is told '${untold}' then, for which it has no transition`
    const untaken = calls.find(type => !takes(called, type))
    if (untaken !== undefined) return `${here}, which calls its ${callee} with '${untaken}': no state of that takes it`
  }
  return undefined
}

/** What its halves are called as machines. */
export const machinesOf = ({ name }: Pick<Driver, 'name'>): Readonly<Record<'device' | 'handler' | 'worker', string>> => ({
  device: `driver:${name}`,
  handler: `driver:${name}.handler`,
  worker: `driver:${name}.worker`,
})
const MACHINE = /^driver:([^.]+)(?:\.(handler|worker))?$/

export const isHandlerMachine = (machine: string): boolean => MACHINE.exec(machine)?.[2] === 'handler'
export const isDriverMachine = (machine: string): boolean => MACHINE.test(machine)

/** The machine that a driver has under this name, with the rules that its states name; undefined if none was defined. */
export function driverKind(machine: string, kernel: Kernel): Kind<Memory, Fact> | undefined {
  const [, name = '', half] = MACHINE.exec(machine) ?? []
  const driver = defined.get(name)
  if (half !== 'handler' && half !== 'worker')
    return driver === undefined ? undefined : kind<Memory, Fact, AnyStateMachine>(ours(driver.device, kernel))
  const acting = driver?.[half]
  return acting === undefined ? undefined : kind<Memory, Fact, AnyStateMachine>(acting, rulesOf(acting, kernel))
}

/** Our own device is as the kernel's drivers have it, with their bugs. */
const ours = (device: AnyStateMachine, { profile }: Kernel): AnyStateMachine => (device === ourDevice ? deviceWith(profile.bugs) : device)

/** The rules of the words that its states name. */
function rulesOf(machine: AnyStateMachine, kernel: Kernel): Readonly<Record<string, Does<Memory, Fact, RangeContext>>> {
  const words = Object.values(machine.root.states).map(({ meta }) => String(meta?.does))
  return Object.fromEntries(
    words.flatMap(word => {
      const rule = driverRule(kernel, word)
      return rule === undefined ? [] : [[word, rule]]
    }),
  )
}
