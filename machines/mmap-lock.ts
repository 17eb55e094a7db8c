/**
 * `mmap_lock`: many readers or one writer. Who cannot have it waits, in no particular order. Whoever uses the address space has the lock,
 * and so it ends (`mmput()`) when nobody has; a driver that comes later is told that it is gone (`mmget_not_zero()`).
 */
import { assign, setup } from 'xstate'
import { reply } from '../src/system/actor.ts'

type Lock = 'mmput' | 'mmap_read_lock' | 'mmap_write_lock' | 'mmap_write_downgrade' | 'mmap_unlock'

export const mmapLock = setup({
  types: { context: {} as { readonly readers: number }, events: {} as { readonly type: Lock } },
  actions: {
    reply,
    enter: assign(({ context }) => ({ readers: context.readers + 1 })),
    leave: assign(({ context }) => ({ readers: context.readers - 1 })),
  },
  guards: { lastReader: ({ context }) => context.readers === 1 },
}).createMachine({
  id: 'mmap_lock',
  context: { readers: 0 },
  initial: 'unlocked',
  states: {
    unlocked: { on: { mmap_read_lock: { target: 'read', actions: 'enter' }, mmap_write_lock: 'written', mmput: 'gone' } },
    read: {
      on: {
        mmap_read_lock: { actions: 'enter' },
        mmap_unlock: [{ guard: 'lastReader', target: 'unlocked', actions: 'leave' }, { actions: 'leave' }],
      },
    },
    gone: { on: { mmap_read_lock: { actions: { type: 'reply', params: { value: 'gone' } } } } },
    written: { on: { mmap_unlock: 'unlocked', mmap_write_downgrade: { target: 'read', actions: 'enter' } } },
  },
})
