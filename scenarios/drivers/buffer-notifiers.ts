/**
 * Pattern: buffers in user memory as amdgpu has them. Each buffer has an interval notifier and a sequence of its own; a job that needs
 * several takes them one after the other, and then asks, under the one lock that all callbacks take, whether each still counts.
 *
 * Mistake (`asks-of-the-last`): it asks of the buffer alone that it has taken last. One that was taken before it, and invalidated
 * since, is used all the same.
 *
 * Explored to the end: 355 states; `asks-of-the-last` found after 36 steps, of 348 states.
 */
import { assign, setup } from 'xstate'
import { noStaleDeviceAccess, noStaleDeviceMapping, scenario, slice, until } from 'mirrorwalk'
import {
  begun,
  call,
  defineDevice,
  deviceContext,
  dropped,
  flushed,
  handlerContext,
  handlerSetup,
  hardware,
  isQuiet,
  mapped,
  performed,
  rangeFault,
  REST,
  reply,
  wantedOf,
  type DeviceContext,
  type DeviceEvent,
  type DeviceInput,
} from 'mirrorwalk/driver'

/** A buffer: the sequence of its notifier, and that which was read when its pages were taken last. */
interface Buffer {
  readonly start: number
  readonly end: number
  readonly invalidate_seq: number
  readonly seq: number
}
type Context = DeviceContext & { readonly buffers: readonly Buffer[] }
/** Calls that say which buffer is meant. */
type Event =
  | Exclude<DeviceEvent, { type: 'invalidate' | 'read_begin' | 'check_retry' }>
  | (Extract<DeviceEvent, { type: 'invalidate' }> & { readonly sub: number })
  | { readonly type: 'read_begin' | 'check_retry'; readonly start: number }

const bufferOf = ({ buffers }: Context, event: Event): Buffer | undefined =>
  'start' in event ? buffers.find(({ start, end }) => start <= event.start && event.start < end) : undefined
const isStale = (buffer: Buffer | undefined): boolean => buffer?.invalidate_seq !== buffer?.seq

const device = (asks: (buffers: readonly Buffer[]) => readonly Buffer[]) =>
  setup({
    types: {
      context: {} as Context,
      events: {} as Event,
      input: {} as DeviceInput & { readonly buffers: readonly Pick<Buffer, 'start' | 'end'>[] },
    },
    actions: {
      reply,
      begin: assign(({ context, event }) => begun(context, event)),
      end: assign(({ context, event }) => performed(context, event)),
      drop: assign(({ context, event }) => dropped(context, event)),
      flushTlb: assign(({ context, event }) => flushed(context, event)),
      map: assign(({ context, event }) => (event.type === 'commit' ? mapped(context, event) : {})),
      mmu_interval_set_seq: assign(({ context: { buffers }, event: e }) =>
        e.type === 'invalidate'
          ? { buffers: buffers.map((buffer, i) => (i === e.sub ? { ...buffer, invalidate_seq: e.seq } : buffer)) }
          : {},
      ),
      remember: assign(({ context, event: e }) =>
        e.type === 'read_begin'
          ? { buffers: context.buffers.map(b => (b === bufferOf(context, e) ? { ...b, seq: b.invalidate_seq } : b)) }
          : {},
      ),
    },
    guards: {
      quiet: ({ context, event }) => isQuiet(context, event),
      mayNotBlock: ({ event }) => event.type === 'invalidate' && !event.blockable,
    },
  }).createMachine({
    context: ({ input }) => ({ ...deviceContext(input), buffers: input.buffers.map(b => ({ ...b, invalidate_seq: 1, seq: 1 })) }),
    initial: 'unlocked',
    on: {
      ...hardware,
      read_begin: {
        actions: [
          'remember',
          {
            type: 'reply',
            params: ({ context, event }) => ({ value: bufferOf(context, event)?.invalidate_seq ?? 0 }),
          },
        ],
      },
      check_retry: { actions: { type: 'reply', params: ({ context, event }) => ({ value: [bufferOf(context, event)].some(isStale) }) } },
      read_retry: { actions: { type: 'reply', params: ({ context }) => ({ value: asks(context.buffers).some(isStale) }) } },
    },
    states: {
      unlocked: {
        on: {
          lock: 'locked',
          invalidate: [
            { guard: 'quiet', actions: ['mmu_interval_set_seq', 'drop', 'flushTlb', { type: 'reply', params: { value: true } }] },
            { guard: 'mayNotBlock', actions: { type: 'reply', params: { value: false } } },
          ],
        },
      },
      locked: {
        on: {
          unlock: 'unlocked',
          commit: { actions: 'map' },
          invalidate: { guard: 'mayNotBlock', actions: { type: 'reply', params: { value: false } } },
        },
      },
    },
  })

