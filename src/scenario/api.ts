/**
 * The scripting API: what a scenario is written with. Each call appends a statement to its thread's program and returns
 * it; nothing runs while a scenario is written.
 */
import type { Advice, Prot } from '../kernel/agenda.ts'
import type { Failure } from '../kernel/failure.ts'
import type { Profile } from '../kernel/profiles.ts'
import { page, type Pages } from '../memory/address.ts'
import type { Oracle } from '../oracles/oracle.ts'
import type { ActorName } from '../system/actor.ts'
import type { GupFlags } from '../walker/gup.ts'
import type { Plan } from './plan.ts'
import type { SystemSpec } from './standard.ts'
import type { View } from './view.ts'

/** A statement of a program, as a handle: for races, orders and expectations. */
export interface StatementRef {
  readonly by: ActorName
  /** Its place in its actor's program. */
  readonly index: number
}

/** What `mmap` made: the statement, and the pages. */
export interface Mapping extends StatementRef, Pages {}

/** Part of some pages: `count` of them from the `first`-th on. */
export const slice = ({ start }: Pages, first: number, count = 1): Pages => ({
  start: page(start + first),
  end: page(start + first + count),
})

export interface MmapOptions {
  /** How many pages of 4 KiB. */
  readonly pages: number
  /** Rights; `rw` if not said. */
  readonly prot?: Prot
  readonly shared?: boolean
  /** The first page; if not said, behind everything mapped so far, with a gap. */
  readonly at?: number
}

export interface DeviceFaultOptions {
  /** The device wants to write, too. */
  readonly write?: boolean
  /** How often the driver begins before it gives up with EBUSY; for ever if not said. */
  readonly attempts?: number
}

/** A CPU thread. Its calls are the system calls, and loads and stores. */
export interface Thread {
  readonly name: ActorName
  mmap(options: MmapOptions): Mapping
  munmap(pages: Pages): StatementRef
  mprotect(pages: Pages, prot: Prot): StatementRef
  madvise(pages: Pages, advice: Advice): StatementRef
  /** Moves pages behind everything mapped so far, or to `at`; `pages`: the new size. */
  mremap(pages: Pages, options?: { readonly at?: number; readonly pages?: number }): Mapping
  mlock(pages: Pages): StatementRef
  munlock(pages: Pages): StatementRef
  read(pages: Pages): StatementRef
  /** Stores `value`, `value + 1`, … into the pages. */
  write(pages: Pages, value: number): StatementRef
  gup(pages: Pages, flags?: GupFlags): StatementRef
}

/** A device that mirrors an address space. */
export interface Device {
  readonly name: ActorName
  /** Faults pages in and maps them on the device, as a driver's page fault handler does. */
  fault(pages: Pages, options?: DeviceFaultOptions): StatementRef
}

/** A machine that runs Linux of one profile, with one process. */
export interface Linux {
  readonly profile: Profile
  thread(name?: ActorName): Thread
  device(name?: ActorName): Device
  /** Makes statements concurrent, the ones just made or arrays of them; what follows waits for all of them. */
  race(...branches: readonly (StatementRef | readonly StatementRef[])[]): Race
}

export interface Race {
  /** The order in which `run` takes it: each statement to its end, or `until` its actor's machine is in a state. */
  order(...steps: readonly (StatementRef | Until)[]): void
}

export interface Until {
  readonly statement: StatementRef
  readonly state: string
}
/** Up to where the statement's actor is in a state of its machine: `until(fault, 'driver_lock')`. */
export const until = (statement: StatementRef, state: string): Until => ({ statement, state })

export type Expectation =
  | { readonly kind: 'always' | 'violated'; readonly name: string; readonly oracle: Oracle }
  | { readonly kind: 'finally'; readonly name: string; readonly holds: (view: View) => boolean }
  | {
      readonly kind: 'returns'
      readonly name: string
      readonly statement: StatementRef
      readonly value: number | Failure | readonly number[]
    }

export interface Expect {
  /** Nothing that the oracle says is wrong may ever be so. */
  always(name: string, oracle: Oracle): void
  /** The oracle must find something: for bugs that are to be shown. */
  violated(name: string, oracle: Oracle): void
  /** Must be so when everybody is at rest. */
  finally(name: string, holds: (view: View) => boolean): void
  /** What a statement answers: a number, an error such as `EFAULT` or a signal such as `SEGV`, or, of a read, its values. */
  returns(statement: StatementRef, value: number | Failure | 'SEGV' | 'BUS' | readonly number[]): void
}

export interface ScenarioContext {
  /** A machine; of the profile that was asked for, unless one is named. One a scenario. */
  readonly linux: (profile?: string) => Linux
  readonly expect: Expect
}

/** A scenario, ready to be built for a profile. */
export interface Scenario {
  readonly title: string
  /** The profiles that it is meant for; `run` takes each of them if none is asked for. */
  readonly profiles: readonly string[]
  build(profile?: string): Built
}

/** What a scenario came to: a system, who may act when, and what must hold. All but the oracles is plain data. */
export interface Built {
  readonly title: string
  readonly system: SystemSpec
  readonly plan: Plan
  readonly expectations: readonly Expectation[]
}
