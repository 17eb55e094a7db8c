/**
 * Pattern: a page-request queue, as on-demand paging of mlx5 and shared virtual addressing with PRI have it. The device that finds
 * nothing puts a request into a queue, and stands still until it is answered. A worker takes one request after the other: it reads the
 * sequence, walks, and under its lock maps and answers, or begins the same request again.
 *
 * Mistake (`drops-what-is-stale`): a request that was invalidated meanwhile is dropped, as if the device would ask again. It does not:
 * it waits for the answer to what it has asked.
 *
 * Explored to the end: 220 states; `drops-what-is-stale` found after 29 steps, of 214 states.
 */
import { assign, setup } from 'xstate'
import { noStaleDeviceAccess, noStaleDeviceMapping, scenario, until } from 'mirrorwalk'
import {
  call,
  defineDevice,
  handlerContext,
  handlerSetup,
  rangeFault,
  requested,
  reply,
  REST,
  workOf,
  type HandlerContext,
  type HandlerEvent,
  type HandlerInput,
} from 'mirrorwalk/driver'

/** The hardware: it asks, and waits for the answer. */
const hardwareOf = handlerSetup.extend({ guards: { refused: ({ event }) => event.type === 'done' && event.reply === 'failure' } })
const handler = hardwareOf.createMachine({
  context: ({ input }) => handlerContext(input),
  initial: 'idle',
  states: {
    idle: { meta: { does: 'idle' }, on: { translated: { target: 'perform', actions: 'translated' }, fault: 'page_request' } },
    perform: { meta: { does: 'perform' }, on: { accessed: { target: 'idle', actions: 'accessed' } } },
    page_request: { meta: { does: 'call worker.page_request' }, on: { done: 'page_response' } },
    page_response: {
      meta: { does: 'call worker.page_response' },
      on: { done: [{ guard: 'refused', target: 'failed' }, { target: 'idle' }] },
    },
    failed: { meta: { does: 'end' }, on: { ended: { target: 'idle', actions: 'finish' } } },
  },
})

/** Who has asked, in the order of the queue, which is the worker's program; and who was answered, and how. */
type Context = HandlerContext & { readonly asked: readonly string[]; readonly answers: Readonly<Record<string, 'success' | 'failure'>> }
type Event = HandlerEvent | Request | { readonly type: 'page_response'; readonly who: string }
interface Request {
  readonly type: 'page_request'
  readonly who: string
  readonly start: number
  readonly end: number
  readonly write: boolean
}

const worker = (drops: boolean) =>
  setup({
    types: { context: {} as Context, events: {} as Event, input: {} as HandlerInput, meta: {} as { readonly does: string } },
    actions: {
      reply,
      ask: assign(({ context, event }) =>
        event.type === 'page_request' ? { program: [...context.program, requested(event)], asked: [...context.asked, event.who] } : {},
      ),
      begin: assign(({ event }) => (event.type === 'begun' ? { seq: event.seq } : {})),
      walk: assign(({ context }) => rangeFault(context, call(context.device, 'check_retry', { seq: context.seq }))),
      goOn: assign(({ event }) => ('agenda' in event ? workOf(event) : {})),
      answer: assign(({ context: { asked, answers, fail } }) => ({
        answers: { ...answers, [asked[0] ?? '']: fail === null ? ('success' as const) : ('failure' as const) },
      })),
      take: assign(({ context: { answers }, event }) =>
        event.type === 'page_response' ? { answers: Object.fromEntries(Object.entries(answers).filter(([who]) => who !== event.who)) } : {},
      ),
      next: assign(({ context: { program, asked } }) => ({ ...REST, program: program.slice(1), asked: asked.slice(1) })),
    },
    guards: {
      busy: ({ event }) => event.type === 'begun' && event.busy,
      stale: ({ event }) => event.type === 'checked' && event.stale,
      again: ({ context }) => context.fail === 'EBUSY' || context.fail === 'EAGAIN',
      failed: ({ context }) => context.fail !== null,
      answered: ({ context, event }) => event.type === 'page_response' && event.who in context.answers,
    },
  }).createMachine({
    context: ({ input }) => ({ ...handlerContext(input), asked: [], answers: {} }),
    initial: 'idle',
    on: {
      page_request: { actions: 'ask' },
      page_response: {
        guard: 'answered',
        actions: [
          {
            type: 'reply',
            params: ({ context, event }) => ({ value: event.type === 'page_response' ? context.answers[event.who] : null }),
          },
          'take',
        ],
      },
    },
    states: {
      idle: { meta: { does: 'idle' }, on: { fault: 'read_begin' } },
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
            { guard: 'failed', target: 'idle', actions: ['answer', 'next'] },
            { target: 'lock' },
          ],
        },
      },
      lock: { meta: { does: 'driver_lock' }, on: { done: 'read_retry' } },
      read_retry: { meta: { does: 'read_retry' }, on: { checked: [{ guard: 'stale', target: 'stale' }, { target: 'commit' }] } },
      stale: { meta: { does: 'driver_unlock' }, on: { done: drops ? { target: 'idle', actions: 'next' } : 'read_begin' } },
      commit: { meta: { does: 'commit' }, on: { done: 'unlock' } },
      unlock: { meta: { does: 'driver_unlock' }, on: { done: { target: 'idle', actions: ['answer', 'next'] } } },
    },
  })

const right = defineDevice('page-requests', { handler, worker: worker(false) })
const wrong = defineDevice('page-requests-drops-what-is-stale', { handler, worker: worker(true) })

export default scenario(
  'a page-request queue, and a worker that answers',
  ({ linux, expect, variant }) => {
    const m = linux()
    const cpu = m.thread()
    const buf = cpu.mmap({ pages: 1 })
    const gpu = m.device('gpu0', { driver: variant === '' ? right : wrong })
    cpu.write(buf, 42)
    const read = gpu.read(buf)
    const discard = cpu.madvise(buf, 'dontneed')
    m.race(read, discard).order(until(read, 'page_response'), discard, read)
    expect.always('no stale device mapping', noStaleDeviceMapping)
    expect.always('no stale device access', noStaleDeviceAccess)
  },
  { variants: ['', 'drops-what-is-stale'] },
)
