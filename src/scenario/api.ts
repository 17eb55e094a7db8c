/**
 * The scripting API: what a scenario is written with. Each call appends a statement to its thread's program and returns
 * it; nothing runs while a scenario is written.
 */
import type { Advice, FillFailure, Prot } from '../kernel/agenda.ts'
import type { Failure } from '../kernel/failure.ts'
import type { Profile } from '../kernel/profiles.ts'
import { page, type Pages } from '../memory/address.ts'
import type { PagemapName } from '../memory/dax.ts'
import type { ActorName } from '../system/actor.ts'
import type { GupFlags } from '../walker/gup.ts'
import type { Driver, MirrorDriver } from './drivers.ts'
import type { Exhibit } from './exhibit.ts'
import type { Given, Values } from './parameters.ts'
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
  /** What is mapped: private memory if not said, 2 MiB pages of the pool, or a file. */
  readonly of?: OpenFile | 'hugetlb'
  /** The page in the file at which the mapping begins; of the probe driver, what it is to map. */
  readonly offset?: number
  /** Of the HMM test driver: which page it cannot have (ENOMEM) or cannot insert (EBUSY). */
  readonly fails?: FillFailure
  /** The first page; if not said, behind everything mapped so far, with a gap. */
  readonly at?: number
}

export interface DeviceFaultOptions {
  /** The device wants to write, too. */
  readonly write?: boolean
  /** How often the driver begins before it gives up with EBUSY; for ever if not said. */
  readonly attempts?: number
  /** From v5.2 to v5.6: pages in device memory are to be brought back (`HMM_PFN_DEVICE_PRIVATE`); else they stay where they are. */
  readonly devicePrivate?: boolean
  /** Up to v5.6: faults may not drop mmap_lock to wait; so if not said. */
  readonly block?: boolean
}

/** What a device's driver has of the kernel, where it may choose. */
export interface DeviceOptions {
  /** A driver of one's own, from `defineDevice()`, in place of ours. */
  readonly driver?: Driver
  /** Such a driver has a notifier for each of these, instead of one for the whole process. */
  readonly buffers?: readonly Pages[]
  /** How it hears of invalidations: in v5.5 by either, before by the first alone, later by the second, which is meant if not said. */
  readonly notifier?: 'hmm_mirror' | 'mmu_interval_notifier'
  /** Its driver gives a fault up with EBUSY when its time is over, which may be at any moment; for ranges with a sequence. */
  readonly timeout?: boolean
  /** How many pages it can map for DMA at once; any number if not said. */
  readonly dmaRoom?: number
  /** `hmm_dma_map_alloc()` refuses it (EOPNOTSUPP), for its DMA needs caches kept up or does not reach all of memory. */
  readonly dmaLimited?: boolean
}

/** A statement that works on pages, and tells more than a number: `expect.answers`. */
export interface Command extends StatementRef, Pages {}

/** An open file, by the name that the world has for it. */
export interface OpenFile {
  readonly file: string
}
export interface OpenOptions {
  readonly fs: 'memfd' | 'ext4' | 'dax' | 'devdax' | 'probe'
  /** Its size; page i begins with the number `fill + i`, or all of it is a hole if `fill` is not said. */
  readonly pages?: number
  readonly fill?: number
  /** Of `dax`: false if its device has no page map, and so no `struct page`s (PFN_DEV without PFN_MAP). */
  readonly pfnMap?: false
}

export interface GupOptions extends GupFlags {
  /** Without FOLL_GET: pages are only faulted in, and it answers over how many it has gone. */
  readonly get?: false
  /** `get_user_pages_fast()`: without a lock, as far as that goes. */
  readonly fast?: true
}

/**
 * An open file of the kernel's HMM test driver: a device that mirrors the process which opened it, in batches of 64 pages.
 * Commands tell how many pages they did (`cpages`), how many rounds of faulting they made (`faults`), and what they read.
 */
export interface Mirror extends OpenFile {
  read(pages: Pages): Command
  write(pages: Pages, value: number): Command
  migrateToDevice(pages: Pages): Command
  migrateToSystem(pages: Pages): Command
  /** A byte a page, as the driver's header has them. */
  snapshot(pages: Pages): Command
  exclusive(pages: Pages): Command
  checkExclusive(pages: Pages): Command
  /** Gives up all of the device's memory. */
  release(): StatementRef
  close(): StatementRef
  /** The same file, used by another thread: a child has what its parent had open. */
  usedBy(thread: Thread): Mirror
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
  /** `get_user_pages()`: takes pages, and puts them back. */
  gup(pages: Pages, flags?: GupOptions): StatementRef
  /** The driver of DAX memory is unbound: its page map goes once all of its pages are given back. */
  devm_memremap_pages_release(pagemap: PagemapName): StatementRef
  /** The scheduler closes pages, to learn by faults who uses them. */
  change_prot_numa(pages: Pages): StatementRef
  /** The OOM reaper takes all private memory that it can have without waiting; EAGAIN if some of it was declined. */
  oom_reap_task_mm(): StatementRef
  /** A child process; its first thread. */
  fork(): Child
  exit(): StatementRef
  open(name: string, options: OpenOptions): OpenFile
  close(file: OpenFile): StatementRef
  truncate(file: OpenFile, pages: number): StatementRef
  /** Pages [start, end) of the file become a hole. */
  punch(file: OpenFile, pages: FilePages): StatementRef
  pread(file: OpenFile, pages: FilePages): Command
  /** Writes the first 8 bytes of each page. */
  pwrite(file: OpenFile, pages: FilePages, value: number): StatementRef
  /** The driver of DAX memory is about to be unbound: nobody gets a reference to its page map any more. */
  killPagemap(pagemap: 'pmem0' | 'dax1.0'): StatementRef
  /** It is unbound: its page map dies, if it has not yet, and mappings of its pages go. */
  memunmapPages(pagemap: 'pmem0' | 'dax1.0'): StatementRef
  /** Opens `/dev/hmm_dmirror0` … `3`: the first two have private memory, the others coherent memory. */
  openDevice(device?: 0 | 1 | 2 | 3, options?: { readonly driver?: MirrorDriver }): Mirror
}
/** Pages of a file, by index. */
export interface FilePages {
  readonly start: number
  readonly end: number
}
export interface Child extends Thread, StatementRef {}