/** A job's pages, buffer by buffer; a buffer is a page here. */
const jobs = handlerSetup.extend({
  actions: {
    firstBuffer: assign(({ context }) => {
      const all = wantedOf({ ...context, window: null })
      return all === undefined ? {} : { window: slice(all, 0), array: REST.array }
    }),
    nextBuffer: assign(({ context: { window } }) => (window ? { window: slice(window, 1) } : {})),
    allBuffers: assign({ window: null }),
    // What was found of the buffers before stays where it is.
    walkOn: assign(({ context: c }) => ({
      ...rangeFault(c, call(c.device, 'check_retry', { seq: c.seq, start: c.window?.start })),
      array: c.array,
    })),
  },
  guards: { moreBuffers: ({ context: { window, program } }) => (window?.end ?? Infinity) < (program[0]?.end ?? 0) },
})

const handler = jobs.createMachine({
  context: ({ input }) => handlerContext(input),
  initial: 'idle',
  states: {
    idle: {
      meta: { does: 'idle' },
      on: { translated: { target: 'perform', actions: 'translated' }, fault: { target: 'read_begin', actions: 'firstBuffer' } },
    },
    perform: { meta: { does: 'perform' }, on: { accessed: { target: 'idle', actions: 'accessed' } } },
    read_begin: {
      meta: { does: 'read_begin' },
      on: {
        begun: [
          { guard: 'busy', target: 'wait_event', actions: 'begin' },
          { target: 'mmap_read_lock', actions: 'begin' },
        ],
      },
    },
    wait_event: { meta: { does: 'wait_event' }, on: { done: 'mmap_read_lock' } },
    mmap_read_lock: { meta: { does: 'mmap_read_lock' }, on: { done: { target: 'hmm_range_fault', actions: 'walkOn' } } },
    hmm_range_fault: {
      meta: { does: 'hmm_range_fault' },
      on: { ran: { actions: 'goOn' }, walked: { target: 'mmap_read_unlock', actions: 'goOn' } },
    },
    mmap_read_unlock: {
      meta: { does: 'mmap_read_unlock' },
      on: {
        done: [
          { guard: 'again', target: 'read_begin' },
          { guard: 'failed', target: 'failed', actions: 'allBuffers' },
          { guard: 'moreBuffers', target: 'read_begin', actions: 'nextBuffer' },
          { target: 'lock', actions: 'allBuffers' },
        ],
      },
    },
    lock: { meta: { does: 'driver_lock' }, on: { done: 'read_retry' } },
    read_retry: { meta: { does: 'read_retry' }, on: { checked: [{ guard: 'stale', target: 'retry' }, { target: 'commit' }] } },
    retry: { meta: { does: 'driver_unlock' }, on: { done: { target: 'read_begin', actions: 'firstBuffer' } } },
    commit: { meta: { does: 'commit' }, on: { done: 'unlock' } },
    unlock: {
      meta: { does: 'driver_unlock' },
      on: { done: [{ guard: 'accesses', target: 'idle', actions: 'again' }, { target: 'finished' }] },
    },
    finished: { meta: { does: 'end' }, on: { ended: { target: 'idle', actions: 'finish' } } },
    failed: { meta: { does: 'end' }, on: { ended: { target: 'idle', actions: 'finish' } } },
  },
})

const right = defineDevice('buffer-notifiers', { device: device(buffers => buffers), handler })
const wrong = defineDevice('buffer-notifiers-asks-of-the-last', { device: device(buffers => buffers.slice(-1)), handler })

export default scenario(
  'a notifier for each buffer, and a job that needs two',
  ({ linux, expect, variant }) => {
    const m = linux()
    const cpu = m.thread()
    const buf = cpu.mmap({ pages: 2 })
    const gpu = m.device('gpu0', { driver: variant === '' ? right : wrong, buffers: [slice(buf, 0), slice(buf, 1)] })
    cpu.write(buf, 42)
    const job = gpu.write(buf, 7)
    const discard = cpu.madvise(slice(buf, 0), 'dontneed')
    m.race(job, discard).order(until(job, 'lock'), discard, job)
    expect.always('no stale device mapping', noStaleDeviceMapping)
    expect.always('no stale device access', noStaleDeviceAccess)
  },
  { variants: ['', 'asks-of-the-last'] },
)
