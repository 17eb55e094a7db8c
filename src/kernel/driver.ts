/**
 * The words in which a driver is written: what a state of its fault handler may say that it `does`, each an atomic action of a
 * driver in the kernel's own terms; and the calls that kernel and hardware make to its device. `machines/range.ts` and
 * `machines/device.ts` are written in them.
 */
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { Kernel } from './advance.ts'
import { isAccess, translate } from './device-access.ts'
import { workerOf } from './names.ts'
import { call, type Does } from './offer.ts'
import { rangeDoes, wantedOf, type RangeContext, type RangeEvent } from './range.ts'

export interface Word {
  readonly says: string
  /** What the device is called with. */
  readonly calls: readonly string[]
  /** What the handler's machine is told then: one of these, and it has to have a transition for each. */
  readonly tells: readonly string[]
}

export const DRIVER_WORDS = {
  idle: { says: 'takes up the next statement: translates an access, or begins a fault', calls: [], tells: ['fault'] },
  submit: { says: 'takes up the next statement as a job, whose pages are wanted before it begins', calls: [], tells: ['fault'] },
  translate: { says: 'translates the next page of an access', calls: ['translate'], tells: ['translated', 'fault'] },
  perform: { says: 'the access that was translated, wherever its translation leads', calls: ['performed'], tells: ['accessed'] },
  read_begin: { says: 'mmu_interval_read_begin(): reads the sequence', calls: ['read_begin'], tells: ['begun'] },
  wait_event: { says: 'waits until the invalidation in flight is over', calls: [], tells: ['done'] },
  mmap_read_lock: { says: 'takes mmap_lock for reading', calls: [], tells: ['done'] },
  hmm_range_fault: { says: 'walks, and faults in what is missing', calls: ['check_retry'], tells: ['ran', 'walked'] },
  mmap_read_unlock: { says: 'drops mmap_lock', calls: [], tells: ['done'] },
  driver_lock: { says: "takes the driver's lock", calls: ['lock'], tells: ['done'] },
  read_retry: { says: 'mmu_interval_read_retry(): was it invalidated since?', calls: ['read_retry'], tells: ['checked'] },
  commit: { says: 'maps on the device what was found', calls: ['commit'], tells: ['done'] },
  driver_unlock: { says: "drops the driver's lock", calls: ['unlock'], tells: ['done'] },
  // Only for programs that map for DMA; the device is called then with what machines/device.ts takes.
  hmm_dma_map_alloc: { says: 'prepares to map for DMA page by page', calls: [], tells: ['allocated'] },
  hmm_dma_map: { says: 'maps for DMA what was found, page by page', calls: [], tells: ['ran', 'dma_mapped'] },
  hmm_range_dma_unmap: { says: 'unmaps what hmm_range_dma_map() had mapped', calls: [], tells: ['ran', 'dma_unmapped'] },
  end: { says: 'is done with the statement, which answers', calls: [], tells: ['ended'] },
} as const satisfies Readonly<Record<string, Word>>
export type DriverWord = keyof typeof DRIVER_WORDS

/** What the kernel calls a device with, by how its driver hears of invalidations, and what it replies. */
export const KERNEL_CALLS = {
  mmu_interval_notifier: {
    invalidate:
      "{ start, end, event, blockable, seq, sub }; replies true; false if it may not block and would have to; 'waits' if it goes on until it takes 'invalidate_wait'",
  },
  mmu_notifier: {
    invalidate_range_start: '{ start, end, event, blockable }; replies nothing',
    invalidate_range_end: '{ start, end, event }; replies nothing',
  },
} as const

/** What the commands of the HMM test driver call an open file of it with, and what it replies. */
export const TEST_HMM_CALLS = {
  ...KERNEL_CALLS.mmu_interval_notifier,
  opened: '{ mm, device, seq }; replies nothing',
  closed: '{}; replies nothing',
  mutex_lock: '{}; taken when the mutex is free',
  mutex_unlock: '{}; replies nothing',
  read_begin: '{}; replies the sequence',
  check_retry: '{ seq }; replies whether it is another now',
  read_retry: '{ seq }; the same, under the mutex',
  xa_load: '{}; replies the table',
  xa_store: '{ start, end, entries }; replies nothing',
  xa_erase: '{ page }; replies nothing',
} as const

type DriverDoes = Does<Memory, Fact, RangeContext>

/** `call NAME`: a call of the driver's own to its device; `call worker.NAME`: to its worker. Waits until it is taken. */
const OWN_CALL = /^call (worker\.)?(\w+)$/

export interface OwnCall {
  readonly to: 'device' | 'worker'
  readonly type: string
}
export function ownCallOf(word: string): OwnCall | undefined {
  const [, worker, type] = OWN_CALL.exec(word) ?? []
  return type === undefined ? undefined : { to: worker === undefined ? 'device' : 'worker', type }
}
export const isDriverWord = (word: string): word is DriverWord => Object.hasOwn(DRIVER_WORDS, word)

const submit: DriverDoes = (_, { program }) =>
  program.length === 0 ? [] : [{ do: 'submit', calls: [], facts: [], event: () => ({ type: 'fault' }) satisfies RangeEvent }]
const translates: DriverDoes = (_, { device, program: [statement] }) => (isAccess(statement) ? [translate(device, statement)] : [])

/** Whose call it is, what it is about, and the sequence that was read last; the machine is told the reply. */
const asks =
  ({ to, type }: OwnCall): DriverDoes =>
  (_, c) => [
    {
      do: type,
      calls: [call(to === 'worker' ? workerOf(c.device) : c.device, type, { who: c.name, seq: c.seq, ...wantedOf(c) })],
      facts: [],
      event: ([reply]) => ({ type: 'done', reply: reply ?? null }) satisfies RangeEvent,
    },
  ]

/** The rule of a word; undefined if there is no such word. */
export function driverRule(kernel: Kernel, word: string): DriverDoes | undefined {
  const own = ownCallOf(word)
  if (own !== undefined) return asks(own)
  return isDriverWord(word) ? { ...rangeDoes(kernel), submit, translate: translates }[word] : undefined
}
