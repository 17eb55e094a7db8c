/**
 * What a driver does about one `struct hmm_range`, state by state: the loop of the kernel's documentation. With interval
 * notifiers (v5.5 on) it reads a sequence and compares it under the driver lock; with `hmm_mirror` (v5.2 to v5.5) it waits
 * for a `valid` flag and asks for it again.
 */
import type { Page, Pages } from '../memory/address.ts'
import { frameOf } from '../memory/entry.ts'
import type { Fact } from '../memory/facts.ts'
import { headOf, isLocked } from '../memory/frames.ts'
import type { Memory, MmName } from '../memory/memory.ts'
import type { Table } from '../memory/table.ts'
import { HMM_PFN_WRITE, type HmmRange } from '../walker/hmm.ts'
import type { Kernel, Work } from './advance.ts'
import { isAccess, perform, translate, type DeviceAccess, type DeviceStatement, type InFlight } from './device-access.ts'
import { isOops, whereOf, type Failure } from './failure.ts'
import { dmaOf, FOLIO_LOCK, hmmOf, mmapLockOf, registryOf, timeoutOf } from './names.ts'
import type { Profile } from './profiles.ts'
import { call, type ActorName, type AnyEvent, type Call, type Calls, type Does, type Offer } from './offer.ts'
import { ran, REST, work } from './thread.ts'

/** A statement of a range's program: fault these pages in, and map what is found on the device. */
export interface DeviceFault extends HmmRange {
  /** What is asked of single pages, by page number: VALID to have it, WRITE to write it. */
  readonly requests: Table
  /** How often the range may be begun before the driver gives up; null: for ever. */
  readonly attempts: number | null
  /** The driver gives up with EBUSY when its time is over (machines/timeout.ts). */
  readonly timeout?: true
  /** Nothing is faulted in: only what is there is found. */
  readonly snapshot?: boolean
  /** What is found is mapped for DMA, too: by `hmm_range_dma_map()` or `hmm_dma_map_pfn()`. */
  readonly dma?: Exclude<Profile['mapsDma'], 'no'>
}

/** Pages that invalidations have cleared in the array of a range. */
export type Cleared = readonly { readonly start: number; readonly end: number }[]

export interface RangeContext extends Work {
  /** The range itself: the name it is registered by. */
  readonly name: ActorName
  readonly mm: MmName
  readonly device: ActorName
  readonly program: readonly DeviceStatement[]
  /** `notifier_seq`: what `mmu_interval_read_begin()` returned. */
  readonly seq: number
  /** Times it has begun. */
  readonly begun: number
  /** `hmm_dma_map_alloc()` has succeeded, once for all. */
  readonly hasDmaMap?: boolean
  /** What the device has translated and not performed yet; there once it has accessed something. */
  readonly inFlight?: InFlight | null
  /** A driver that takes its pages part by part: the part that it is at. */
  readonly window?: Pages | null
}

/** How a fault ended: an error, or what `hmm_range_fault()` answered, and its array. */
export interface RangeEnded {
  readonly type: 'ended'
  readonly ret: number
  readonly err: Failure | null
  readonly array: Table
}

export type RangeEvent =
  | { readonly type: 'fault' }
  /** An access has found where to go, or has been made: that of these pages, and what is left of it. */
  | { readonly type: 'translated'; readonly word: number }
  | { readonly type: 'accessed'; readonly values: readonly number[]; readonly left: DeviceAccess | null }
  | { readonly type: 'begun'; readonly seq: number; readonly busy: boolean }
  /** The time that the driver gives it is over. */
  | { readonly type: 'timed_out' }
  | ({ readonly type: 'ran' } & Work)
  | ({ readonly type: 'walked' } & Work)
  | ({ readonly type: 'dma_unmapped' } & Work)
  | ({ readonly type: 'dma_mapped' } & Work)
  /** What `hmm_dma_map_alloc()` said. */
  | { readonly type: 'allocated'; readonly fail: Failure | null }
  /** The process has ended. */
  | { readonly type: 'mm_gone' }
  /** The kernel died, in this function. */
  | { readonly type: 'oops'; readonly where: string }
  | { readonly type: 'checked'; readonly stale: boolean }
  /** What `hmm_vma_range_done()` said, and what of the array was cleared. */
  | { readonly type: 'range_done'; readonly valid: boolean; readonly cleared: Cleared }
  /** A call was taken that leads on to the next state. */
  | { readonly type: 'done'; readonly reply?: unknown }
  | RangeEnded

type RangeDoes = Does<Memory, Fact, RangeContext>

const one =
  (
    what: string,
    calls: (c: RangeContext) => Calls,
    event: (replies: readonly unknown[]) => AnyEvent = () => ({ type: 'done' }),
  ): RangeDoes =>
  (_, context) => [{ do: what, calls: calls(context), facts: [], event }]

