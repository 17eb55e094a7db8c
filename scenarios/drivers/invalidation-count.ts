/**
 * Pattern: virtualisation, as KVM has it. A plain notifier tells when an invalidation begins and when it is over. In between a count
 * of those in progress is above zero, with the range that all of them together cover; each that ends moves a sequence on. A virtual
 * CPU that faults reads the sequence, takes the page, and under the lock begins again if the sequence has moved, or if what is in
 * progress covers its page; it asks so before it takes the page, too, and the lock not at all then. (KVM takes the page by
 * `get_user_pages()`; here it is the same walk as a driver's, and nobody asks meanwhile.)
 *
 * Mistakes: `covers-the-last-alone`: an invalidation that begins while another is in progress puts its own range in place of both. A
 * page of the first is mapped, while the first is about to take it away. `asks-under-the-lock-alone`, as KVM did for long: a virtual
 * CPU that begins again and again has the lock whenever the invalidation wants it to end.
 *
 * Explored to the end: 2,687 states; `covers-the-last-alone` found after 38 steps, of 2,990 states; `asks-under-the-lock-alone` found
 * after 55 steps, of 2,726 states.
 */
import { assign, setup } from 'xstate'
import { noStaleDeviceAccess, noStaleDeviceMapping, scenario, slice } from 'mirrorwalk'
import {
  begun,
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
  reply,
  type DeviceContext,
  type DeviceEvent,
  type DeviceInput,
  type Driver,
} from 'mirrorwalk/driver'

/** `mmu_invalidate_seq`, `mmu_invalidate_in_progress`, `mmu_invalidate_range_start` and `_end` */
interface Invalidation {
  readonly seq: number
  readonly in_progress: number
  readonly start: number
  readonly end: number
}
type Context = DeviceContext & { readonly mmu_invalidate: Invalidation }
type Event =
  | DeviceEvent
  | { readonly type: 'invalidate_range_start' | 'invalidate_range_end'; readonly start: number; readonly end: number }
  | { readonly type: 'mmu_invalidate_seq' }
  | { readonly type: 'mmu_invalidate_retry'; readonly seq: number; readonly start: number; readonly end: number }

const mustRetry = ({ mmu_invalidate: now }: Context, event: Event): boolean =>
  event.type === 'mmu_invalidate_retry' &&
  (event.seq !== now.seq || (now.in_progress > 0 && event.start < now.end && now.start < event.end))

const device = (widens: boolean) =>
  setup({
    types: { context: {} as Context, events: {} as Event, input: {} as DeviceInput },
    actions: {
      reply,
      begin: assign(({ context, event }) => begun(context, event)),
      end: assign(({ context, event }) => performed(context, event)),
      drop: assign(({ context, event }) => dropped(context, event)),
      flushTlb: assign(({ context, event }) => flushed(context, event)),
      map: assign(({ context, event }) => (event.type === 'commit' ? mapped(context, event) : {})),
      mmu_invalidate_begin: assign(({ context: { mmu_invalidate: now }, event }) => {
        if (!('start' in event)) return {}
        const alone = now.in_progress === 0 || !widens
        const start = alone ? event.start : Math.min(now.start, event.start)
        const end = alone ? event.end : Math.max(now.end, event.end)
        return { mmu_invalidate: { seq: now.seq, in_progress: now.in_progress + 1, start, end } }
      }),
      mmu_invalidate_end: assign(({ context: { mmu_invalidate: now } }) => ({
        mmu_invalidate: { ...now, seq: now.seq + 1, in_progress: now.in_progress - 1 },
      })),
    },
    guards: { quiet: ({ context, event }) => isQuiet(context, event) },
  }).createMachine({
    context: ({ input }) => ({ ...deviceContext(input), mmu_invalidate: { seq: 0, in_progress: 0, start: 0, end: 0 } }),
    initial: 'unlocked',
    on: {
      ...hardware,
      mmu_invalidate_seq: { actions: { type: 'reply', params: ({ context }) => ({ value: context.mmu_invalidate.seq }) } },
      mmu_invalidate_retry: { actions: { type: 'reply', params: ({ context, event }) => ({ value: mustRetry(context, event) }) } },
      check_retry: { actions: { type: 'reply', params: { value: false } } },
    },
    states: {
      // Beginning and ending take the lock; beginning also has every virtual CPU forget what it has looked up.
      unlocked: {
        on: {
          lock: 'locked',
          invalidate_range_start: { guard: 'quiet', actions: ['mmu_invalidate_begin', 'drop', 'flushTlb'] },
          invalidate_range_end: { actions: 'mmu_invalidate_end' },
        },
      },
      locked: {
        on: {
          unlock: 'unlocked',
          commit: { actions: 'map' },
        },
      },
    },
  })

