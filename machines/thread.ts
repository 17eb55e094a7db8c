/**
 * A CPU thread: it runs its program, enters the kernel by system calls and page faults, and comes back with an answer or a
 * signal. The first thread of a child process is there from the beginning, and waits to be forked.
 */
import { assign, setup } from 'xstate'
import { REST, workOf, type Statement, type ThreadContext, type ThreadEvent, type threadDoes } from '../src/kernel/thread.ts'

const machine = setup({
  types: {
    context: {} as ThreadContext,
    events: {} as ThreadEvent,
    input: {} as { readonly mm: string; readonly program: readonly Statement[] },
    meta: {} as { readonly does: keyof ReturnType<typeof threadDoes> },
  },
  actions: {
    enter: assign(({ event }) => ('agenda' in event ? { agenda: event.agenda } : {})),
    goOn: assign(({ event }) => (event.type === 'ran' ? workOf(event) : {})),
    accessed: assign(({ context, event }) =>
      event.type === 'accessed'
        ? { program: event.left === null ? context.program.slice(1) : [event.left, ...context.program.slice(1)] }
        : {},
    ),
    nextStatement: assign(({ context }) => ({ program: context.program.slice(1) })),
    nothingLeft: assign({ program: [] }),
    rest: assign(REST),
  },
})

const threadFrom = (initial: 'user' | 'not_forked') =>
  machine.createMachine({
    id: 'thread',
    context: ({ input }) => ({ ...REST, mm: input.mm, program: input.program }),
    initial,
    states: {
      not_forked: { on: { ret_from_fork: 'user' } },
      user: {
        meta: { does: 'user' },
        on: {
          accessed: { actions: 'accessed' },
          page_fault: { target: 'page_fault', actions: 'enter' },
          syscall: { target: 'syscall', actions: 'enter' },
          // It was over before it began.
          returned: { actions: 'nextStatement' },
        },
      },
      syscall: {
        meta: { does: 'syscall' },
        on: {
          ran: { actions: 'goOn' },
          returned: { target: 'user', actions: ['rest', 'nextStatement'] },
          exited: { target: 'exited', actions: ['rest', 'nothingLeft'] },
          oops: { target: 'dead', actions: ['rest', 'nothingLeft'] },
        },
      },
      page_fault: {
        meta: { does: 'page_fault' },
        on: {
          ran: { actions: 'goOn' },
          handled: { target: 'user', actions: 'rest' },
          signal: { target: 'user', actions: ['rest', 'nextStatement'] },
          oops: { target: 'dead', actions: ['rest', 'nothingLeft'] },
        },
      },
      exited: {},
      /** The kernel died under it. */
      dead: {},
    },
  })

export const thread = threadFrom('user')
export const childThread = threadFrom('not_forked')
