/**
 * Pattern: user pointers as drivers of GPUs have them (amdgpu, i915). A job's pages are taken before it is submitted, and its fence is
 * signalled when it is done. The callback takes the lock, and waits with it held until every fence is signalled: only then may the
 * pages go. A callback that may not block is declined instead.
 *
 * Mistakes: `does-not-wait`: the callback returns while a job writes. `job-faults`: a job is submitted without its pages, and faults
 * them in as it runs; the fault waits for mmap_lock, or for the invalidation to be over, and that waits for the job's fence.
 *
 * Explored to the end: 241 states; `does-not-wait` found after 29 steps, of 291 states; `job-faults` found after 23 steps, of 220
 * states.
 */
import { assign, setup } from 'xstate'
import { noStaleDeviceAccess, noStaleDeviceMapping, scenario, until } from 'mirrorwalk'
import {
  begun,
  defineDevice,
  deviceContext,
  dropped,
  flushed,
  handlerContext,
  handlerSetup,
  hardware,
  isStale,
  mapped,
  performed,
  reply,
  type DeviceContext,
  type DeviceEvent,
  type DeviceInput,
} from 'mirrorwalk/driver'

type Context = DeviceContext & { readonly fences: number }
type Event =
  | DeviceEvent
  | { readonly type: 'fence_add' | 'fence_signal' }
  | { readonly type: 'invalidate_wait'; readonly start: number; readonly end: number }

const device = (waits: boolean) =>
  setup({
    types: { context: {} as Context, events: {} as Event, input: {} as DeviceInput },
    actions: {
      reply,
      begin: assign(({ context, event }) => begun(context, event)),
      end: assign(({ context, event }) => performed(context, event)),
      drop: assign(({ context, event }) => dropped(context, event)),
      flushTlb: assign(({ context, event }) => flushed(context, event)),
      map: assign(({ context, event }) => (event.type === 'commit' ? mapped(context, event) : {})),
      mmu_interval_set_seq: assign(({ event }) => (event.type === 'invalidate' ? { invalidate_seq: event.seq } : {})),
      add: assign(({ context }) => ({ fences: context.fences + 1 })),
      signal: assign(({ context }) => ({ fences: context.fences - 1 })),
    },
    guards: {
      signalled: ({ context }) => context.fences === 0 || !waits,
      mayNotBlock: ({ event }) => event.type === 'invalidate' && !event.blockable,
    },
  }).createMachine({
    context: ({ input }) => ({ ...deviceContext(input), fences: 0 }),
    initial: 'unlocked',
    on: {
      ...hardware,
      fence_signal: { actions: 'signal' },
      read_begin: { actions: { type: 'reply', params: ({ context }) => ({ value: context.invalidate_seq }) } },
      check_retry: { actions: { type: 'reply', params: ({ context, event }) => ({ value: isStale(context, event) }) } },
      read_retry: { actions: { type: 'reply', params: ({ context, event }) => ({ value: isStale(context, event) }) } },
    },
    states: {
      unlocked: {
        on: {
          lock: 'locked',
          invalidate: [
            { guard: 'signalled', actions: ['mmu_interval_set_seq', 'drop', 'flushTlb', { type: 'reply', params: { value: true } }] },
            { guard: 'mayNotBlock', actions: { type: 'reply', params: { value: false } } },
            { target: 'waiting', actions: ['mmu_interval_set_seq', { type: 'reply', params: { value: 'waits' } }] },
          ],
        },
      },
      locked: {
        on: {
          unlock: 'unlocked',
          commit: { actions: 'map' },
          fence_add: { actions: 'add' },
          invalidate: { guard: 'mayNotBlock', actions: { type: 'reply', params: { value: false } } },
        },
      },
      // The callback has the lock, and gives the pages up when the last fence is signalled.
      waiting: {
        on: {
          invalidate_wait: { guard: 'signalled', target: 'unlocked', actions: ['drop', 'flushTlb'] },
          invalidate: { guard: 'mayNotBlock', actions: { type: 'reply', params: { value: false } } },
        },
      },
    },
  })