/** What is to be faulted in; states other than idle have it. An access wants all that is left of it. */
function running({ program, window = null }: RangeContext): DeviceFault {
  const statement = program[0] as DeviceStatement
  return { ...statement, ...(isAccess(statement) ? { start: statement.at } : {}), ...window }
}

/** Takes up the next statement. An access that is translated needs no fault. */
const idle: RangeDoes = (_, { device, program: [statement] }) => {
  if (statement === undefined) return []
  if (isAccess(statement)) return [translate(device, statement)]
  return [
    { do: 'device_fault', calls: clock(device, statement, 'start'), facts: [], event: () => ({ type: 'fault' }) } satisfies Offer<Fact>,
  ]
}

/** A call to the driver's clock, if it has one. */
const clock = (device: ActorName, { timeout }: DeviceFault, type: 'start' | 'stop' | 'time_after'): Calls =>
  timeout === true ? [call(timeoutOf(device), type)] : []

const bounds = (c: RangeContext): { readonly start: Page; readonly end: Page } => ({ start: running(c).start, end: running(c).end })

/** `set_page_dirty_lock()` of what is to be written: waits for those who hold the locks of these folios. */
const folioLocks = ({ frames }: Memory, c: RangeContext): Calls =>
  [...c.array.runs()].flatMap(([first, count]) =>
    Array.from({ length: count }, (_, i) => c.array.get(first + i)).flatMap(word => {
      const folio = headOf(frames, frameOf(word))
      return (word & HMM_PFN_WRITE) !== 0 && isLocked(frames, folio) ? [call(FOLIO_LOCK, 'folio_unlock', { folio })] : []
    }),
  )

/** What both drivers do alike. */
const common = (
  kernel: Kernel,
): Readonly<
  Record<
    | 'idle'
    | 'perform'
    | 'mmap_read_lock'
    | 'hmm_range_fault'
    | 'hmm_range_dma_unmap'
    | 'mmap_read_unlock'
    | 'driver_lock'
    | 'commit'
    | 'driver_unlock'
    | 'end',
    RangeDoes
  >
> => ({
  idle,
  perform,
  // `mmget_not_zero()`: of a process that has ended there is nothing to be had; who does not ask walks tables that are being freed.
  mmap_read_lock: one(
    'mmap_read_lock',
    c => [call(mmapLockOf(c.mm), 'mmap_read_lock')],
    ([gone]): RangeEvent => {
      if (gone !== 'gone') return { type: 'done' }
      return kernel.profile.bugs.includes('rangeOutlivesMm') ? { type: 'oops', where: 'hmm_range_fault' } : { type: 'mm_gone' }
    },
  ),
  hmm_range_fault: (memory, c, budget) =>
    work(kernel, memory, c, budget, after => {
      if (after.agenda.length > 0) return ran(after)
      return isOops(after.fail) ? { type: 'oops', where: whereOf(after.fail) } : { ...ran(after), type: 'walked' }
    }),
  hmm_range_dma_unmap: (memory, c, budget) =>
    work(kernel, memory, c, budget, after => (after.agenda.length > 0 ? ran(after) : { ...ran(after), type: 'dma_unmapped' })),
  mmap_read_unlock: one('mmap_read_unlock', c => [call(mmapLockOf(c.mm), 'mmap_unlock')]),
  driver_lock: one('driver_lock', c => [call(c.device, 'lock')]),
  commit: (memory, c, budget) =>
    one('commit', () => [
      ...(kernel.profile.bugs.includes('dirtiesUnderLock') ? folioLocks(memory, c) : []),
      call(c.device, 'commit', { ...bounds(c), pfns: c.array }),
    ])(memory, c, budget),
  driver_unlock: one('driver_unlock', c => [call(c.device, 'unlock')]),
  end: (_, c) => [
    {
      do: 'return',
      calls: clock(c.device, running(c), 'stop'),
      facts: [],
      event: () => ({ type: 'ended', ret: c.ret, err: c.fail, array: c.array }) satisfies RangeEnded,
    },
  ],
})

/** The rules that the states of `machines/range.ts` name. */
export const rangeDoes = (kernel: Kernel) =>
  ({
    ...common(kernel),
    hmm_dma_map_alloc: one(
      'hmm_dma_map_alloc',
      c => [call(c.device, 'hmm_dma_map_alloc')],
      ([fail]) => ({ type: 'allocated', fail }) as RangeEvent,
    ),
    hmm_dma_map: (memory, c, budget) =>
      work(kernel, memory, c, budget, after => (after.agenda.length > 0 ? ran(after) : { ...ran(after), type: 'dma_mapped' })),
    read_begin: one(
      'mmu_interval_read_begin',
      c => [
        call(c.device, 'read_begin', bounds(c)),
        call(registryOf(c.mm), 'mmu_interval_read_begin'),
        ...clock(c.device, running(c), 'time_after'),
      ],
      ([seq, current, late]) => (late === true ? { type: 'timed_out' } : { type: 'begun', seq, busy: seq === current }) as RangeEvent,
    ),
    wait_event: one('wait_event', c => [call(registryOf(c.mm), 'wait_event', { seq: c.seq })]),
    read_retry: one(
      'mmu_interval_read_retry',
      c => (kernel.profile.bugs.includes('commitsUnchecked') ? [] : [call(c.device, 'read_retry', { seq: c.seq })]),
      ([stale]) => ({ type: 'checked', stale: stale === true }) as RangeEvent,
    ),
  }) satisfies Readonly<Record<string, RangeDoes>>