/** A device that mirrors an address space. */
export interface Device {
  readonly name: ActorName
  /** Faults pages in and maps them on the device, as a driver's page fault handler does. */
  fault(pages: Pages, options?: DeviceFaultOptions): Command
  /** Maps what is there: `hmm_vma_get_pfns()`, `hmm_range_snapshot()`, and `hmm_range_fault()` that asks for nothing. */
  snapshot(pages: Pages, options?: Pick<DeviceFaultOptions, 'attempts'>): Command
  /**
   * Faults pages in and maps them for DMA: with `hmm_range_dma_map()` up to v5.5, and from v6.16 on with `hmm_dma_map_pfn()`, where it
   * answers how many were not mapped already.
   */
  dmaMap(pages: Pages, options?: DeviceFaultOptions): Command
  /**
   * The device itself reads, page by page: it translates, by its TLB or its table, faults if there is nothing, and then performs.
   * `expect.returns` has the values; `until(read, 'perform')` is between the two.
   */
  read(pages: Pages): StatementRef
  /** The device itself stores `value`, `value + 1`, … into the pages. */
  write(pages: Pages, value: number): StatementRef
}

/** A machine that runs Linux of one profile, with one process. */
export interface Linux {
  readonly profile: Profile
  thread(name?: ActorName): Thread
  device(name?: ActorName, options?: DeviceOptions): Device
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
/**
 * Up to where the statement's actor is in a state of its machine, or this function of the kernel is what it does next:
 * `until(fault, 'driver_lock')`, `until(gup, 'put_pages')`.
 */
export const until = (statement: StatementRef, state: string): Until => ({ statement, state })

/** What is wrong with a world, in one sentence; undefined if nothing is. An oracle is one. */
export type Judgement = (view: View) => string | undefined

export type Expectation =
  | { readonly kind: 'always' | 'violated'; readonly name: string; readonly oracle: Judgement }
  | { readonly kind: 'sometimes' | 'eventually' | 'finally'; readonly name: string; readonly holds: (view: View) => boolean }
  | {
      readonly kind: 'returns'
      readonly name: string
      readonly statement: StatementRef
      readonly value: number | Failure | 'livelock' | readonly number[]
    }
  | { readonly kind: 'answers'; readonly name: string; readonly statement: StatementRef; readonly wanted: Wanted }
export type Wanted = Partial<Answer> | ((answer: Answer) => boolean)

/** All that a statement answers. */
export interface Answer {
  readonly ret: number
  /** The error, the signal, or where the kernel died (`oops: …`); `livelock` of what never comes back. */
  readonly err: Failure | 'SEGV' | 'BUS' | 'livelock' | null
  readonly cpages: number
  readonly faults: number
  /** What a command read; of a device's statements, the flags of each page: VALID 1, WRITE 2, ERROR 4, SPECIAL 8. */
  readonly values: readonly number[]
}

export interface Expect {
  /** Nothing that the oracle says is wrong may ever be so. */
  always(name: string, oracle: Judgement): void
  /** The oracle must find something: for bugs that are to be shown. */
  violated(name: string, oracle: Judgement): void
  /** Must be so after some step. */
  sometimes(name: string, holds: (view: View) => boolean): void
  /** Must become so, in every order of events in which nobody who can always act is kept waiting for ever. */
  eventually(name: string, holds: (view: View) => boolean): void
  /** Must be so when everybody is at rest. */
  finally(name: string, holds: (view: View) => boolean): void
  /**
   * What a statement answers: a number, an error such as `EFAULT` or a signal such as `SEGV`, or, of a read, its values; `livelock`
   * if it never does, because it goes in circles.
   */
  returns(statement: StatementRef, value: number | Failure | 'SEGV' | 'BUS' | 'livelock' | readonly number[]): void
  /** These fields of what a statement answers, or whatever is asked of them. */
  answers(statement: StatementRef, wanted: Partial<Answer> | ((answer: Answer) => boolean)): void
}

export interface ScenarioContext<P extends Values = Values> {
  /** A machine; of the profile that was asked for, unless one is named. One a scenario. */
  readonly linux: (profile?: string) => Linux
  readonly expect: Expect
  /** Which of the scenario's variants this is; '' if it has none. */
  readonly variant: string
  /** What it is made with: as it says, unless something else is asked for. */
  readonly parameters: Given<P>
}

/** A scenario, ready to be built for a profile. */
export interface Scenario {
  readonly title: string
  /** The profiles that it is meant for; `run` takes each of them if none is asked for. */
  readonly profiles: readonly string[]
  /** The same story in other circumstances; `run` tells each. */
  readonly variants: readonly string[]
  /** What it can be made with, and the values that are meant if none are asked for. */
  readonly parameters: Values
  /** The bug of a real kernel or driver that it shows, if it is an exhibit of the museum. */
  readonly exhibit?: Exhibit
  build(profile?: string, variant?: string, parameters?: Values): Built
}

/** What a scenario came to: a system, who may act when, and what must hold. All but the oracles is plain data. */
export interface Built {
  readonly title: string
  readonly system: SystemSpec
  readonly plan: Plan
  readonly expectations: readonly Expectation[]
  /** The order of events that a run takes first, as a token. */
  readonly order?: string
}
