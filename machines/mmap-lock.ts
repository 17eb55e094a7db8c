/** `mmap_lock`: many readers or one writer. Who cannot have it waits, in no particular order. */
import { assign, setup } from 'xstate'

type Lock = 'mmap_read_lock' | 'mmap_write_lock' | 'mmap_write_downgrade' | 'mmap_unlock'

export const mmapLock = setup({
  types: { context: {} as { readonly readers: number }, events: {} as { readonly type: Lock } },
  actions: {
    enter: assign(({ context }) => ({ readers: context.readers + 1 })),
    leave: assign(({ context }) => ({ readers: context.readers - 1 })),
  },
  guards: { lastReader: ({ context }) => context.readers === 1 },
}).createMachine({
  id: 'mmap_lock',
  context: { readers: 0 },
  initial: 'unlocked',
  states: {
    unlocked: { on: { mmap_read_lock: { target: 'read', actions: 'enter' }, mmap_write_lock: 'written' } },
    read: {
      on: {
        mmap_read_lock: { actions: 'enter' },
        mmap_unlock: [{ guard: 'lastReader', target: 'unlocked', actions: 'leave' }, { actions: 'leave' }],
      },
    },
    written: { on: { mmap_unlock: 'unlocked', mmap_write_downgrade: { target: 'read', actions: 'enter' } } },
  },
})
