/**
 * Pattern: shared virtual memory as nouveau and amdgpu have it. One interval notifier covers what the process shares with the device;
 * the fault handler reads its sequence, walks without the driver's lock, and under the lock asks whether it has to begin again. The
 * device is ours.
 *
 * Mistake (`asks-before-it-locks`): it asks first, and then takes the lock. An invalidation that comes in between finds nothing to
 * take away, and what it made void is mapped behind it.
 *
 * Explored to the end: 206 states; `asks-before-it-locks` found after 26 steps, of 225 states.
 */
import { noStaleDeviceAccess, noStaleDeviceMapping, scenario, until } from 'mirrorwalk'
import { defineDevice, handlerContext, handlerSetup } from 'mirrorwalk/driver'

/** Locks, and asks under the lock; or the other way round. */
const handler = (asksFirst: boolean) =>
  handlerSetup.createMachine({
    context: ({ input }) => handlerContext(input),
    initial: 'idle',
    states: {
      idle: { meta: { does: 'idle' }, on: { translated: { target: 'perform', actions: 'translated' }, fault: 'read_begin' } },
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
            { guard: 'failed', target: 'failed' },
            { target: asksFirst ? 'read_retry' : 'lock' },
          ],
        },
      },
      lock: { meta: { does: 'driver_lock' }, on: { done: asksFirst ? 'commit' : 'read_retry' } },
      read_retry: {
        meta: { does: 'read_retry' },
        on: { checked: [{ guard: 'stale', target: asksFirst ? 'read_begin' : 'retry' }, { target: asksFirst ? 'lock' : 'commit' }] },
      },
      retry: { meta: { does: 'driver_unlock' }, on: { done: 'read_begin' } },
      commit: { meta: { does: 'commit' }, on: { done: 'unlock' } },
      unlock: {
        meta: { does: 'driver_unlock' },
        on: { done: [{ guard: 'accesses', target: 'idle', actions: 'again' }, { target: 'finished' }] },
      },
      finished: { meta: { does: 'end' }, on: { ended: { target: 'idle', actions: 'finish' } } },
      failed: { meta: { does: 'end' }, on: { ended: { target: 'idle', actions: 'finish' } } },
    },
  })

const right = defineDevice('process-notifier', { handler: handler(false) })
const wrong = defineDevice('process-notifier-asks-first', { handler: handler(true) })

export default scenario(
  'one notifier for a process, and a fault handler that begins again',
  ({ linux, expect, variant }) => {
    const m = linux()
    const cpu = m.thread()
    const buf = cpu.mmap({ pages: 1 })
    const gpu = m.device('gpu0', { driver: variant === '' ? right : wrong })
    cpu.write(buf, 42)
    const write = gpu.write(buf, 7)
    const discard = cpu.madvise(buf, 'dontneed')
    m.race(write, discard).order(until(write, 'lock'), discard, write)
    expect.always('no stale device mapping', noStaleDeviceMapping)
    expect.always('no stale device access', noStaleDeviceAccess)
  },
  { variants: ['', 'asks-before-it-locks'] },
)
