/** A CPU thread: it runs its program, enters the kernel by system calls and page faults, and comes back with an answer or a signal. */
import { assign, setup } from 'xstate'
import { REST, type Statement, type ThreadContext, type ThreadEvent, type threadDoes } from '../src/kernel/thread.ts'

export const thread = setup({
  types: {
    context: {} as ThreadContext,
    events: {} as ThreadEvent,
    input: {} as { readonly mm: string; readonly program: readonly Statement[] },
    meta: {} as { readonly does: keyof ReturnType<typeof threadDoes> },
  },
  actions: {
    enter: assign(({ event }) => ('agenda' in event ? { agenda: event.agenda } : {})),
    goOn: assign(({ event }) =>
      event.type === 'ran' ? { agenda: event.agenda, array: event.array, fail: event.fail, ret: event.ret } : {},
    ),
    accessed: assign(({ context, event }) =>
      event.type === 'accessed'
        ? { program: event.left === null ? context.program.slice(1) : [event.left, ...context.program.slice(1)] }
        : {},
    ),
    nextStatement: assign(({ context }) => ({ program: context.program.slice(1) })),
    rest: assign(REST),
  },
}).createMachine({
  id: 'thread',
  context: ({ input }) => ({ ...REST, mm: input.mm, program: input.program }),
  initial: 'user',
  states: {
    user: {
      meta: { does: 'user' },
      on: {
        accessed: { actions: 'accessed' },
        page_fault: { target: 'page_fault', actions: 'enter' },
        syscall: { target: 'syscall', actions: 'enter' },
      },
    },
    syscall: {
      meta: { does: 'syscall' },
      on: { ran: { actions: 'goOn' }, returned: { target: 'user', actions: ['rest', 'nextStatement'] } },
    },
    page_fault: {
      meta: { does: 'page_fault' },
      on: {
        ran: { actions: 'goOn' },
        handled: { target: 'user', actions: 'rest' },
        signal: { target: 'user', actions: ['rest', 'nextStatement'] },
      },
    },
  },
})