/** A job is at its end, and is done once its fence is signalled. */
const jobs = handlerSetup.extend({
  actions: { performed: assign({ inFlight: null }) },
  guards: { more: ({ event }) => event.type === 'accessed' && event.left !== null },
})

const handler = (takesPagesFirst: boolean) =>
  jobs.createMachine({
    context: ({ input }) => handlerContext(input),
    initial: 'idle',
    states: {
      idle: { meta: { does: 'submit' }, on: { fault: takesPagesFirst ? 'read_begin' : 'lock_alone' } },
      // Without its pages.
      lock_alone: { meta: { does: 'driver_lock' }, on: { done: 'submit_alone' } },
      submit_alone: { meta: { does: 'call fence_add' }, on: { done: 'unlock' } },

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
      mmap_read_lock: { meta: { does: 'mmap_read_lock' }, on: { done: { target: 'hmm_range_fault', actions: 'walk' } } },
      hmm_range_fault: {
        meta: { does: 'hmm_range_fault' },
        on: { ran: { actions: 'goOn' }, walked: { target: 'mmap_read_unlock', actions: 'goOn' } },
      },
      mmap_read_unlock: {
        meta: { does: 'mmap_read_unlock' },
        on: {
          done: [
            { guard: 'again', target: 'read_begin' },
            { guard: 'failed', target: takesPagesFirst ? 'finished' : 'fence_signal' },
            { target: 'lock' },
          ],
        },
      },
      lock: { meta: { does: 'driver_lock' }, on: { done: 'read_retry' } },
      read_retry: { meta: { does: 'read_retry' }, on: { checked: [{ guard: 'stale', target: 'retry' }, { target: 'commit' }] } },
      retry: { meta: { does: 'driver_unlock' }, on: { done: 'read_begin' } },
      commit: { meta: { does: 'commit' }, on: { done: takesPagesFirst ? 'submit' : 'unlock' } },
      submit: { meta: { does: 'call fence_add' }, on: { done: 'unlock' } },
      unlock: { meta: { does: 'driver_unlock' }, on: { done: 'translate' } },

      translate: { meta: { does: 'translate' }, on: { translated: { target: 'perform', actions: 'translated' }, fault: 'read_begin' } },
      perform: {
        meta: { does: 'perform' },
        on: {
          accessed: [
            { guard: 'more', target: 'translate', actions: 'accessed' },
            { target: 'fence_signal', actions: 'performed' },
          ],
        },
      },
      fence_signal: { meta: { does: 'call fence_signal' }, on: { done: 'finished' } },
      finished: { meta: { does: 'end' }, on: { ended: { target: 'idle', actions: 'finish' } } },
    },
  })

const drivers = new Map([
  ['', defineDevice('fence-wait', { device: device(true), handler: handler(true) })],
  ['does-not-wait', defineDevice('fence-wait-does-not-wait', { device: device(false), handler: handler(true) })],
  ['job-faults', defineDevice('fence-wait-job-faults', { device: device(true), handler: handler(false) })],
])

export default scenario(
  'a callback that waits for the fences of jobs',
  ({ linux, expect, variant }) => {
    const m = linux()
    const cpu = m.thread()
    const buf = cpu.mmap({ pages: 1 })
    const driver = drivers.get(variant)
    const gpu = m.device('gpu0', driver === undefined ? {} : { driver })
    cpu.write(buf, 42)
    const job = gpu.write(buf, 7)
    const unmap = cpu.munmap(buf)
    m.race(job, unmap).order(until(job, 'perform'), unmap, job)
    expect.always('no stale device mapping', noStaleDeviceMapping)
    expect.always('no stale device access', noStaleDeviceAccess)
  },
  { variants: [...drivers.keys()] },
)
