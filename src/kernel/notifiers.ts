/**
 * MMU notifiers as the invalidating side sees them (mm/mmu_notifier.c), and the calls of drivers on interval notifiers.
 * What the registry keeps, and when it makes callers wait, is its machine's business.
 */
import { page, PAGE_LIMIT } from '../memory/address.ts'
import type { Agenda, NotifierRange, Outcome, Rules } from './agenda.ts'
import { registryOf } from './names.ts'
import { call, type ActorName, type Call } from './offer.ts'
import type { Profile } from './profiles.ts'

/** What the registry replies to a start: the sequence of this invalidation, and whom to call, in order. */
export interface Started {
  readonly seq: number
  readonly interval: readonly (ActorName | { readonly who: ActorName; readonly sub: number })[]
  /** Plain notifiers, newest first. They are read along with the tree: registering one needs mmap_lock for write. */
  readonly plain: readonly ActorName[]
}

const to = (range: NotifierRange & { readonly early?: boolean }, type: string): Call => call(registryOf(range.mm), type, range)

/** The callbacks of interval notifiers, in order. */
const told = (range: NotifierRange, { seq, interval }: Started): Agenda =>
  interval.map(sub => ({ do: 'invalidate', range, ...(typeof sub === 'string' ? { who: sub } : sub), seq }))

/** Interval notifiers first; the plain list, in which all are called even if one fails; then what was to be enclosed. */
function started(range: NotifierRange, body: Agenda, open: boolean, reply: Started): Outcome {
  return {
    then: [
      ...told(range, reply),
      ...reply.plain.map(who => ({ do: 'notifier_range_start', range, who }) as const),
      { do: 'invalidate_body', range, body, open },
    ],
  }
}

/** With a bug the sequence may move before what was deferred is worked off: then it is not over yet (null). */
const end = (range: NotifierRange, { bugs }: Profile): Outcome => ({
  calls: [to({ ...range, ...(bugs.includes('removeSeesSequence') ? { early: true } : {}) }, 'invalidate_range_end')],
  replied: ([plain]) => ({
    then:
      plain === null
        ? [{ do: 'invalidate_range_end', range }]
        : (plain as readonly ActorName[]).map(who => ({ do: 'notifier_range_end', range, who })),
  }),
})

/** A notifier that keeps a list of mirrors has it called: when an invalidation begins (v4.20 on), or when it ends. */
const synced = (range: NotifierRange, mirrors: unknown): Outcome =>
  mirrors === undefined ? {} : { then: [{ do: 'sync_cpu_device_pagetables', range, mirrors: mirrors as readonly ActorName[] }] }

export const notifierRules = {
  invalidate_range_start: (_, { range, body, open }) => ({
    calls: [to(range, 'invalidate_range_start')],
    replied: ([reply]) => started(range, body, open, reply as Started),
  }),

  // A driver that holds its lock makes a blockable call wait; a call that may not block it answers false, and then the
  // invalidation is taken back as far as it has come: plain notifiers were not called yet, and never will be.
  // One that has more to wait for, with its lock held, says so, and is asked again.
  invalidate: (_, { range, who, seq, sub }, { profile }) => ({
    calls: [call(who, 'invalidate', { ...range, seq, ...(sub === undefined ? {} : { sub }) })],
    replied: ([agreed]) => {
      if (agreed === true) return {}
      if (agreed === 'waits') return { then: [{ do: 'invalidate_wait', range, who, seq }] }
      if (profile.bugs.includes('refusalSwallowed')) return {}
      return { then: [{ do: 'mn_itree_inv_end', mm: range.mm }], fail: 'EAGAIN' }
    },
  }),
  invalidate_wait: (_, { range, who, seq }) => ({ calls: [call(who, 'invalidate_wait', { ...range, seq })] }),
  mmu_notifier_release: (_, { mm }) => {
    const range: NotifierRange = { mm, event: 'RELEASE', start: page(0), end: PAGE_LIMIT, blockable: true, owner: null }
    return {
      calls: [to(range, 'mmu_notifier_release')],
      replied: ([reply]) => {
        const callbacks = told(range, reply as Started)
        return callbacks.length === 0 ? {} : { then: [...callbacks, { do: 'mn_itree_inv_end', mm }] }
      },
    }
  },
  mn_itree_inv_end: (_, { mm }) => ({ calls: [call(registryOf(mm), 'mn_itree_inv_end')] }),

  notifier_range_start: (_, { range, who }) => ({
    calls: [call(who, 'invalidate_range_start', range)],
    replied: ([mirrors]) => synced(range, mirrors),
  }),
  // A mirror that declines ends the list, and the kernel of that time goes on as if all had agreed: an inner variable
  // hides the result of the function.
  sync_cpu_device_pagetables: (_, { range, mirrors: [who, ...mirrors] }) =>
    who === undefined
      ? {}
      : {
          calls: [call(who, 'sync_cpu_device_pagetables', range)],
          replied: ([agreed]) => (agreed === true ? { then: [{ do: 'sync_cpu_device_pagetables', range, mirrors }] } : {}),
        },
  notifier_range_end: (_, { range, who }) => ({
    calls: [call(who, 'invalidate_range_end', range)],
    replied: ([mirrors]) => synced(range, mirrors),
  }),
  invalidate_body: (_, { range, body, open }) => ({ then: open ? body : [...body, { do: 'invalidate_range_end', range }] }),
  invalidate_range_end: (_, { range }, { profile }) => end(range, profile),

  // An invalidation that a program holds open: its end is a call of its own.
  mmu_notifier_invalidate_range_start: (_, { range }) => ({
    calls: [to(range, 'invalidate_range_start')],
    replied: ([reply]) => ({
      then: (started(range, [], false, reply as Started).then ?? []).filter(item => item.do !== 'invalidate_body'),
    }),
  }),
  mmu_notifier_invalidate_range_end: (_, { range }, { profile }) => end(range, profile),

  // The registry and the subscriber are told in one step: the kernel does both under the registry's lock.
  mmu_interval_notifier_insert: (_, { mm, who, start, end: stop }) => ({
    calls: [
      call(registryOf(mm), 'mmu_interval_notifier_insert', { who, start, end: stop }),
      ([seq]) => call(who, 'inserted', { start, end: stop, seq }),
    ],
  }),
  mmu_interval_notifier_remove: (_, { mm, who }) => ({
    calls: [call(registryOf(mm), 'mmu_interval_notifier_remove', { who })],
    replied: ([seq]) => (seq === null ? {} : { then: [{ do: 'wait_event', mm, seq: seq as number, ret: 0 }] }),
  }),
  // It returns the sequence that it read before it slept.
  mmu_interval_read_begin: (_, { mm, who }) => ({
    calls: [call(who, 'read_begin'), call(registryOf(mm), 'mmu_interval_read_begin')],
    replied: ([seq, current]) => ({
      ret: seq as number,
      then: seq === current ? [{ do: 'wait_event', mm, seq: seq as number, ret: seq as number }] : [],
    }),
  }),
  wait_event: (_, { mm, seq, ret }) => ({ calls: [call(registryOf(mm), 'wait_event', { seq })], ret }),
  driver_call: (_, { to, event }) => ({ calls: [{ to, event }] }),
  mmu_interval_read_retry: (_, { who }) => ({ calls: [call(who, 'read_retry')], replied: ([stale]) => ({ ret: stale === true ? 1 : 0 }) }),
} satisfies Partial<Rules>