const vcpu = handlerSetup.extend({
  actions: { remember: assign(({ event }) => (event.type === 'done' && typeof event.reply === 'number' ? { seq: event.reply } : {})) },
  guards: { retry: ({ event }) => event.type === 'done' && event.reply === true },
})
const handler = (asksFirst: boolean) =>
  vcpu.createMachine({
    context: ({ input }) => handlerContext(input),
    initial: 'guest',
    states: {
      guest: { meta: { does: 'idle' }, on: { translated: { target: 'perform', actions: 'translated' }, fault: 'mmu_invalidate_seq' } },
      perform: { meta: { does: 'perform' }, on: { accessed: { target: 'guest', actions: 'accessed' } } },
      mmu_invalidate_seq: {
        meta: { does: 'call mmu_invalidate_seq' },
        on: { done: { target: asksFirst ? 'retry_before_fault' : 'mmap_read_lock', actions: 'remember' } },
      },
      retry_before_fault: {
        meta: { does: 'call mmu_invalidate_retry' },
        on: { done: [{ guard: 'retry', target: 'guest' }, { target: 'mmap_read_lock' }] },
      },
      mmap_read_lock: { meta: { does: 'mmap_read_lock' }, on: { done: { target: 'faultin_pfn', actions: 'walk' } } },
      faultin_pfn: {
        meta: { does: 'hmm_range_fault' },
        on: { ran: { actions: 'goOn' }, walked: { target: 'mmap_read_unlock', actions: 'goOn' } },
      },
      mmap_read_unlock: {
        meta: { does: 'mmap_read_unlock' },
        on: { done: [{ guard: 'failed', target: 'failed' }, { target: 'mmu_lock' }] },
      },
      mmu_lock: { meta: { does: 'driver_lock' }, on: { done: 'mmu_invalidate_retry' } },
      mmu_invalidate_retry: {
        meta: { does: 'call mmu_invalidate_retry' },
        on: { done: [{ guard: 'retry', target: 'retry' }, { target: 'map' }] },
      },
      retry: { meta: { does: 'driver_unlock' }, on: { done: { target: 'guest', actions: 'again' } } },
      map: { meta: { does: 'commit' }, on: { done: 'mmu_unlock' } },
      mmu_unlock: { meta: { does: 'driver_unlock' }, on: { done: { target: 'guest', actions: 'again' } } },
      failed: { meta: { does: 'end' }, on: { ended: { target: 'guest', actions: 'finish' } } },
    },
  })

const of = (name: string, widens: boolean, asksFirst: boolean): Driver =>
  defineDevice(name, { device: device(widens), handler: handler(asksFirst), hears: 'mmu_notifier' })
const drivers = new Map([
  ['', of('invalidation-count', true, true)],
  ['covers-the-last-alone', of('invalidation-count-covers-the-last-alone', false, true)],
  ['asks-under-the-lock-alone', of('invalidation-count-asks-under-the-lock-alone', true, false)],
])

export default scenario(
  'a count of invalidations in progress, and the range that they cover',
  ({ linux, expect, variant }) => {
    const m = linux()
    const [cpu, other] = [m.thread(), m.thread()]
    const buf = cpu.mmap({ pages: 2 })
    const driver = drivers.get(variant)
    const guest = m.device('vcpu0', driver === undefined ? {} : { driver })
    cpu.write(buf, 42)
    m.race(guest.read(slice(buf, 0)), cpu.madvise(slice(buf, 0), 'dontneed'), other.madvise(slice(buf, 1), 'dontneed'))
    expect.always('no stale device mapping', noStaleDeviceMapping)
    expect.always('no stale device access', noStaleDeviceAccess)
  },
  { variants: [...drivers.keys()] },
)
