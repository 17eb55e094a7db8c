/** A plain notifier that only listens: what it is called with can be read off the steps. */
import { setup } from 'xstate'

export const notifier = setup({
  types: { events: {} as { readonly type: 'invalidate_range_start' | 'invalidate_range_end' } },
}).createMachine({
  id: 'mmu_notifier',
  initial: 'registered',
  states: { registered: { on: { invalidate_range_start: {}, invalidate_range_end: {} } } },
})