/** The rules that the states of `machines/mirror-range.ts` name. */
export const mirrorRangeDoes = (kernel: Kernel): Readonly<Record<string, RangeDoes>> => ({
  ...common(kernel),
  hmm_range_register: one('hmm_range_register', c => [call(hmmOf(c.mm), 'hmm_range_register', { who: c.name, ...bounds(c) })]),
  hmm_range_wait_until_valid: one('hmm_range_wait_until_valid', c => [call(hmmOf(c.mm), 'hmm_range_wait_until_valid', { who: c.name })]),
  hmm_range_valid: one(
    'hmm_range_valid',
    c => [call(hmmOf(c.mm), 'needs_retry', { who: c.name })],
    ([stale]) => ({ type: 'checked', stale }) as RangeEvent,
  ),
  hmm_range_unregister: one('hmm_range_unregister', c => [call(hmmOf(c.mm), 'hmm_range_unregister', { who: c.name })]),
})

/** The rules that the states of `machines/vma-range.ts` name. */
export const vmaRangeDoes = (kernel: Kernel): Readonly<Record<string, RangeDoes>> => ({
  ...common(kernel),
  hmm_vma_range_done: one(
    'hmm_vma_range_done',
    c => [call(hmmOf(c.mm), 'hmm_vma_range_done', { who: c.name })],
    ([reply]) => ({ type: 'range_done', ...(reply as object) }),
  ),
})

/** The pages that are wanted now, if any are. */
export const wantedOf = (c: RangeContext): (Pages & { readonly write: boolean }) | undefined =>
  c.program.length === 0 ? undefined : { ...bounds(c), write: (running(c).defaultFlags & HMM_PFN_WRITE) !== 0 }

/** The array without what invalidations have cleared in it. */
export const invalidatedPfns = (array: Table, cleared: Cleared): Table =>
  cleared.reduce((after, { start, end }) => after.setRange(start, end - start, 0, 0), array)

/** The agenda of a walk within one area; its array is empty. */
export const vmaFault = (c: RangeContext): Work => {
  const { start, end, snapshot, defaultFlags } = running(c)
  const fault = snapshot === true ? null : (defaultFlags & HMM_PFN_WRITE) === 0 ? 'read' : 'write'
  return { ...REST, agenda: [{ do: 'hmm_vma_range', mm: c.mm, range: { start, end, fault }, who: c.name }] }
}

/** The agenda of the walk, and the call by which it asks whether the range was invalidated. */
export const rangeFault = (c: RangeContext, stale: Call): Work => ({
  agenda: [
    ...(mapsDmaByPage(c) ? [{ do: 'hmm_dma_pfn_list', device: c.device } as const] : []),
    { do: 'hmm_range_fault', mm: c.mm, range: rangeOf(running(c)), last: running(c).start, stale },
    ...(mapsDma(c)
      ? [{ do: 'hmm_range_dma_map', dma: dmaOf(c.device), ...bounds(c), at: running(c).start, mapped: 0, stale } as const]
      : []),
  ],
  array: running(c).requests,
  fail: null,
  ret: 0,
  out: {},
})

/** Does the statement that runs map for DMA in one call? */
export const mapsDma = (c: RangeContext): boolean => running(c).dma === 'by range'
/** Does it so page by page, when it has found that its range is valid? */
export const mapsDmaByPage = (c: RangeContext): boolean => running(c).dma === 'page by page'

/** What was found, page by page to be mapped for DMA. */
export const dmaMap = (c: RangeContext): Pick<Work, 'agenda'> => ({
  agenda: [{ do: 'hmm_dma_map_pfn', device: c.device, at: running(c).start, end: running(c).end, mapped: 0 }],
})

/** A driver whose range was invalidated behind `hmm_range_dma_map()` unmaps what that has mapped. */
export const dmaUnmap = (c: RangeContext): Pick<Work, 'agenda'> => ({
  agenda: [{ do: 'hmm_range_dma_unmap', dma: dmaOf(c.device), at: running(c).start, end: running(c).end }],
})

const rangeOf = ({ start, end, defaultFlags, pfnFlagsMask, snapshot, block, owned }: DeviceFault): HmmRange => ({
  start,
  end,
  defaultFlags,
  pfnFlagsMask,
  ...(snapshot === true ? { snapshot } : {}),
  ...(block === undefined ? {} : { block }),
  owned,
})
