/**
 * The time that a driver gives one fault: `timeout = jiffies + …` before its loop, and `time_after(jiffies, timeout)` at the head of
 * it. That time passes is a step of its own: whoever explores sees it come at any moment, and nobody can put it off for ever, as
 * nobody who can always act may be kept waiting for ever.
 */
import { setup } from 'xstate'
import { reply } from '../src/system/actor.ts'

export const timeout = setup({
  types: {
    events: {} as { readonly type: 'start' | 'stop' | 'passed' | 'time_after' },
    meta: {} as { readonly does: string },
  },
  actions: { reply },
}).createMachine({
  id: 'timeout',
  initial: 'stopped',
  states: {
    stopped: { on: { start: 'running' } },
    running: {
      meta: { does: 'pass' },
      on: { passed: 'over', stop: 'stopped', time_after: { actions: { type: 'reply', params: { value: false } } } },
    },
    over: { on: { stop: 'stopped', time_after: { actions: { type: 'reply', params: { value: true } } } } },
  },
})
