/** `mmap_lock`, and what an operation answers in the end. */
import type { Catchers } from './advance.ts'
import type { Agenda, Item, Outcome, Rules } from './agenda.ts'
import { mmapLockOf } from './names.ts'
import { call, type AnyEvent, type Calls } from './offer.ts'
import type { MmName } from '../memory/memory.ts'

const lock = (mm: MmName, type: AnyEvent['type']): { readonly calls: Calls } => ({ calls: [call(mmapLockOf(mm), type)] })
/** A driver's command can come for a process that has ended: `mmget_not_zero()` fails. */
const around = (mm: MmName, type: AnyEvent['type'], body: Agenda): Outcome => ({
  ...lock(mm, type),
  replied: ([gone]) => (gone === 'gone' ? { fail: 'EINVAL' } : { then: [...body, { do: 'mmap_unlock', mm }] }),
})

export const lockRules = {
  mmap_read_lock: (_, { mm, body }) => around(mm, 'mmap_read_lock', body),
  mmap_write_lock: (_, { mm, body }) => around(mm, 'mmap_write_lock', body),
  mmap_write_downgrade: (_, { mm }) => lock(mm, 'mmap_write_downgrade'),
  mmap_read_relock: (_, { mm }) => lock(mm, 'mmap_read_lock'),
  mmap_unlock: (_, { mm }) => lock(mm, 'mmap_unlock'),
  return: (_, { ret }) => ({ ret }),
  fail: (_, { failure }) => ({ fail: failure }),
  if_busy: () => ({}),
  as_errno: () => ({}),
  ignore_failure: () => ({}),
} satisfies Partial<Rules>

export const lockCatchers = {
  if_busy: (item, failure) => (failure === 'EBUSY' ? { then: item.then } : { fail: failure }),
  as_errno: (item, failure) => ({ fail: item.of[failure] ?? failure }),
  ignore_failure: () => ({}),
} satisfies Catchers

/** Nothing is done where such an item stands, unless a failure comes by. */
export const onlyCatches = (item: Item): boolean => Object.hasOwn(lockCatchers, item.do)
